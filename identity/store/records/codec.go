package records

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"b2trader.identity.auth/identity/store"
)

// A Codec turns values into bytes and back. The bytes are sealed; a codec sees
// them in the clear. The zero Codec is for records without a value, whose
// existence says all: nothing is sealed or stored for them.
type Codec[T any] struct {
	Encode func(T) ([]byte, error)
	Decode func([]byte) (T, error)

	// Keep returns what of a value stays in memory, which is what Get returns.
	// Read, List, Put and Update have the whole value. Nil: all of it.
	Keep func(T) T

	// Complete returns a kept value with what Keep has left out of it, as an
	// older version of the record has it: see "A store that forgets". It is
	// required with Keep.
	Complete func(kept, older T) T

	// ZeroIfUnreadable makes an unreadable record count as one with the zero
	// value, so that Update can replace it. False: it is ErrUnreadable.
	ZeroIfUnreadable bool
}

// JSON returns a Codec that stores values as JSON.
func JSON[T any]() Codec[T] {
	return Codec[T]{
		Encode: func(v T) ([]byte, error) { return json.Marshal(v) },
		Decode: func(b []byte) (v T, err error) { return v, json.Unmarshal(b, &v) },
	}
}

// seal returns what the store keeps of r.
func (c Codec[T]) seal(s *Sealer, r Record[T]) ([]byte, error) {
	if c.Encode == nil {
		return nil, nil
	}
	plain, err := c.Encode(r.Value)
	if err != nil {
		return nil, fmt.Errorf("records: encode the record of %q: %w", r.ID, err)
	}
	if r.restored > r.Version+1 {
		return s.seal(envelopeRestored, string(r.ID), append(binary.BigEndian.AppendUint64(nil, r.restored), plain...)), nil
	}
	return s.Seal(string(r.ID), plain), nil
}

// open reads the Value of a record and the version from which it was restored.
func (c Codec[T]) open(s *Sealer, raw store.Record) (value T, restored uint64, err error) {
	if c.Decode == nil {
		return value, 0, nil
	}
	plain, err := s.Open(raw.Key, raw.Value)
	if err == nil && raw.Value[0] == envelopeRestored {
		restored, plain = binary.BigEndian.Uint64(plain), plain[8:]
	}
	if err == nil {
		value, err = c.Decode(plain)
	}
	if err == nil {
		return value, restored, nil
	}
	var zero T
	if c.ZeroIfUnreadable {
		return zero, 0, nil
	}
	if !errors.Is(err, ErrUnreadable) {
		err = fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return zero, 0, err
}
