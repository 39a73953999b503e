package records

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ParseKeys parses the content of a file of keys. Each line has an ID, a colon
// and 32 random bytes in base64, such as those of openssl rand -base64 32:
//
//	2026-11-21:q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=
//
// The first key seals, all open. Empty lines and lines that begin with # are
// skipped. To replace a key without losing a record, add the new key at the end
// and restart every process, move it to the front and restart again, and remove
// the old key after the life of the longest record. A single process needs the
// second step only.
//
// Errors: every problem, joined, each with the number of its line. No error
// shows what is in a line.
func ParseKeys(content []byte) ([]Key, error) {
	var keys []Key
	var problems []error
	lineOf := map[string]int{}
	number := 0
	content = bytes.TrimPrefix(content, []byte("\ufeff")) // some editors of Windows begin a file with it
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, err := parseKey(line)
		if other := lineOf[key.ID]; err == nil && other > 0 {
			err = fmt.Errorf("has the ID of line %d: give each key an ID of its own", other)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("line %d %w", number, err))
			continue
		}
		lineOf[key.ID] = number
		keys = append(keys, key)
	}
	if keys == nil && problems == nil {
		return nil, errors.New("there is no key: add a line with an ID, a colon and 32 random bytes in base64, such as those of openssl rand -base64 32")
	}
	if problems != nil {
		return nil, errors.Join(problems...)
	}
	return keys, nil
}

// parseKey parses a line. Its errors follow the number of the line.
func parseKey(line string) (Key, error) {
	id, encoded, found := strings.Cut(line, ":")
	if !found {
		return Key{}, errors.New("has no colon: put an ID and a colon before the secret")
	}
	if len(id) < 1 || len(id) > 255 {
		return Key{}, fmt.Errorf("has an ID of %d bytes, want 1 to 255", len(id))
	}
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return Key{}, errors.New("has a secret that is not base64: replace it by 32 random bytes, such as those of openssl rand -base64 32")
	}
	if len(secret) != 32 {
		return Key{}, fmt.Errorf("has a secret of %d bytes, want 32 random bytes, such as those of openssl rand -base64 32", len(secret))
	}
	return Key{ID: id, Secret: secret}, nil
}
