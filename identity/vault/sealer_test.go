package vault_test

import (
	"bytes"
	"testing"

	"b2trader.identity.auth/identity/vault"
)

// req 73: what is sealed opens at its place only, with any of the keys, and not without.
func TestSealer(t *testing.T) {
	old, current := vault.NewKey("old"), vault.NewKey("current")
	seal := func(keys ...vault.Key) *vault.Sealer {
		t.Helper()
		s, err := vault.NewSealer(keys)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	sealed := seal(old).Seal("here", []byte("what is said"))
	if bytes.Contains(sealed, []byte("said")) {
		t.Error("it is readable")
	}
	plain, err := seal(current, old).Open("here", sealed)
	if err != nil || string(plain) != "what is said" {
		t.Errorf("after a rotation: %q, %v", plain, err)
	}
	if _, err := seal(old).Open("there", sealed); err == nil {
		t.Error("it opens at another place")
	}
	if _, err := seal(current).Open("here", sealed); err == nil {
		t.Error("it opens without its key")
	}
	if _, err := vault.NewSealer(nil); err == nil {
		t.Error("a sealer without keys")
	}
}
