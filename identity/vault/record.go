package vault

import (
	"time"

	"golang.org/x/oauth2"
)

// A record is an entry as it is stored.
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
	Generation int       `json:"g"`           // of the token; a successor's is one higher
	State      []byte    `json:"z,omitempty"` // the IdentityServer's session, for Resume
	Ended      bool      `json:"d,omitempty"` // the server refused the token: the vault asks it no more
	Lease      *lease    `json:"l,omitempty"` // of the process that renews the token; nil: none
}

func newRecord(e Entry, now time.Time) record {
	r := record{Owner: e.Owner, Client: e.Client, State: e.State, Until: e.Until}
	return r.with(e.Token, now)
}

// with returns the record with another token and without a lease.
func (r record) with(token *oauth2.Token, now time.Time) record {
	r.Access, r.Refresh, r.Type, r.Expiry, r.Issued = token.AccessToken, token.RefreshToken, token.TokenType, token.Expiry, now
	r.IDToken, _ = token.Extra("id_token").(string)
	r.Scope, _ = token.Extra("scope").(string)
	r.RefreshEnd, _ = token.Extra("refresh_expiry").(time.Time)
	r.Lease = nil
	return r
}

// ended returns the record of an entry that has ended, without any token.
func (r record) ended() record {
	return record{Owner: r.Owner, Client: r.Client, Until: r.Until, Issued: r.Issued, Generation: r.Generation, Ended: true}
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
