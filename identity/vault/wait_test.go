package vault

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/memstore"
)

// A caller whose entry is deleted just after the renewal has stored its token
// gets no token.
func TestDeletedAfterTheRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := memstore.New()
		defer func() { _ = disk.Close() }()
		v, err := New(Config{Store: disk, Keys: []Key{NewKey("1")}, Refreshers: map[string]Refresher{"spa": &slowServer{}}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = v.Close(t.Context()) }()
		entry := Entry{Client: "spa", Token: &oauth2.Token{AccessToken: "a", RefreshToken: "r", Expiry: time.Now().Add(time.Minute)}}
		if err := v.Put(t.Context(), "k", entry); err != nil {
			t.Fatal(err)
		}
		e := v.cached("k")
		if _, err := v.Delete(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		renewed := &renewal{done: make(chan struct{})}
		close(renewed.done)
		for range 50 { // await may hear of either first
			if err := e.await(t.Context(), renewed, nil); !errors.Is(err, ErrNotFound) {
				t.Fatalf("await = %v, want %v", err, ErrNotFound)
			}
		}
	})
}
