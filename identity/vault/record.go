package vault

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
)

// A record is an entry as it is stored, sealed.
type record struct {
	Owner      string    `json:"o"`
	Client     string    `json:"c"`
	Access     string    `json:"a,omitempty"`
	Refresh    string    `json:"r,omitempty"`
	RefreshEnd time.Time `json:"x,omitzero"` // of the refresh token
	Type       string    `json:"t,omitempty"`
	IDToken    string    `json:"i,omitempty"`
	Scope      string    `json:"s,omitempty"`
	Issued     time.Time `json:"b"`
	Expiry     time.Time `json:"e,omitzero"`
	Until      time.Time `json:"u"`
	Generation int       `json:"g"`           // of the token: a successor has one more
	State      []byte    `json:"z,omitempty"` // the IdentityServer's session, for Resume
	Dead       bool      `json:"d,omitempty"` // the server refused the token: no more calls
	Lease      *lease    `json:"l,omitempty"` // who renews the token just now
}

// A lease lets its holder renew the token. Every write of a record is a compare-and-swap on its version, so a holder that was
// paused past its lease notices at its next write.
type lease struct {
	Holder string    `json:"h"`
	Until  time.Time `json:"u"`
}

func newRecord(e Entry, now time.Time) record {
	r := record{Owner: e.Owner, Client: e.Client, State: e.State, Until: e.Until}
	return r.with(e.Token, now)
}

// with returns the record with another token, and without a lease.
func (r record) with(token *oauth2.Token, now time.Time) record {
	r.Access, r.Refresh, r.Type, r.Expiry, r.Issued = token.AccessToken, token.RefreshToken, token.TokenType, token.Expiry, now
	r.IDToken, _ = token.Extra("id_token").(string)
	r.Scope, _ = token.Extra("scope").(string)
	r.RefreshEnd, _ = token.Extra("refresh_expiry").(time.Time)
	r.Lease = nil
	return r
}

// dead returns what is kept of an entry that the server refused: that it did.
func (r record) dead() record {
	return record{Owner: r.Owner, Client: r.Client, Until: r.Until, Issued: r.Issued, Generation: r.Generation, Dead: true}
}

func (r record) token() *oauth2.Token {
	t := &oauth2.Token{AccessToken: r.Access, RefreshToken: r.Refresh, TokenType: r.Type, Expiry: r.Expiry}
	extras := map[string]any{}
	if r.IDToken != "" {
		extras["id_token"] = r.IDToken
	}
	if r.Scope != "" {
		extras["scope"] = r.Scope
	}
	if !r.RefreshEnd.IsZero() {
		extras["refresh_expiry"] = r.RefreshEnd
	}
	return t.WithExtra(extras)
}

func (r record) entry() Entry {
	return Entry{Owner: r.Owner, Client: r.Client, Token: r.token(), State: r.State, Until: r.Until}
}

// A shelf is the vault's part of a store: sealed records under hashed keys and owners, so that a dump tells
// neither tokens nor whose they are.
type shelf struct {
	store  store.Store
	sealer *Sealer
	prefix string
}

// place is where the record of key is.
func (s *shelf) place(key string) string { return s.prefix + hashed(key) }

func hashed(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (s *shelf) get(ctx context.Context, place string) (record, uint64, error) {
	raw, err := s.store.Get(ctx, place)
	if err != nil {
		return record{}, 0, err
	}
	r, err := s.decode(raw)
	return r, raw.Version, err
}

func (s *shelf) decode(raw store.Record) (record, error) {
	plain, err := s.sealer.Open(raw.Key, raw.Value)
	if err != nil {
		return record{}, err
	}
	var r record
	if err := json.Unmarshal(plain, &r); err != nil {
		return record{}, records.ErrUnreadable
	}
	return r, nil
}

// put replaces the record of that version, or creates it for version 0.
func (s *shelf) put(ctx context.Context, place string, r record, version uint64) (uint64, error) {
	plain, err := json.Marshal(r)
	if err != nil {
		return 0, fmt.Errorf("vault: encode the record: %w", err)
	}
	return s.store.Put(ctx, store.Record{
		Key: place, Owner: s.prefix + hashed(r.Owner), Version: version, Value: s.sealer.Seal(place, plain), Expires: r.Until,
	})
}

// gone reports whether there is no record any more.
func gone(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDeleted)
}
