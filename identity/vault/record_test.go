package vault

import (
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
)

// The store keeps the extras that Entry names, and no others.
func TestExtrasAreKept(t *testing.T) {
	disk, key := memstore.New(), NewKey("a")
	end := time.Now().Add(6 * time.Hour)
	e := secretEntry()
	e.Token = e.Token.WithExtra(map[string]any{"id_token": "1d-token", "scope": "openid", "refresh_expiry": end, "other": "gone"})
	if err := openVault(t, disk, key).Put(t.Context(), "k", e); err != nil {
		t.Fatal(err)
	}
	v := openVault(t, disk, key)
	token, err := v.Token(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if kept := v.entries.Get("k").snapshot.Load().stored.Value.IDToken; kept != "" {
		t.Errorf("ID token in memory = %q, want none", kept)
	}
	if got, ok := token.Extra("refresh_expiry").(time.Time); !ok || !got.Equal(end) {
		t.Errorf("refresh_expiry = %v, want %v", token.Extra("refresh_expiry"), end)
	}
	if token.Extra("id_token") != nil || token.Extra("scope") != "openid" || token.Extra("other") != nil {
		t.Errorf("id_token = %v, scope = %v, other = %v, want none, openid and none", token.Extra("id_token"), token.Extra("scope"), token.Extra("other"))
	}
}

// A refresh_expiry of another type, or a zero one, is not kept.
func TestExtrasOfAnotherType(t *testing.T) {
	for _, token := range []*oauth2.Token{
		secretEntry().Token,
		secretEntry().Token.WithExtra(map[string]any{"refresh_expiry": "2030-01-01T00:00:00Z"}),
		secretEntry().Token.WithExtra(map[string]any{"refresh_expiry": time.Time{}}),
	} {
		v := openVault(t, memstore.New(), NewKey("a"))
		if err := v.Put(t.Context(), "k", Entry{Client: "spa", Token: token}); err != nil {
			t.Fatal(err)
		}
		got, err := v.Token(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		if kept := got.Extra("refresh_expiry"); kept != nil {
			t.Errorf("refresh_expiry = %v, want none", kept)
		}
	}
}

// A record without a refresh_expiry, as earlier versions stored it, is readable.
func TestRecordsWithoutRefreshExpiry(t *testing.T) {
	disk, key := memstore.New(), NewKey("a")
	v := openVault(t, disk, key)
	place := placeOf("k")
	const plain = `{"o":"0wner","c":"spa","a":"acce55","r":"refre5h","i":"1d-token","b":"2020-01-01T00:00:00Z","u":"2100-01-01T00:00:00Z","g":3}`
	sealed := mustSealer(t, key).Seal(place, []byte(plain))
	if _, err := disk.Put(t.Context(), store.Record{Key: place, Value: sealed, Expires: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	token, err := v.Token(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	idToken, err := v.IDToken(t.Context(), "k")
	if err != nil || token.RefreshToken != "refre5h" || idToken.Reveal() != "1d-token" || token.Extra("refresh_expiry") != nil {
		t.Errorf("refresh token = %q, ID token = %q, %v, refresh_expiry = %v, want refre5h, 1d-token, nil and none",
			token.RefreshToken, idToken.Reveal(), err, token.Extra("refresh_expiry"))
	}
}
