package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
)

// A State is a finished sign-in's session at the IdentityServer: its cookies, and whose they are. Whoever holds it can
// sign in as that user until that session ends (10 hours on a stock IdentityServer). No formatting verb, logger or
// text encoder shows it; MarshalBinary gives it away, to be sealed before it is stored.
// Its zero value holds nothing.
type State struct{ secret Secret }

type wireState struct {
	Version int               `json:"v"`
	Subject string            `json:"sub"`
	Cookies map[string]string `json:"cookies"`
}

// State exports the session at the IdentityServer of a sign-in whose tokens have been retrieved.
//
// Errors: ErrNotSignedIn if they have not, or if the server set no cookie.
func (s *SignIn) State() (State, error) {
	const op = "export state"
	if s.subject == "" {
		return State{}, fail(op, ErrNotSignedIn, "no token was retrieved")
	}
	w := wireState{Version: 1, Subject: s.subject, Cookies: map[string]string{}}
	authorize := *s.client.server
	authorize.Path += "/identity/connect/authorize"
	for _, cookie := range s.jar.Cookies(&authorize) {
		w.Cookies[cookie.Name] = cookie.Value
	}
	if len(w.Cookies) == 0 {
		return State{}, fail(op, ErrNotSignedIn, "the server set no cookie")
	}
	raw, err := json.Marshal(w)
	if err != nil {
		return State{}, fail(op, httpx.Because(ErrUnusableAnswer, err), "")
	}
	return State{NewSecret(string(raw))}, nil
}

// IsZero reports whether there is nothing in it.
func (s State) IsZero() bool { return s.secret.IsZero() }

// MarshalBinary returns the state in the clear. Seal it.
func (s State) MarshalBinary() ([]byte, error) { return []byte(s.secret.Reveal()), nil }

// UnmarshalBinary takes back what MarshalBinary returned.
func (s *State) UnmarshalBinary(data []byte) error {
	var w wireState
	if len(data) > 0 && (json.Unmarshal(data, &w) != nil || w.Version != 1 || w.Subject == "" || len(w.Cookies) == 0) {
		return errors.New("identity: not a State, or one of another version")
	}
	s.secret = NewSecret(string(data))
	return nil
}

// Format prints "[redacted]" for every verb.
func (s State) Format(f fmt.State, verb rune) { s.secret.Format(f, verb) }

// MarshalText is what encoders of text, JSON among them, write: "[redacted]".
func (s State) MarshalText() ([]byte, error) { return s.secret.MarshalText() }

// Resume authorizes and retrieves tokens again under the session of a State, without a password: for when a
// refresh token was lost. It returns the state to keep from then on, for the server may renew its cookies.
//
// Errors: as [SignIn.Authorize] and [SignIn.RetrieveToken]; ErrNotSignedIn also if the session has become another user's.
func (c *Client) Resume(ctx context.Context, state State) (*oauth2.Token, State, error) {
	if state.IsZero() {
		return nil, State{}, fail("resume", ErrNotSignedIn, "the state is empty")
	}
	s := c.restore(state)
	subject := s.subject
	token, err := s.token(ctx)
	if err != nil {
		return nil, State{}, err
	}
	if s.subject != subject {
		return nil, State{}, fail("resume", ErrNotSignedIn, "the session is another user's")
	}
	next, err := s.State()
	return token, next, err
}

// ResumeBinary is Resume for a state in the form of [State.MarshalBinary], as package vault keeps it, sealed.
func (c *Client) ResumeBinary(ctx context.Context, state []byte) (*oauth2.Token, []byte, error) {
	var s State
	if err := s.UnmarshalBinary(state); err != nil {
		return nil, nil, fail("resume", httpx.Because(ErrNotSignedIn, err), "")
	}
	token, s, err := c.Resume(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	next, err := s.MarshalBinary()
	return token, next, err
}

// restore returns a SignIn in the session of state.
func (c *Client) restore(state State) *SignIn {
	s := c.newSignIn()
	var w wireState
	if json.Unmarshal([]byte(state.secret.Reveal()), &w) != nil {
		return s
	}
	var cookies []*http.Cookie
	for name, value := range w.Cookies {
		//nolint:gosec // for our own jar: these attributes tell a browser what to do
		cookies = append(cookies, &http.Cookie{Name: name, Value: value, Path: c.server.EscapedPath() + "/identity"})
	}
	s.jar.SetCookies(c.server, cookies)
	s.subject = w.Subject
	return s
}
