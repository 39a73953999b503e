// Package strictjson decodes what peers send. It differs from encoding/json
// where that is too lenient for tokens: member names are case-sensitive
// (RFC 7519 section 7.3), duplicate names are refused (RFC 7519 section 4), and
// so is invalid UTF-8 (RFC 8259 section 8.1). encoding/json/v2 does the same,
// but is not part of the standard library of Go 1.26.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"
)

var (
	errUTF8   = errors.New("the JSON holds invalid UTF-8")
	errSyntax = errors.New("the text is not one JSON value")
	errTwice  = errors.New("the JSON has a member twice")
)

// Unmarshal decodes one JSON value into v. Structs get the members whose names
// are exactly those of their fields' json tags; other members are ignored. A
// UTF-8 byte order mark at the start is skipped, as RFC 8259 section 8.1 allows.
//
// Errors: a text that is not one JSON value, invalid UTF-8, a duplicate name,
// or a value of another type than its field. They repeat nothing of data.
func Unmarshal(data []byte, v any) error {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := check(data); err != nil {
		return err
	}
	if err := json.Unmarshal(keepExact(data, reflect.TypeOf(v)), v); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return fmt.Errorf("the member %q has another type than expected", wrong.Field)
		}
		return errSyntax
	}
	return nil
}

// check refuses what encoding/json repairs or overlooks.
func check(data []byte) error {
	if !utf8.Valid(data) {
		return errUTF8
	}
	if !json.Valid(data) {
		return errSyntax
	}
	return checkNames(json.NewDecoder(bytes.NewReader(data)))
}

// checkNames reads one valid value and refuses objects with duplicate names.
func checkNames(d *json.Decoder) error {
	d.UseNumber()
	type object struct{ names map[string]bool } // nil names: an array
	var open []object
	for wantName := false; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errSyntax
		}
		switch token {
		case json.Delim('{'):
			open = append(open, object{map[string]bool{}})
			wantName = true
			continue
		case json.Delim('['):
			open = append(open, object{})
			wantName = false
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		default:
			if wantName {
				names, name := open[len(open)-1].names, token.(string)
				if names[name] {
					return errTwice
				}
				names[name] = true
				wantName = false
				continue
			}
		}
		wantName = len(open) > 0 && open[len(open)-1].names != nil // a value has ended
	}
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// keepExact drops the members of valid JSON that encoding/json would match to a
// field of t although their names differ from its tag in case.
func keepExact(data []byte, t reflect.Type) []byte {
	for t.Kind() == reflect.Pointer {
		if t.Implements(unmarshaler) {
			return data
		}
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return data
	}
	switch first := bytes.TrimLeft(data, " \t\r\n")[0]; {
	case t.Kind() == reflect.Struct && first == '{':
		return keepMembers(data, fieldsOf(t))
	case t.Kind() == reflect.Slice && first == '[':
		return keepElements(data, t.Elem())
	}
	return data
}

func keepMembers(data []byte, fields map[string]reflect.Type) []byte {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(data, &members) // valid
	changed := false
	for name, value := range members {
		if t, known := fields[name]; known {
			members[name] = keepExact(value, t)
			changed = changed || !bytes.Equal(members[name], value)
		} else if confusable(name, fields) {
			delete(members, name)
			changed = true
		}
	}
	if !changed {
		return data
	}
	exact, _ := json.Marshal(members) // valid
	return exact
}

func keepElements(data []byte, t reflect.Type) []byte {
	var elements []json.RawMessage
	_ = json.Unmarshal(data, &elements) // valid
	changed := false
	for i, value := range elements {
		elements[i] = keepExact(value, t)
		changed = changed || !bytes.Equal(elements[i], value)
	}
	if !changed {
		return data
	}
	exact, _ := json.Marshal(elements) // valid
	return exact
}

// confusable reports whether encoding/json would take name for a field of
// another name.
func confusable(name string, fields map[string]reflect.Type) bool {
	for field := range fields {
		if strings.EqualFold(name, field) {
			return true
		}
	}
	return false
}

// known holds the fields of the types that were decoded before: those of this
// module, of which there are a few dozen.
var known sync.Map

// fieldsOf returns the types of a struct's fields by their names in JSON.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if fields, ok := known.Load(t); ok {
		return fields.(map[string]reflect.Type)
	}
	fields := make(map[string]reflect.Type)
	for f := range t.Fields() {
		tag, tagged := f.Tag.Lookup("json")
		name, _, _ := strings.Cut(tag, ",")
		switch {
		case name == "-":
		case f.Anonymous && name == "":
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			for inner, innerType := range fieldsOf(embedded) {
				fields[inner] = innerType
			}
		case f.IsExported():
			if !tagged || name == "" {
				name = f.Name
			}
			fields[name] = f.Type
		}
	}
	known.Store(t, fields)
	return fields
}
