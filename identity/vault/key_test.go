package vault

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

// noRefresher fails the test if it is called.
type noRefresher struct{ *testing.T }

func (n noRefresher) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	n.Error("Refresh was called, want no renewal of a live token")
	return nil, errors.New("unreachable")
}

func openVault(t *testing.T, disk *memstore.Store, keys ...Key) *Vault {
	t.Helper()
	v, err := New(Config{Store: disk, Keys: keys, Refreshers: map[string]Refresher{"spa": noRefresher{t}}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close(context.Background()) })
	return v
}

func secretEntry() Entry {
	token := (&oauth2.Token{AccessToken: "acce55", RefreshToken: "refre5h", TokenType: "Bearer", Expiry: time.Now().Add(time.Hour)}).
		WithExtra(map[string]any{"id_token": "1d-token", "scope": "openid"})
	return Entry{Owner: "0wner", Client: "spa", Token: token, State: []byte("5tate")}
}

// req 73: a dump of the store is useless without the keys. I9
func TestDump(t *testing.T) {
	disk := memstore.New()
	v := openVault(t, disk, NewKey("a"))
	if err := v.Put(t.Context(), "the-key", secretEntry()); err != nil {
		t.Fatal(err)
	}
	r, err := disk.Get(t.Context(), placeOf("the-key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"acce55", "refre5h", "1d-token", "0wner", "5tate", "the-key", "spa"} {
		for _, part := range []string{r.Key, r.Owner, string(r.Value)} {
			if strings.Contains(part, secret) {
				t.Errorf("the store shows %q, want it sealed or hashed", secret)
			}
		}
	}
	again := openVault(t, disk, v.config.Keys...)
	e, err := again.Delete(t.Context(), "the-key")
	if err != nil || string(e.State) != "5tate" || e.Token.RefreshToken != "refre5h" || e.Token.Extra("id_token") != "1d-token" || e.Owner != "0wner" {
		t.Errorf("Delete with the key = the entry of %q, %v, want the entry that was put", e.Owner, err)
	}
}

// req 81: keys rotate without ending a session. Without its key, a record is a
// fault and not a missing session.
func TestKeyRotation(t *testing.T) {
	disk := memstore.New()
	old, next := NewKey("old"), NewKey("next")
	if err := openVault(t, disk, old).Put(t.Context(), "k", secretEntry()); err != nil {
		t.Fatal(err)
	}
	if _, err := openVault(t, disk, next, old).Token(t.Context(), "k"); err != nil {
		t.Errorf("Token with both keys = %v, want a token", err)
	}
	_, err := openVault(t, disk, next).Token(t.Context(), "k")
	if _, ok := errors.AsType[*UnavailableError](err); !ok || !errors.Is(err, records.ErrUnreadable) {
		t.Errorf("Token without the old key = %v, want an UnavailableError with %v", err, records.ErrUnreadable)
	}
	if err := openVault(t, disk, next, old).Put(t.Context(), "k", secretEntry()); err != nil {
		t.Fatal(err)
	}
	if _, err := openVault(t, disk, next).Token(t.Context(), "k"); err != nil {
		t.Errorf("Token of an entry that the new key sealed = %v, want a token", err)
	}
}
