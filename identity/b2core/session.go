package b2core

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// ErrRecaptcha means that the installation asks for a reCAPTCHA, which only a
// person in a browser can solve. It accompanies tokenapi.ErrMisconfigured. The
// other errors of a [SessionClient] are those of package tokenapi.
var ErrRecaptcha = errors.New("B2Core asks for a reCAPTCHA, which no program can solve")

// A Session is a user who has signed in to B2Core: the token that a [Client]
// shows as its bearer. Package vault makes an entry of it:
// vault.NewEntry(client, session).
//
// No formatting verb, logger or text encoder shows its secrets. Its Token alone
// does show them: do not print that.
type Session struct {
	*oauth2.Token

	// Email is the user's e-mail address, as it was sent.
	Email string

	url string // B2Core's
}

// Entry returns the parts of an entry of package vault: the owner, which is
// B2Core's URL and the e-mail address, and the token. There is no state: B2Core
// documents no way to get tokens again without the password.
func (s *Session) Entry() (owner string, token *oauth2.Token, state []byte) {
	return s.url + " " + s.Email, s.Token, nil
}

// Format prints B2Core's URL only, for every verb.
func (s Session) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.Session(%s)", system, s.url)
}

// MarshalText returns "[redacted]", for JSON and other encoders of text.
func (s Session) MarshalText() ([]byte, error) { return []byte(tokenapi.Redacted), nil }

// Login signs a user in: [SessionClient.SignIn] and [SignIn.Session] in one
// call.
//
// Errors: those of SignIn; *[SecondFactorError], which wraps
// ErrSecondFactorRequired, for an account with a second factor.
func (c *SessionClient) Login(ctx context.Context, email, password string) (*Session, error) {
	s, err := c.SignIn(ctx, email, password)
	if err != nil {
		return nil, err
	}
	session, err := s.Session()
	if err != nil {
		return nil, &SecondFactorError{SignIn: s, Err: err}
	}
	return session, nil
}

// Session returns the user who has signed in. It sends nothing.
//
// Errors: ErrSecondFactorRequired while SecondFactor is non-nil.
func (s *SignIn) Session() (*Session, error) {
	if s.token == nil {
		e := &tokenapi.Error{System: system, Op: "sign in", Err: tokenapi.ErrSecondFactorRequired}
		if s.SecondFactor != nil && s.SecondFactor.Provider == "" {
			e.Advice = "call ChooseSecondFactor with one of the providers, then VerifySecondFactor with the user's one-time code"
		}
		return nil, e
	}
	return &Session{Token: s.token, Email: s.email, url: s.client.peer.Base.String()}, nil
}

// A SecondFactorError is the error of [SessionClient.Login] for an account with
// a second factor. Its SignIn goes on with [SignIn.VerifySecondFactor] and
// [SignIn.Session], so that the password is sent once.
type SecondFactorError struct {
	SignIn *SignIn
	Err    error // a *tokenapi.Error that wraps tokenapi.ErrSecondFactorRequired
}

// Error returns the text of Err.
func (e *SecondFactorError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *SecondFactorError) Unwrap() error { return e.Err }

// SignOut ends the session of an access token: POST …/signout. The token must
// be valid. Whether B2Core also revokes the tokens of B2Trader is unknown; this
// package assumes that they live until they expire.
//
// Errors: ErrNotSignedIn if B2Core does not accept the access token, or without
// a request if it is empty; ErrMisconfigured; ErrUnavailable; ErrUnusableAnswer.
func (c *SessionClient) SignOut(ctx context.Context, accessToken string) error {
	_, err := c.show(ctx, "sign out", httpx.Request{URL: c.peer.URL(c.config.SignOutPath)}, accessToken)
	return err
}
