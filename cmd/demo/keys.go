package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"time"

	"b2trader.identity.auth/identity/vault"
)

// readKeys reads the keys that seal the records in the store.
func readKeys(file string) ([]vault.Key, error) {
	content, err := os.ReadFile(file) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("-session-keys-file: %w", err)
	}
	keys, err := vault.ParseKeys(content)
	if err == nil {
		return keys, nil
	}
	var problems []error
	for _, problem := range leaves(err) {
		problems = append(problems, fmt.Errorf("-session-keys-file %s: %w", file, problem))
	}
	return nil, errors.Join(problems...)
}

// newKeyLine returns a line for that file, with a new key, whose id begins with
// the date.
func newKeyLine(now time.Time) string {
	key := vault.NewKey(now.UTC().Format(time.DateOnly) + "-" + rand.Text()[:4])
	return key.ID + ":" + base64.StdEncoding.EncodeToString(key.Secret)
}
