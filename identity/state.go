package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// A State is the session of a finished sign-in at the IdentityServer: its
// cookies and the user's subject. It signs in as that user until the session
// ends (10 hours on a stock IdentityServer), so keep it secret. No formatting
// verb, logger or text encoder shows it; MarshalBinary does, for programs that
// seal it before they store it. The zero State is empty.
type State struct{ secret tokenapi.Secret }

type wireState struct {
	Version int               `json:"v"`
	Subject string            `json:"sub"`
	Cookies map[string]string `json:"cookies"`
}

// State exports the IdentityServer's session of a sign-in, after RetrieveToken.
//
// Errors: ErrNotSignedIn before RetrieveToken, or if the server set no cookie.
func (s *SignIn) State() (State, error) {
	const op = "export state"
	if s.subject == "" {
		return State{}, fail(op, tokenapi.ErrNotSignedIn, "RetrieveToken has not been called")
	}
	w := wireState{Version: 1, Subject: s.subject, Cookies: map[string]string{}}
	authorize := *s.client.peer.Base
	authorize.Path += "/identity/connect/authorize"
	for _, cookie := range s.jar.Cookies(&authorize) {
		w.Cookies[cookie.Name] = cookie.Value
	}
	if len(w.Cookies) == 0 {
		return State{}, fail(op, tokenapi.ErrNotSignedIn, "the server set no cookie")
	}
	raw, _ := json.Marshal(w) // never fails for strings
	return State{tokenapi.NewSecret(string(raw))}, nil
}

// IsZero reports whether the State is empty.
func (s State) IsZero() bool { return s.secret.IsZero() }

// MarshalBinary returns the state in the clear. Seal it.
func (s State) MarshalBinary() ([]byte, error) { return []byte(s.secret.Reveal()), nil }

// UnmarshalBinary restores a state from the result of MarshalBinary.
func (s *State) UnmarshalBinary(data []byte) error {
	var w wireState
	if len(data) > 0 && (json.Unmarshal(data, &w) != nil || w.Version != 1 || w.Subject == "" || len(w.Cookies) == 0) {
		return errors.New("identity: not a State, or one of another version")
	}
	s.secret = tokenapi.NewSecret(string(data))
	return nil
}

// Format prints "[redacted]" for every verb.
func (s State) Format(f fmt.State, verb rune) { s.secret.Format(f, verb) }

// MarshalText returns "[redacted]", for JSON and other encoders of text.
func (s State) MarshalText() ([]byte, error) { return s.secret.MarshalText() }

// Resume retrieves new tokens in the session of a State, without a password,
// for programs whose refresh token was lost. It returns the State to keep from
// then on, because the server may renew its cookies.
//
// Errors: those of [SignIn.Authorize] and [SignIn.RetrieveToken];
// ErrNotSignedIn also if the session is now another user's.
func (c *Client) Resume(ctx context.Context, state State) (*oauth2.Token, State, error) {
	if state.IsZero() {
		return nil, State{}, fail("resume", tokenapi.ErrNotSignedIn, "the state is empty")
	}
	s := c.restore(state)
	subject := s.subject
	token, err := s.token(ctx)
	if err != nil {
		return nil, State{}, err
	}
	if s.subject != subject {
		return nil, State{}, fail("resume", tokenapi.ErrNotSignedIn, "the session is now another user's")
	}
	next, err := s.State()
	return token, next, err
}

// ResumeBinary is Resume for the result of [State.MarshalBinary]. It makes a
// Client a Resumer of package vault.
func (c *Client) ResumeBinary(ctx context.Context, state []byte) (*oauth2.Token, []byte, error) {
	var s State
	if err := s.UnmarshalBinary(state); err != nil {
		return nil, nil, fail("resume", httpx.Because(tokenapi.ErrNotSignedIn, err), "")
	}
	token, s, err := c.Resume(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	next, err := s.MarshalBinary()
	return token, next, err
}

// restore returns a SignIn with the cookies and subject of state.
func (c *Client) restore(state State) *SignIn {
	s := c.patient().newSignIn()
	var w wireState
	if json.Unmarshal([]byte(state.secret.Reveal()), &w) != nil {
		return s
	}
	var cookies []*http.Cookie
	for name, value := range w.Cookies {
		//nolint:gosec // our own jar does not need the attributes for browsers
		cookies = append(cookies, &http.Cookie{Name: name, Value: value, Path: c.peer.Base.EscapedPath() + "/identity"})
	}
	s.jar.SetCookies(c.peer.Base, cookies)
	s.subject = w.Subject
	return s
}
