package identity

import (
	"encoding/json"
	"errors"
	"fmt"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// maxPending bounds a PendingSignIn in bytes. The cookies of an IdentityServer
// are a few KB.
const maxPending = 64 << 10

// A PendingSignIn is a [SignIn] on its way to another process, such as between
// the password and the second factor: its cookies, the expected second factor,
// and the one-time values of an authorization request. It completes the sign-in
// without the password, so keep it secret. No formatting verb, logger or text
// encoder shows it; MarshalBinary does, for programs that seal it before they
// store it. The zero PendingSignIn is empty.
type PendingSignIn struct{ secret tokenapi.Secret }

type wirePending struct {
	Version      int           `json:"v"`
	Server       string        `json:"server"`
	Client       string        `json:"client"`
	Account      Account       `json:"account,omitzero"`
	SecondFactor *SecondFactor `json:"second,omitempty"`
	Subject      string        `json:"sub,omitempty"`
	Verifier     string        `json:"verifier,omitempty"` // of the authorization request, with State and Nonce
	State        string        `json:"state,omitempty"`
	Nonce        string        `json:"nonce,omitempty"`
	Cookies      []setCookie   `json:"cookies,omitempty"`
}

// Pending exports a sign-in for [Client.ContinueSignIn].
//
// Errors: ErrNotSignedIn if s was not made by [Client.SignIn]; ErrUnusableAnswer
// if what the server sent is over 64 KiB.
func (s *SignIn) Pending() (PendingSignIn, error) {
	const op = "export sign-in"
	if s.client == nil {
		return PendingSignIn{}, fail(op, tokenapi.ErrNotSignedIn, "")
	}
	w := wirePending{
		Version: 1, Server: s.client.peer.Base.String(), Client: s.client.ID(),
		Account: s.Account, SecondFactor: s.SecondFactor, Subject: s.subject, Cookies: s.jar.set,
	}
	if r := s.request; r != nil {
		w.Verifier, w.State, w.Nonce = r.verifier, r.state, r.nonce
	}
	raw, err := json.Marshal(w)
	if err != nil {
		return PendingSignIn{}, fail(op, httpx.Because(tokenapi.ErrUnusableAnswer, err), "")
	}
	if len(raw) > maxPending {
		return PendingSignIn{}, fail(op, tokenapi.ErrUnusableAnswer, "the server's cookies and texts are over 64 KiB")
	}
	return PendingSignIn{tokenapi.NewSecret(string(raw))}, nil
}

// ContinueSignIn returns the sign-in that [SignIn.Pending] exported, in this
// process or in another one. It sends nothing. The server accepts each step of a
// sign-in once: of several copies only one can be completed.
//
// Errors: ErrNotSignedIn if p is empty, or of another client or server.
func (c *Client) ContinueSignIn(p PendingSignIn) (*SignIn, error) {
	const op = "continue sign-in"
	var w wirePending
	switch {
	case json.Unmarshal([]byte(p.secret.Reveal()), &w) != nil:
		return nil, fail(op, tokenapi.ErrNotSignedIn, "the pending sign-in is empty")
	case w.Client != c.ID() || w.Server != c.peer.Base.String():
		return nil, fail(op, tokenapi.ErrNotSignedIn, "the sign-in is of another client or server")
	}
	s := c.newSignIn()
	s.Account, s.SecondFactor, s.subject = w.Account, w.SecondFactor, w.Subject
	if w.Verifier != "" {
		s.request = &authorizationRequest{verifier: w.Verifier, state: w.State, nonce: w.Nonce}
	}
	s.jar.restore(c.peer.Base, w.Cookies)
	return s, nil
}

// IsZero reports whether the PendingSignIn is empty.
func (p PendingSignIn) IsZero() bool { return p.secret.IsZero() }

// MarshalBinary returns the sign-in in the clear. Seal it.
func (p PendingSignIn) MarshalBinary() ([]byte, error) { return []byte(p.secret.Reveal()), nil }

// UnmarshalBinary restores a sign-in from the result of MarshalBinary.
func (p *PendingSignIn) UnmarshalBinary(data []byte) error {
	var w wirePending
	if len(data) > 0 && (json.Unmarshal(data, &w) != nil || w.Version != 1 || w.Client == "") {
		return errors.New("identity: not a PendingSignIn, or one of another version")
	}
	p.secret = tokenapi.NewSecret(string(data))
	return nil
}

// Format prints "[redacted]" for every verb.
func (p PendingSignIn) Format(f fmt.State, verb rune) { p.secret.Format(f, verb) }

// MarshalText returns "[redacted]", for JSON and other encoders of text.
func (p PendingSignIn) MarshalText() ([]byte, error) { return p.secret.MarshalText() }
