package web

import (
	"cmp"
	"context"
	"crypto/rand"

	"b2trader.identity.auth/identity/vault"
)

// signInResult is the result of a sign-in: the user of the session, and the
// entry for the vault.
type signInResult struct {
	user  user
	entry vault.Entry

	refused bool // the tokens have the scope BackOffice, and the user is no administrator
}

// retrieve gets and verifies the tokens of a sign-in.
func (s *signInPages) retrieve(ctx context.Context, p *pendingSignIn) (signInResult, error) {
	code, err := p.SignIn.Authorize(ctx)
	if err != nil {
		return signInResult{}, err
	}
	token, err := p.SignIn.RetrieveToken(ctx, code)
	if err != nil {
		return signInResult{}, err
	}
	id, err := p.Client.VerifyIDToken(ctx, token)
	if err != nil {
		return signInResult{}, err
	}
	scope, _ := token.Extra("scope").(string)
	idToken, _ := token.Extra("id_token").(string)
	u := user{
		Owner: id.Issuer + " " + id.Subject, Issuer: id.Issuer, Subject: id.Subject, IdentityID: identityID(id),
		Client: p.Client.ID(), VaultKey: rand.Text(),
		Nickname: p.SignIn.Account.Nickname, Email: cmp.Or(p.SignIn.Account.Email, p.Email), AccountID: p.SignIn.Account.ID,
		Administrator: s.administrators.isOf(idToken, scope),
		SignedIn:      s.sessions.Now(),
	}
	// The vault drops the tokens if the sweep, which comes first and revokes
	// them, did not end the session.
	until := s.config.Now().Add(s.config.AbsoluteTimeout + 5*sweepEvery)
	entry := vault.Entry{Owner: u.Owner, Client: u.Client, Token: token, State: s.stateToKeep(p), Until: until}
	refused := hasScope(scope, backOfficeScope) && !u.Administrator && s.config.BackOffice.Users != AllUsers
	return signInResult{user: u, entry: entry, refused: refused}, nil
}

// stateToKeep returns the session at the IdentityServer, which the vault uses if
// a refresh token was lost, and which a sign-out ends. It returns nil if there
// is none, or Config.ForgetIdentitySession is set.
func (s *signInPages) stateToKeep(p *pendingSignIn) []byte {
	if s.config.ForgetIdentitySession {
		return nil
	}
	state, err := p.SignIn.State()
	if err != nil {
		return nil
	}
	raw, _ := state.MarshalBinary() // its error is always nil
	return raw
}
