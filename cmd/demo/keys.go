package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"b2trader.identity.auth/identity/vault"
)

// readKeys reads the keys that seal the records in the store. Each line of the
// file has an id and 32 bytes in base64:
//
//	2026-11-21-KXQZ:q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=
//
// The first key seals, all open. Empty lines and lines that begin with # are
// skipped. To replace a key without ending a session: add the new key at the
// end
// and restart every process, move it to the front and restart again, and remove
// the old key after the longest session. A single process needs the second step
// only.
//
// No error shows the content of the file.
func readKeys(file string) ([]vault.Key, error) {
	content, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("-session-keys-file: %w", err)
	}
	var keys []vault.Key
	var problems []error
	seen := map[string]bool{}
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		report := func(what string) {
			problems = append(problems, fmt.Errorf("-session-keys-file: line %d of %s %s", number, file, what))
		}
		id, encoded, _ := strings.Cut(line, ":")
		secret, err := base64.StdEncoding.DecodeString(encoded)
		switch {
		case err != nil || len(secret) != 32:
			report("is not an id, a colon and 32 bytes in base64")
		case id == "" || len(id) > 255:
			report("has no id of 1 to 255 bytes")
		case seen[id]:
			report("has the id of another line")
		}
		seen[id] = true
		keys = append(keys, vault.Key{ID: id, Secret: secret})
	}
	if len(keys) == 0 {
		problems = append(problems, fmt.Errorf("-session-keys-file: %s has no key", file))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return keys, nil
}

// newKeyLine returns a line for that file, with a new key, whose id begins with
// the date.
func newKeyLine(now time.Time) string {
	key := vault.NewKey(now.UTC().Format(time.DateOnly) + "-" + rand.Text()[:4])
	return key.ID + ":" + base64.StdEncoding.EncodeToString(key.Secret)
}
