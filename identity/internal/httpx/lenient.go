package httpx

import (
	"encoding/json"

	"b2trader.identity.auth/identity/internal/strictjson"
)

// A Text is a JSON string. Values of other types become empty, so that one
// member of an unexpected type does not hide the other members.
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(raw []byte) error {
	_ = json.Unmarshal(raw, (*string)(t))
	return nil
}

// Optional is a member of a token answer that may be missing or of an unexpected
// type, such as the [] that PHP writes for an empty object: Value is then zero.
// The refresh token that the answer was exchanged for is used up, so the tokens
// beside the member must not be lost with it.
type Optional[T any] struct{ Value T }

// UnmarshalJSON implements json.Unmarshaler.
func (o *Optional[T]) UnmarshalJSON(raw []byte) error {
	var value T
	if strictjson.Unmarshal(raw, &value) == nil {
		o.Value = value
	}
	return nil
}
