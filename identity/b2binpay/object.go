package b2binpay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// An object is a JSON object in which every decoder finds the same members. Of
// two members with one name, some decoders take the first and some the last;
// encoding/json takes the last, in any letter case. A signed value must not be
// verified by one rule and used by another.
type object map[string]json.RawMessage

// readObject parses raw, which is valid JSON. It refuses two members whose names
// differ at most in letter case, and another letter case of any of names, which
// the caller will look up.
func readObject(raw []byte, names ...string) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if opening, _ := decoder.Token(); opening != json.Delim('{') {
		return nil, errors.New("not an object where one is required")
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

// readResource parses a resource object of JSON:API and its attributes, in which
// the caller will look up names.
func readResource(raw []byte, names ...string) (resource, attributes object, err error) {
	resource, err = readObject(raw, "type", "id", "attributes")
	if err != nil || isNull(resource["attributes"]) {
		return resource, nil, err
	}
	attributes, err = readObject(resource["attributes"], names...)
	return resource, attributes, err
}

// eachElement calls f with each element of an array.
func eachElement(raw []byte, f func(json.RawMessage) error) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if opening, _ := decoder.Token(); opening != json.Delim('[') {
		return errors.New("not an array where one is required")
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

// text returns the decoded string or the spelling of the number under name. It
// returns "" for null and for a missing member.
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

// id returns the identifier of a resource, which is required.
func (o object) id() (string, error) {
	id, err := o.text("id")
	if err == nil && id == "" {
		err = errors.New("a resource has no id")
	}
	return id, err
}

func isNull(raw []byte) bool { return len(raw) == 0 || string(raw) == "null" }

// fold maps all names that encoding/json takes for the same to one: each
// character becomes the first that differs from it only in case.
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
