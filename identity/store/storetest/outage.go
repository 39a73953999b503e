package storetest

import (
	"errors"
	"io"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/store"
)

// CheckOutage checks that every method of s fails with ErrUnavailable, which
// says nothing about r.
func CheckOutage(t *testing.T, s store.Store, r store.Record) {
	t.Helper()
	for method, err := range callEveryMethod(t.Context(), s, r) {
		if err == nil {
			t.Errorf("%s during an outage = nil, want ErrUnavailable", method)
			continue
		}
		checkError(t, err, store.ErrUnavailable)
	}
}

// PutEventually repeats Put until the server has carried it out. ErrConflict
// says that it carried out an attempt whose answer was lost.
func PutEventually(t *testing.T, s store.Store, r store.Record) {
	t.Helper()
	if r.Expires.IsZero() {
		r.Expires = in(life)
	}
	Until(t, func() bool {
		_, err := s.Put(t.Context(), r)
		if err != nil && !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("Put during an outage = %v, want ErrUnavailable", err)
		}
		return err == nil || errors.Is(err, store.ErrConflict)
	})
}

// CheckRestart kills the server of s and starts it again. It checks that the
// outage is a fault and no miss, and that it ends without a new Store.
func CheckRestart(t *testing.T, s store.Store, kill, start func()) {
	t.Helper()
	events := Observe(t, s)
	events.Await(t, store.Synced)
	r := Put(t, s, store.Record{Key: "key"})
	kill()
	events.Await(t, store.Lost)
	Until(t, func() bool { // a cache answers until the driver has noticed
		_, err := s.Get(t.Context(), "key")
		return err != nil
	})
	CheckOutage(t, s, r)
	start()
	PutEventually(t, s, r)
	events.Await(t, store.Synced)
	PutEventually(t, s, store.Record{Key: "after"})
	events.Await(t, store.Changed)
}

// CheckConfigError checks that Open failed with all of the given words, and
// without the password of the test, which is hunter2.
func CheckConfigError(t *testing.T, opened io.Closer, err error, words ...string) {
	t.Helper()
	if err == nil {
		_ = opened.Close()
		t.Fatalf("Open = nil, want an error with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("Open = %v, want %q in it", err, word)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Open = %v, want no password in it", err)
	}
}
