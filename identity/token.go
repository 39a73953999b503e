package identity

import (
	"cmp"
	"context"
	"errors"
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
	token, err := x.retrieve(c, func() (*oauth2.Token, error) {
		return c.oauth2().Exchange(x.Context(ctx), code, oauth2.VerifierOption(request.verifier))
	})
	if err != nil {
		return nil, err
	}
	id, err := c.verifyIDToken(ctx, token.idToken, token.AccessToken)
	if err == nil {
		err = checkNonce(id, request.nonce)
	}
	if err != nil {
		return nil, x.badIDToken(err)
	}
	s.subject = id.Subject
	return token.withExtras("", c.requestedScope()), nil
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
	const op = "refresh token"
	if old == nil || old.RefreshToken == "" {
		return nil, fail(op, tokenapi.ErrGrantRefused, "there is no refresh token")
	}
	x := c.patient().exchange(op, old.RefreshToken)
	token, err := x.retrieve(c, func() (*oauth2.Token, error) {
		return c.oauth2().TokenSource(x.Context(ctx), &oauth2.Token{RefreshToken: old.RefreshToken}).Token()
	})
	if err != nil {
		return nil, err
	}
	oldIDToken, _ := old.Extra("id_token").(string)
	oldScope, _ := old.Extra("scope").(string)
	if token.idToken == "" {
		return token.withExtras(oldIDToken, oldScope), nil
	}
	_, err = c.verifyIDToken(ctx, token.idToken, token.AccessToken)
	unjudged := isUnavailable(err) || mayBeNewer(err)
	if err != nil && !unjudged {
		return nil, x.spent(x.badIDToken(err))
	}
	if err := checkRefreshed(token.idToken, oldIDToken); err != nil { // the answer mixes users up, whatever its signature is
		return nil, x.spent(x.Unusable(err.Error()))
	}
	if unjudged {
		token.idToken = ""
	}
	return token.withExtras(oldIDToken, oldScope), nil
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
	token, err := x.retrieve(c, func() (*oauth2.Token, error) {
		return c.oauth2().PasswordCredentialsToken(x.Context(ctx), email, password)
	})
	if e, ok := errors.AsType[*tokenapi.Error](err); ok && errors.Is(e, tokenapi.ErrGrantRefused) {
		e.Err = tokenapi.ErrBadCredentials
	}
	if err != nil {
		return nil, err
	}
	if token.idToken != "" {
		if _, err := c.verifyIDToken(ctx, token.idToken, token.AccessToken); err != nil {
			return nil, x.badIDToken(err)
		}
	}
	return token.withExtras("", c.requestedScope()), nil
}

func (c *Client) requestedScope() string { return strings.Join(c.config.Scopes, " ") }

// spent adds ErrGrantRefused to an unusable answer that used up the refresh
// token.
func (x *exchange) spent(e *tokenapi.Error) *tokenapi.Error {
	e.Err = httpx.Because(e.Err, tokenapi.ErrGrantRefused)
	return e
}

// tokenAnswer is a token response with its extras in fields.
type tokenAnswer struct {
	*oauth2.Token
	idToken, scope string
}

// withExtras returns the token with its extras, or the given ones if the answer
// has none.
func (t *tokenAnswer) withExtras(idToken, scope string) *oauth2.Token {
	extras := map[string]any{}
	if v := cmp.Or(t.idToken, idToken); v != "" {
		extras["id_token"] = v
	}
	if v := cmp.Or(t.scope, scope); v != "" {
		extras["scope"] = v
	}
	return t.WithExtra(extras)
}

// retrieve runs one token request and reads the extras of its answer.
func (x *exchange) retrieve(c *Client, request func() (*oauth2.Token, error)) (*tokenAnswer, error) {
	token, err := x.Retrieve(httpx.OAuth, c.config.DefaultLifetime, request)
	if err != nil {
		return nil, err
	}
	answer := &tokenAnswer{Token: token}
	answer.idToken, _ = token.Extra("id_token").(string)
	answer.scope, _ = token.Extra("scope").(string)
	return answer, nil
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
