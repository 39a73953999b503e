package b2binpay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// An object is a JSON object whose members every decoder finds alike. Those of other libraries take the first or the last of two members
// with the same name; encoding/json takes the last, in whatever letter case. What is signed must not be read by one rule and
// used by another.
type object map[string]json.RawMessage

// readObject reads raw, which is valid JSON. It refuses what has two members whose names differ in letter case at most, and
// what spells one of names, which will be looked up, in another case.
func readObject(raw []byte, names ...string) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if opening, _ := decoder.Token(); opening != json.Delim('{') {
		return nil, errors.New("not an object where there must be one")
	}
	o := object{}
	seen := map[string]string{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if _, twice := seen[fold(name)]; twice {
			return nil, fmt.Errorf("the member %.40q comes twice", name)
		}
		seen[fold(name)] = name
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, err
		}
		o[name] = value
	}
	for _, name := range names {
		if spelt, ok := seen[fold(name)]; ok && spelt != name {
			return nil, fmt.Errorf("the member %q is in another letter case", name)
		}
	}
	return o, nil
}

// readResource reads a resource object of JSON:API and its attributes, of which names will be looked up.
func readResource(raw []byte, names ...string) (resource, attributes object, err error) {
	resource, err = readObject(raw, "type", "id", "attributes")
	if err != nil || isNull(resource["attributes"]) {
		return resource, nil, err
	}
	attributes, err = readObject(resource["attributes"], names...)
	return resource, attributes, err
}

// eachElement calls f with the elements of an array one by one.
func eachElement(raw []byte, f func(json.RawMessage) error) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if opening, _ := decoder.Token(); opening != json.Delim('[') {
		return errors.New("not an array where there must be one")
	}
	for decoder.More() {
		var element json.RawMessage
		if err := decoder.Decode(&element); err != nil {
			return err
		}
		if err := f(element); err != nil {
			return err
		}
	}
	return nil
}

// text returns a string, decoded, or a number as it is spelt. It is empty for null and for a member that is missing.
func (o object) text(name string) (string, error) {
	raw := o[name]
	switch {
	case isNull(raw):
		return "", nil
	case raw[0] == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case raw[0] == '-', raw[0] >= '0' && raw[0] <= '9':
		return string(raw), nil
	}
	return "", fmt.Errorf("%s is neither a string nor a number", name)
}

// id returns the identifier of a resource, which it must have.
func (o object) id() (string, error) {
	id, err := o.text("id")
	if err == nil && id == "" {
		err = errors.New("a resource has no id")
	}
	return id, err
}

func isNull(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }

// fold spells names alike that encoding/json takes for the same: each character becomes the first of those that
// differ from it in case alone.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(r) {
			if next < r {
				return next
			}
			r = next
		}
		return r
	}, name)
}
