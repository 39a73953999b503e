package records

import (
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

func (c Codec[T]) seal(s *Sealer, id ID, value T) ([]byte, error) {
	if c.Encode == nil {
		return nil, nil
	}
	plain, err := c.Encode(value)
	if err != nil {
		return nil, fmt.Errorf("records: encode the record of %q: %w", id, err)
	}
	return s.Seal(string(id), plain), nil
}

func (c Codec[T]) open(s *Sealer, raw store.Record) (value T, err error) {
	if c.Decode == nil {
		return value, nil
	}
	plain, err := s.Open(raw.Key, raw.Value)
	if err == nil {
		value, err = c.Decode(plain)
	}
	if err == nil {
		return value, nil
	}
	var zero T
	if c.ZeroIfUnreadable {
		return zero, nil
	}
	if !errors.Is(err, ErrUnreadable) {
		err = fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return zero, err
}
