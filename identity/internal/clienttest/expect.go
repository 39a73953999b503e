package clienttest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// New makes a client or a server of a config and changes to it.
func New[C, T any](t testing.TB, of func(C) (T, error), config C, changes ...func(*C)) T {
	t.Helper()
	for _, change := range changes {
		change(&config)
	}
	made, err := of(config)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// WantError checks that err is an error of the system's client that wraps want,
// and returns it.
func WantError(t testing.TB, system string, err, want error) *tokenapi.Error {
	t.Helper()
	e, ok := errors.AsType[*tokenapi.Error](err)
	if !ok || !errors.Is(err, want) || e.System != system || e.Op == "" {
		t.Fatalf("got %v, want a *tokenapi.Error of %s that is %q", err, system, want)
	}
	return e
}

// RefreshExpiry returns when the token's refresh token expires, or the zero time
// if that is unknown.
func RefreshExpiry(token *oauth2.Token) time.Time {
	at, _ := token.Extra(tokenapi.RefreshExpiry).(time.Time)
	return at
}

// Sample reads a file of the package's testdata.
func Sample(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name)) //nolint:gosec // the test names it
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
