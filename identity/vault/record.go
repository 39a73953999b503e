package vault

import (
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/records"
)

// A record is an entry as it is stored. Its times are by the store's clock.
type record struct {
	Owner      string    `json:"o"`
	Client     string    `json:"c"`
	Access     string    `json:"a,omitempty"`
	Refresh    string    `json:"r,omitempty"`
	RefreshEnd time.Time `json:"x,omitzero"` // of the refresh token
	Type       string    `json:"t,omitempty"`
	IDToken    string    `json:"i,omitempty"`
	Scope      string    `json:"s,omitempty"`
	Issued     time.Time `json:"b"` // when the request for the token was sent, or the token was put
	Expiry     time.Time `json:"e,omitzero"`
	Until      time.Time `json:"u"`
	Generation int       `json:"g"`           // of the token; a successor's is one higher
	State      []byte    `json:"z,omitempty"` // the IdentityServer's session, for Resume
	Ended      bool      `json:"d,omitempty"` // the server refused the token: the vault asks it no more
	Taken      time.Time `json:"k,omitzero"`  // if set, the entry is being deleted: until then by one caller of Delete
	Lease      *lease    `json:"l,omitempty"` // of the process that renews the token; nil: none
}

// recordCodec stores records as JSON. The ID token does not stay in memory: it
// is as long as the access token, and few calls need it.
func recordCodec() records.Codec[record] {
	codec := records.JSON[record]()
	codec.Keep = func(r record) record { r.IDToken = ""; return r }
	codec.Complete = func(kept, older record) record { kept.IDToken = older.IDToken; return kept }
	return codec
}

// newRecord returns the record of an entry that is put now, a time by the
// store's clock, which is ahead of this process's.
func newRecord(e Entry, now time.Time, ahead time.Duration) record {
	r := record{Owner: e.Owner, Client: e.Client, State: e.State, Until: shifted(e.Until, ahead)}
	return r.with(e.Token, now, ahead)
}

// with returns the record with another token, issued at a time by the store's
// clock, which is ahead of this process's, and without a lease.
func (r record) with(token *oauth2.Token, issued time.Time, ahead time.Duration) record {
	r.Access, r.Refresh, r.Type = token.AccessToken, token.RefreshToken, token.TokenType
	r.Issued, r.Expiry = issued, shifted(token.Expiry, ahead)
	r.IDToken, _ = token.Extra("id_token").(string)
	r.Scope, _ = token.Extra("scope").(string)
	end, _ := token.Extra("refresh_expiry").(time.Time)
	r.RefreshEnd = shifted(end, ahead)
	r.Lease = nil
	return r
}

// over returns why no token of the entry may be served, or nil: ErrNotFound if
// it is being deleted, ErrEnded if it has ended.
func (r *record) over() error {
	switch {
	case !r.Taken.IsZero():
		return ErrNotFound
	case r.Ended:
		return ErrEnded
	}
	return nil
}

// ended returns the record of an entry that has ended, without any token.
func (r record) ended() record {
	return record{Owner: r.Owner, Client: r.Client, Until: r.Until, Issued: r.Issued, Generation: r.Generation, Ended: true}
}

// token returns the token with its times by this process's clock, which the
// store's is ahead of.
func (r record) token(ahead time.Duration) *oauth2.Token {
	t := &oauth2.Token{AccessToken: r.Access, RefreshToken: r.Refresh, TokenType: r.Type, Expiry: shifted(r.Expiry, -ahead)}
	extras := map[string]any{}
	if r.IDToken != "" {
		extras["id_token"] = r.IDToken
	}
	if r.Scope != "" {
		extras["scope"] = r.Scope
	}
	if !r.RefreshEnd.IsZero() {
		extras["refresh_expiry"] = shifted(r.RefreshEnd, -ahead)
	}
	return t.WithExtra(extras)
}

func (r record) entry(ahead time.Duration) Entry {
	return Entry{Owner: r.Owner, Client: r.Client, Token: r.token(ahead), State: r.State, Until: shifted(r.Until, -ahead)}
}
