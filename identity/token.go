package identity

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

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
		return nil, &Error{Op: op, Err: ErrGrantRefused, Description: "no authorized code is left to retrieve a token for"}
	}
	request := s.request
	s.request = nil
	c := s.client
	x := c.exchange(op, code, request.verifier)
	token, err := x.retrieve(c, func() (*oauth2.Token, error) {
		return c.oauth2().Exchange(x.context(ctx), code, oauth2.VerifierOption(request.verifier))
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
	if old.RefreshToken == "" {
		return nil, &Error{Op: op, Err: ErrGrantRefused, Description: "there is no refresh token"}
	}
	x := c.exchange(op, old.RefreshToken)
	token, err := x.retrieve(c, func() (*oauth2.Token, error) {
		return c.oauth2().TokenSource(x.context(ctx), &oauth2.Token{RefreshToken: old.RefreshToken}).Token()
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
		return nil, x.spent(x.unusable("the new ID token is for another user"))
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
		return nil, &Error{Op: op, Err: ErrMisconfigured, Description: "only a client with a secret may use it"}
	}
	x := c.exchange(op, password)
	token, err := x.retrieve(c, func() (*oauth2.Token, error) {
		return c.oauth2().PasswordCredentialsToken(x.context(ctx), email, password)
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
	e.Err = because(e.Err, ErrGrantRefused)
	return e
}

// context hands x/oauth2 the client to use.
func (x *exchange) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, x.client(nil, nil))
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

// retrieve runs one token request and judges its answer.
func (x *exchange) retrieve(c *Client, request func() (*oauth2.Token, error)) (*tokenAnswer, error) {
	token, err := request()
	switch {
	case err != nil && x.Last.StatusCode == 0:
		return nil, x.fault(err)
	case x.Last.StatusCode/100 != 2, httpx.ParseProblem(x.Last.Body).Code != "": // some servers refuse with 200
		return nil, x.tokenRefusal()
	case !httpx.IsJSON(x.Last.Header.Get("Content-Type")), err != nil:
		return nil, x.unusable("the answer is not a token response (RFC 6749 section 5.1)")
	case !strings.EqualFold(token.TokenType, "Bearer"):
		return nil, x.unusable("token_type is not Bearer")
	case !headerSafe(token.AccessToken), !headerSafe(token.RefreshToken):
		return nil, x.unusable("a token holds characters that no token may hold")
	}
	lifetime := c.config.DefaultLifetime
	if token.Extra("expires_in") != nil {
		lifetime = max(0, time.Duration(token.ExpiresIn)*time.Second)
	}
	token.Expiry = x.Sent.Add(lifetime)
	answer := &tokenAnswer{Token: token}
	answer.idToken, _ = token.Extra("id_token").(string)
	answer.scope, _ = token.Extra("scope").(string)
	return answer, nil
}

// tokenRefusal classifies a refusal of the token endpoint, by RFC 6749 section 5.2 where it has a code. The npm README shows
// problem details with status 401 for a code that is not accepted.
func (x *exchange) tokenRefusal() *Error {
	problem := httpx.ParseProblem(x.Last.Body)
	switch status := x.Last.StatusCode; {
	case problem.Code == "invalid_grant":
		return x.refusal(ErrGrantRefused, problem)
	case misconfigured[problem.Code]:
		return x.refusal(ErrMisconfigured, problem)
	case later(status), problem.Code == "temporarily_unavailable", problem.Code == "server_error":
		return x.refusal(ErrUnavailable, problem)
	case status == 401 && problem != httpx.Problem{}:
		return x.refusal(ErrGrantRefused, problem)
	case status == 404:
		return x.refusal(ErrMisconfigured, problem)
	}
	return x.refusal(ErrUnusableAnswer, problem)
}

func (x *exchange) badIDToken(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if errors.Is(err, errKeysUnavailable) {
		return &Error{Op: x.Op, StatusCode: x.Last.StatusCode, Sent: true, Err: because(ErrUnavailable, err)}
	}
	return x.unusable("the ID token is refused: " + err.Error())
}

// headerSafe reports whether a token can stand in a header: "1*( %x20-7E )" without the space (RFC 6749 appendix A.12).
func headerSafe(token string) bool {
	return strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}
