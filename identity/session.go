package identity

import (
	"context"
	"fmt"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// A Session is a user who has signed in: the token, and the State that gets new
// tokens without a password if a refresh token is lost. Package vault makes an
// entry of it: vault.NewEntry(client, session).
//
// No formatting verb, logger or text encoder shows its secrets. Its Token alone
// does show them: do not print that.
type Session struct {
	*oauth2.Token

	// State is the IdentityServer's session. It is empty if the server set no
	// cookie.
	State State

	// Account is the account that signed in. It is empty after a second factor
	// whose answer does not name it.
	Account Account

	// Issuer and Subject identify the user (OIDC Core section 2): they are the
	// verified claims iss and sub of the ID token.
	Issuer, Subject string
}

// Login signs in with email and password: [Client.SignIn] and [SignIn.Finish] in
// one call.
//
// Errors: those of the two calls; *[SecondFactorError], which wraps
// ErrSecondFactorRequired, for an account with a second factor;
// ErrMisconfigured, without a request, for core_ib and lk, the platform's
// machine clients, which have no authorization codes.
func (c *Client) Login(ctx context.Context, email, password string) (*Session, error) {
	if c.IsMachine() {
		e := fail("sign in", tokenapi.ErrMisconfigured, "Config.ClientID is "+c.config.ClientID+", a machine's client, which no person signs in with")
		e.Advice = "call MachineToMachineSignIn, or use a Keeper"
		return nil, e
	}
	s, err := c.SignIn(ctx, email, password)
	switch {
	case err != nil:
		return nil, err
	case s.SecondFactor != nil:
		return nil, &SecondFactorError{SignIn: s, Err: fail("sign in", tokenapi.ErrSecondFactorRequired, "")}
	}
	return s.Finish(ctx)
}

// Finish calls [SignIn.Authorize], [SignIn.RetrieveToken] and [SignIn.State].
//
// Errors: those of the first two calls, such as ErrSecondFactorRequired.
func (s *SignIn) Finish(ctx context.Context) (*Session, error) {
	token, err := s.token(ctx)
	if err != nil {
		return nil, err
	}
	state, err := s.State()
	if err != nil {
		state = State{} // the server set no cookie: the session cannot be resumed
	}
	return &Session{Token: token, State: state, Account: s.Account, Issuer: s.client.config.Issuer, Subject: s.subject}, nil
}

// token calls Authorize and RetrieveToken.
func (s *SignIn) token(ctx context.Context) (*oauth2.Token, error) {
	code, err := s.Authorize(ctx)
	if err != nil {
		return nil, err
	}
	return s.RetrieveToken(ctx, code)
}

// Entry returns the parts of an entry of package vault: the owner, which is the
// issuer and the subject, the token, and the State in the clear, or nil if that
// is empty.
func (s *Session) Entry() (owner string, token *oauth2.Token, state []byte) {
	if !s.State.IsZero() {
		state, _ = s.State.MarshalBinary() // its error is always nil
	}
	return s.Issuer + " " + s.Subject, s.Token, state
}

// Format prints the user's subject and issuer only, for every verb.
func (s Session) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "identity.Session(%s at %s)", s.Subject, s.Issuer)
}

// MarshalText returns "[redacted]", for JSON and other encoders of text.
func (s Session) MarshalText() ([]byte, error) { return []byte(tokenapi.Redacted), nil }

// A SecondFactorError is the error of [Client.Login] for an account with a
// second factor. Its SignIn goes on with [SignIn.VerifySecondFactor] and
// [SignIn.Finish], so that the password is sent once.
type SecondFactorError struct {
	SignIn *SignIn
	Err    error // a *tokenapi.Error that wraps tokenapi.ErrSecondFactorRequired
}

// Error returns the text of Err.
func (e *SecondFactorError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *SecondFactorError) Unwrap() error { return e.Err }
