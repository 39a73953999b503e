package identity_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// Login returns all that a program needs to keep the user signed in.
func TestSession(t *testing.T) {
	_, client := start(t)
	session, err := client.Login(t.Context(), email, password)
	if err != nil {
		t.Fatal(err)
	}
	id, err := client.VerifyIDToken(t.Context(), session.Token)
	if err != nil || session.Subject != id.Subject || session.Issuer != id.Issuer || session.Account.Email != email ||
		session.Account.Nickname == "" || len(session.Account.ID) != 36 {
		t.Errorf("Login() = %v of %+v, want the user of the ID token (%v)", session, session.Account, err)
	}
	owner, token, state := session.Entry()
	if owner != id.Issuer+" "+id.Subject || token != session.Token || len(state) == 0 {
		t.Errorf("Entry() = %q, %v, %d bytes, want the user, the token and the State", owner, token == session.Token, len(state))
	}
	again, next, err := client.Resume(t.Context(), session.State)
	if err != nil || again.RefreshToken == session.RefreshToken || next.IsZero() {
		t.Errorf("Resume() = %v, want new tokens", err)
	}
	clienttest.Hides(t, session, session.AccessToken, session.RefreshToken, string(state))
	var cookies struct{ Cookies map[string]string }
	if err := json.Unmarshal(state, &cookies); err != nil || len(cookies.Cookies) == 0 {
		t.Fatalf("Unmarshal() of the State = %v, want its cookies", err)
	}
	for _, cookie := range cookies.Cookies {
		clienttest.Hides(t, session, cookie)
	}
}

// A server without a session of its own signs users in, too.
func TestSessionWithoutState(t *testing.T) {
	session := identity.Session{Issuer: "i", Subject: "s"}
	if owner, _, state := session.Entry(); owner != "i s" || state != nil {
		t.Errorf("Entry() = %q, %q, want no State", owner, state)
	}
}

// At a second factor Login returns the SignIn, so that the password is sent
// once.
func TestLoginAtASecondFactor(t *testing.T) {
	srv, client := start(t)
	session, err := client.Login(t.Context(), "guarded@example.com", "guarded-password")
	wantError(t, err, tokenapi.ErrSecondFactorRequired)
	e, ok := errors.AsType[*identity.SecondFactorError](err)
	if session != nil || !ok || e.SignIn.SecondFactor.Provider != "Email" || !strings.Contains(e.SignIn.SecondFactor.Message, "authentication code") {
		t.Fatalf("Login() = %v, want a SecondFactorError with the SignIn and the server's message", err)
	}
	clienttest.Hides(t, e, "guarded-password")
	if _, err := e.SignIn.Finish(t.Context()); !errors.Is(err, tokenapi.ErrSecondFactorRequired) {
		t.Errorf("Finish() before the code = %v, want tokenapi.ErrSecondFactorRequired", err)
	}
	wantError(t, e.SignIn.VerifySecondFactor(t.Context(), "000000"), tokenapi.ErrSecondFactorRefused)
	srv.Inject(identitytest.EndpointSignIn, identitytest.Fault{Status: 200, Body: []byte(`{"secondFactorRequired":true}`)})
	wantError(t, e.SignIn.VerifySecondFactor(t.Context(), "246810"), tokenapi.ErrSecondFactorRefused)
	if err := e.SignIn.VerifySecondFactor(t.Context(), "246810"); err != nil {
		t.Fatal(err)
	}
	session, err = e.SignIn.Finish(t.Context())
	if err != nil || !session.Valid() || session.State.IsZero() {
		t.Fatalf("Finish() = %v, want a session with its State", err)
	}
	wantError(t, e.SignIn.VerifySecondFactor(t.Context(), "246810"), tokenapi.ErrSecondFactorRefused)
	sent := 0
	for _, r := range srv.Requests(identitytest.EndpointSignIn) {
		if strings.Contains(string(r.Body), "guarded-password") {
			sent++
		}
	}
	if sent != 1 {
		t.Errorf("the password was sent %d times, want once", sent)
	}
}
