package mirror

import (
	"context"
	"testing"

	"b2trader.identity.auth/identity/store/memstore"
)

// Strangers choose keys: nothing is kept of those that are not there, or that were never read.
func TestUnknownKeysAreNotKept(t *testing.T) {
	m := New(Config[string]{
		Store:  memstore.New(),
		Encode: func(_, value string) ([]byte, error) { return []byte(value), nil },
		Decode: func(_ string, stored []byte) (string, error) { return string(stored), nil },
	})
	defer m.Close()
	if _, err := m.Get(t.Context(), "key"); !Gone(err) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Get(ctx, "key"); err == nil || Gone(err) {
		t.Fatal(err)
	}
	for key := range m.slots.Range {
		t.Errorf("%v is kept", key)
	}
}
