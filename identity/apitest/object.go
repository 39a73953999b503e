package apitest

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Object is a JSON object that keeps the order of its members:
//
//	apitest.Object{{"token", token}, {"expires_in", 300}}
type Object []Member

// Member is one member of an Object. It is an alias of a struct type, so that
// go vet allows {"token", token} in other packages.
type Member = struct {
	Name  string
	Value any
}

// Add adds a member at the end.
func (o *Object) Add(name string, value any) { *o = append(*o, Member{name, value}) }

// Set replaces the value of name, or adds it at the end.
func (o *Object) Set(name string, value any) {
	for i, m := range *o {
		if m.Name == name {
			(*o)[i].Value = value
			return
		}
	}
	o.Add(name, value)
}

// Get returns the value of name, nil if there is none.
func (o Object) Get(name string) any {
	for _, m := range o {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// Drop removes every member called name.
func (o *Object) Drop(name string) {
	*o = slices.DeleteFunc(*o, func(m Member) bool { return m.Name == name })
}

// JSON returns the object encoded, without escaping &, < and >. It panics on a
// value that JSON cannot represent.
func (o Object) JSON() []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(encodeJSON(m.Name))
		b.WriteByte(':')
		b.Write(encodeJSON(m.Value))
	}
	b.WriteByte('}')
	return b.Bytes()
}

// MarshalJSON implements json.Marshaler.
func (o Object) MarshalJSON() ([]byte, error) { return o.JSON(), nil }

// encodeJSON encodes v without escaping &, < and >, as .NET and PHP do. It
// panics on values that JSON cannot represent, which may come from a Fault's
// Answer.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("apitest: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
