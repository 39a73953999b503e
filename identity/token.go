package identity

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
)

// RetrieveToken exchanges the code of the last Authorize for tokens at /identity/connect/token (RFC 6749 section 4.1.3),
// and verifies the ID token (OIDC Core section 3.1.3.7), which is required. A code is sent once, whatever comes of it.
//
// The token carries id_token and scope as extras. Its Expiry is reckoned from the moment the request was sent.
//
// Errors: ErrGrantRefused, without a request if there is no code to spend; ErrMisconfigured; ErrUnavailable;
// ErrUnusableAnswer.
func (s *SignIn) RetrieveToken(ctx context.Context, code string) (*oauth2.Token, error) {
	const op = "retrieve token"
	if s.request == nil || code == "" {
		return nil, fail(op, ErrGrantRefused, "no authorized code is left to retrieve a token for")
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

// RefreshToken exchanges a refresh token, which works once, for new tokens (RFC 6749 section 6). Nobody but the caller
// then knows them: store them before they are used. It cannot tell whose tokens the old ones were;
// prefer [Client.Refresh], which can.
//
// Errors: as [Client.Refresh].
func (c *Client) RefreshToken(ctx context.Context, refreshToken string) (*oauth2.Token, error) {
	return c.Refresh(ctx, &oauth2.Token{RefreshToken: refreshToken})
}

// Refresh exchanges the refresh token of old for new tokens. A client with a secret authenticates. What the answer leaves
// out (refresh token, ID token, scope) stays as it is in old. A new ID token must be for the same user
// (OIDC Core section 12.2). If only the signing keys cannot be had to verify it, the new tokens are
// returned with the old ID token, for the refresh token is spent.
//
// The request is never repeated. After an error with Sent set, the server may have spent the refresh token.
//
// Errors: ErrGrantRefused, also if old has no refresh token; ErrMisconfigured; ErrUnavailable; ErrUnusableAnswer, together
// with ErrGrantRefused if the new ID token is refused, for the old refresh token is then of no more use.
func (c *Client) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	const op = "refresh token"
	if old == nil || old.RefreshToken == "" {
		return nil, fail(op, ErrGrantRefused, "there is no refresh token")
	}
	x := c.exchange(op, old.RefreshToken)
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
	id, err := c.verifyIDToken(ctx, token.idToken, token.AccessToken)
	switch {
	case errors.Is(err, errKeysUnavailable), errors.Is(err, ErrUnavailable):
		token.idToken = ""
	case err != nil:
		return nil, x.spent(x.badIDToken(err))
	case !sameUser(id, oldIDToken):
		return nil, x.spent(x.Unusable("the new ID token is for another user"))
	}
	return token.withExtras(oldIDToken, oldScope), nil
}

// MachineToMachineSignIn signs a machine's account in by the resource owner password credentials grant
// (RFC 6749 section 4.3), for core_ib and lk.
//
// Do not build on it for people: "The resource owner password credentials grant MUST NOT be used" (RFC 9700 section 2.4).
// The platform offers its machine clients no other grant, so it is here, and only for a client that has a secret.
// The answer holds no ID token on the platform; one that comes is verified.
//
// Errors: ErrBadCredentials, ErrMisconfigured, ErrUnavailable, ErrUnusableAnswer.
func (c *Client) MachineToMachineSignIn(ctx context.Context, email, password string) (*oauth2.Token, error) {
	const op = "machine-to-machine sign in"
	if c.config.ClientSecret.IsZero() {
		return nil, fail(op, ErrMisconfigured, "only a client with a secret may use it")
	}
	x := c.exchange(op, password)
	token, err := x.retrieve(c, func() (*oauth2.Token, error) {
		return c.oauth2().PasswordCredentialsToken(x.Context(ctx), email, password)
	})
	if e, ok := errors.AsType[*Error](err); ok && errors.Is(e, ErrGrantRefused) {
		e.Err = ErrBadCredentials
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

// spent marks an answer that cannot be used and cost the refresh token: nothing will come of it any more.
func (x *exchange) spent(e *Error) *Error {
	e.Err = httpx.Because(e.Err, ErrGrantRefused)
	return e
}

// tokenAnswer is a token response with its extras apart, so that they can be completed.
type tokenAnswer struct {
	*oauth2.Token
	idToken, scope string
}

// withExtras returns the token with its extras, and the given ones where the answer has none.
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

// retrieve runs one token request and takes the extras of its answer apart.
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

func (x *exchange) badIDToken(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if errors.Is(err, errKeysUnavailable) {
		return x.Refusal(httpx.Because(ErrUnavailable, err), httpx.Problem{})
	}
	return x.Unusable("the ID token is refused: " + err.Error())
}
