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

// The sweep does not forget an entry that is being renewed, although its token
// expired long ago: the next caller would send the refresh token again.
func TestEntryStaysInMemoryDuringItsRenewal(t *testing.T) {
	server := &slowServer{takes: 10 * time.Second}
	inHookedLeases(t, server, &putHook{around: direct}, func(t *testing.T, _, other *Vault) {
		<-time.After(15*time.Minute - 5*time.Second) // the sweep comes in 5 seconds
		first := make(chan error, 1)
		go func() {
			_, err := other.Token(t.Context(), "k")
			first <- err
		}()
		<-time.After(6 * time.Second)
		_, err := other.Token(t.Context(), "k")
		if err := errors.Join(err, <-first); err != nil || server.requests != 1 {
			t.Errorf("%d requests, %v; want 1 for both callers", server.requests, err)
		}
	})
}
