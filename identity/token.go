package identity

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/internal/jwt"
	"b2trader.identity.auth/identity/tokenapi"
)

// RetrieveToken exchanges the code of the last Authorize for tokens at
// /identity/connect/token (RFC 6749 section 4.1.3) and verifies the ID token
// (OIDC Core section 3.1.3.7), which is required. It sends a code once, even if
// the request fails.
//
// The token has the extras id_token and scope. Its Expiry counts from the
// moment the request was sent.
//
// Errors: ErrGrantRefused, without a request if there is no unused code;
// ErrMisconfigured; ErrUnavailable; ErrUnusableAnswer.
func (s *SignIn) RetrieveToken(ctx context.Context, code string) (*oauth2.Token, error) {
	const op = "retrieve token"
	if s.request == nil || code == "" {
		return nil, fail(op, tokenapi.ErrGrantRefused, "there is no unused code: call Authorize first")
	}
	request := s.request
	s.request = nil
	c := s.client
	x := c.exchange(op, code, request.verifier)
	token, err := c.retrieve(ctx, x, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.config.RedirectURL}, "code_verifier": {request.verifier},
	})
	if err != nil {
		return nil, err
	}
	id, err := c.verifyIDToken(ctx, idToken(token), token.AccessToken)
	if err == nil {
		err = checkNonce(id, request.nonce)
	}
	if err != nil {
		return nil, x.badIDToken(err)
	}
	s.subject = id.Subject
	return httpx.Inherit(token, c.requested()), nil
}

// RefreshToken exchanges a refresh token, which works once, for new tokens (RFC
// 6749 section 6). Store them before you use them. It does not know the user of
// the old tokens: prefer [Client.Refresh], which does and compares.
//
// Errors: those of [Client.Refresh].
func (c *Client) RefreshToken(ctx context.Context, refreshToken string) (*oauth2.Token, error) {
	return c.Refresh(ctx, &oauth2.Token{RefreshToken: refreshToken})
}

// Refresh exchanges the refresh token of old for new tokens. A client with a
// secret authenticates. A refresh token, ID token or scope that the answer
// leaves out stays as it is in old. A new ID token must be for the same user
// (OIDC Core section 12.2). If the keys to verify it are unavailable, or lack the
// key that it names, the new tokens are returned with the old ID token, because
// the refresh token is used up.
//
// The request is never repeated. After an error with Sent set, the server may
// have used up the refresh token.
//
// Errors: ErrGrantRefused, also if old has no refresh token; ErrMisconfigured;
// ErrUnavailable; ErrUnusableAnswer, which also wraps ErrGrantRefused if the
// new ID token is invalid, because the old refresh token is then used up.
func (c *Client) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	call, err := c.peer.Refreshing(old)
	if err != nil {
		return nil, err
	}
	x := &exchange{call}
	x.Secrets = append(x.Secrets, c.credentials()...)
	token, err := c.retrieve(ctx, x, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.RefreshToken}})
	if err != nil {
		return nil, err
	}
	if idToken(token) == "" {
		return httpx.Inherit(token, old), nil
	}
	_, err = c.verifyIDToken(ctx, idToken(token), token.AccessToken)
	unjudged := isUnavailable(err) || mayBeNewer(err)
	if err != nil && !unjudged {
		return nil, x.spent(x.badIDToken(err))
	}
	if err := checkRefreshed(idToken(token), idToken(old)); err != nil { // the answer mixes users up, whatever its signature is
		return nil, x.spent(x.Unusable(err.Error()))
	}
	if unjudged {
		token = token.WithExtra(map[string]any{"scope": token.Extra("scope")})
	}
	return httpx.Inherit(token, old), nil
}

// MachineToMachineSignIn signs a machine's account in by the resource owner
// password credentials grant (RFC 6749 section 4.3), for core_ib and lk.
//
// Do not use it for people: "The resource owner password credentials grant MUST
// NOT be used" (RFC 9700 section 2.4). It is here because the platform offers
// its machine clients no other grant, and it works only for a client with a
// secret. The platform sends no ID token; if one comes, it is verified.
//
// Errors: ErrBadCredentials, ErrMisconfigured, ErrUnavailable,
// ErrUnusableAnswer.
func (c *Client) MachineToMachineSignIn(ctx context.Context, email, password string) (*oauth2.Token, error) {
	const op = "machine-to-machine sign in"
	if c.config.ClientSecret.IsZero() {
		return nil, fail(op, tokenapi.ErrMisconfigured, "Config.ClientSecret is missing: only a client with a secret may sign in this way")
	}
	x := c.exchange(op, password, email)
	token, err := c.retrieve(ctx, x, url.Values{
		"grant_type": {"password"}, "username": {email}, "password": {password}, "scope": {c.requestedScope()},
	})
	if e, ok := errors.AsType[*tokenapi.Error](err); ok && errors.Is(e, tokenapi.ErrGrantRefused) {
		e.Err = tokenapi.ErrBadCredentials
	}
	if err != nil {
		return nil, err
	}
	if raw := idToken(token); raw != "" {
		if _, err := c.verifyIDToken(ctx, raw, token.AccessToken); err != nil {
			return nil, x.badIDToken(err)
		}
	}
	return httpx.Inherit(token, c.requested()), nil
}

// retrieve sends one token request.
func (c *Client) retrieve(ctx context.Context, x *exchange, form url.Values) (*oauth2.Token, error) {
	header := c.authenticate(form)
	return x.Retrieve(ctx, httpx.Grant{
		URL: c.endpoint("/identity/connect/token"), Form: form, Header: header, Lifetime: c.config.DefaultLifetime,
	}, httpx.OAuth)
}

func (c *Client) requestedScope() string { return strings.Join(c.config.Scopes, " ") }

// requested returns the extras of a token whose answer does not name them: the
// server grants the requested scope (RFC 6749 section 5.1).
func (c *Client) requested() *oauth2.Token {
	return new(oauth2.Token).WithExtra(map[string]any{"scope": c.requestedScope()})
}

func idToken(token *oauth2.Token) string {
	raw, _ := token.Extra("id_token").(string)
	return raw
}

// spent adds ErrGrantRefused to an unusable answer that used up the refresh
// token.
func (x *exchange) spent(e *tokenapi.Error) *tokenapi.Error {
	e.Err = httpx.Because(e.Err, tokenapi.ErrGrantRefused)
	return e
}

// badIDToken returns the error of an answer whose ID token cannot be verified.
func (x *exchange) badIDToken(err error) *tokenapi.Error {
	e := unverified(x.Op, err)
	if errors.Is(e, tokenapi.ErrUnusableAnswer) {
		unusable := x.Unusable("the ID token is invalid: " + err.Error())
		unusable.RetryAfter = e.RetryAfter
		return unusable
	}
	e.Path, e.StatusCode, e.Sent = x.Path, x.Last.StatusCode, true // of the answer that cannot be judged
	return e
}

// mayBeNewer reports whether a token may be signed by a key newer than the key
// set, which was fetched moments ago.
func mayBeNewer(err error) bool {
	_, ok := errors.AsType[*jwt.SignatureError](err)
	return ok
}
