package session

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// errCodec says that bytes are not a stored session of this version.
var errCodec = errors.New("session: not a stored session, or one of another version")

// valuesCodec implements scs.Codec: the deadline in Unix milliseconds, then each
// key and its value in JSON, each with its length before it, sorted by key.
// Values stay encoded until a caller reads them, so a request pays only for the
// values that it reads.
type valuesCodec struct{}

// Encode implements scs.Codec.
func (valuesCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	raw := make(map[string]json.RawMessage, len(values))
	for key, value := range values {
		encoded, ok := value.(json.RawMessage)
		if !ok {
			return nil, fmt.Errorf("session: value %s is a %T", key, value)
		}
		raw[key] = encoded
	}
	return encodeValues(deadline, raw), nil
}

// Decode implements scs.Codec.
func (valuesCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	values := make(map[string]any)
	deadline, err := readValues(b, func(key string, value json.RawMessage) { values[key] = value })
	return deadline, values, err
}

func encodeValues(deadline time.Time, values map[string]json.RawMessage) []byte {
	size := binary.MaxVarintLen64
	for key, value := range values {
		size += len(key) + len(value) + 2*binary.MaxVarintLen16
	}
	b := make([]byte, 0, size) // sessions keep it: append would double it
	b = binary.AppendUvarint(b, uint64(deadline.UnixMilli()))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		b = appendBytes(appendBytes(b, []byte(key)), values[key])
	}
	return b
}

// decodeValues returns values that share the memory of b.
func decodeValues(b []byte) (time.Time, map[string]json.RawMessage, error) {
	values := make(map[string]json.RawMessage)
	deadline, err := readValues(b, func(key string, value json.RawMessage) { values[key] = value })
	return deadline, values, err
}

func readValues(b []byte, take func(key string, value json.RawMessage)) (time.Time, error) {
	milliseconds, n := binary.Uvarint(b)
	if n <= 0 {
		return time.Time{}, errCodec
	}
	for b = b[n:]; len(b) > 0; {
		var key, value []byte
		var ok bool
		if key, b, ok = cutBytes(b); !ok {
			return time.Time{}, errCodec
		}
		if value, b, ok = cutBytes(b); !ok {
			return time.Time{}, errCodec
		}
		take(string(key), value)
	}
	return time.UnixMilli(int64(milliseconds)), nil //nolint:gosec // as it was encoded
}

// appendBytes appends field, with its length before it.
func appendBytes(b, field []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(field))), field...)
}

func cutBytes(b []byte) (field, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 {
		return nil, nil, false
	}
	b = b[n:]
	if size > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:size:size], b[size:], true
}

// stored is a session as it is stored. It is never changed.
type stored struct {
	seen    time.Time  // the last use that was written
	address netip.Addr // of the client then
	body    []byte     // the values, by valuesCodec
	keys    keys       // of the user in body; zero: there is none
}

// keys is what every request needs of a session's user. The rest of the user
// stays encoded: sessions are many, and pages are few.
type keys struct{ owner, identityID, vaultKey, group string }

// storedVersion is the version of the encoding: version, seen in Unix
// milliseconds, address, body.
const storedVersion = 1

func (s stored) encode() ([]byte, error) {
	b := binary.AppendUvarint([]byte{storedVersion}, uint64(s.seen.UnixMilli()))
	return append(appendBytes(b, s.address.AsSlice()), s.body...), nil
}

func decodeStored(b []byte) (stored, error) {
	if len(b) == 0 || b[0] != storedVersion {
		return stored{}, errCodec
	}
	milliseconds, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return stored{}, errCodec
	}
	address, body, ok := cutBytes(b[1+n:])
	if !ok {
		return stored{}, errCodec
	}
	s := stored{seen: time.UnixMilli(int64(milliseconds))} //nolint:gosec // as it was encoded
	s.address, _ = netip.AddrFromSlice(address)
	return s.with(body)
}

// with returns s with the values in body.
func (s stored) with(body []byte) (stored, error) {
	u, err := userIn(body)
	if err != nil {
		return stored{}, err
	}
	s.body, s.keys = body, keys{u.Owner, u.IdentityID, u.VaultKey, u.Group}
	return s, nil
}

// user returns the user of the session. Its zero value says that there is none.
func (s stored) user() User {
	u, _ := userIn(s.body) // with has decoded it before
	return u
}

func userIn(body []byte) (u User, err error) {
	_, values, err := decodeValues(body)
	if err != nil {
		return User{}, err
	}
	if raw := values[userValue.name]; raw != nil && json.Unmarshal(raw, &u) != nil {
		return User{}, errCodec
	}
	return u, nil
}

// mergeValues applies to newer what a request changed between before and after.
// A value that newer has changed, too, stays as newer has it.
func mergeValues(before, after, newer []byte) ([]byte, error) {
	_, was, err1 := decodeValues(before)
	_, is, err2 := decodeValues(after)
	deadline, merged, err3 := decodeValues(newer)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	for key := range maps.Keys(is) {
		if _, known := was[key]; !known {
			was[key] = nil
		}
	}
	for key, old := range was {
		value, kept := is[key]
		switch {
		case bytes.Equal(old, value), !bytes.Equal(old, merged[key]):
		case kept:
			merged[key] = value
		default:
			delete(merged, key)
		}
	}
	return encodeValues(deadline, merged), nil
}
