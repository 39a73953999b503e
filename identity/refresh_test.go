package identity_test

import (
	"net/http"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

func TestRefresh(t *testing.T) {
	srv, client := start(t)
	old := login(t, client)
	token, err := client.Refresh(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	if token.RefreshToken == old.RefreshToken || extra(token, "id_token") == "" || extra(token, "scope") != "openid FrontOffice offline_access" {
		t.Errorf("Refresh = a token of scope %q, want a new refresh token, an ID token and the scope", extra(token, "scope"))
	}
	_, err = client.RefreshToken(t.Context(), old.RefreshToken) // it works once
	wantError(t, err, tokenapi.ErrGrantRefused)
	if _, err := client.RefreshToken(t.Context(), token.RefreshToken); err != nil {
		t.Errorf("RefreshToken(successor) = %v, want a token", err)
	}
	_, err = client.RefreshToken(t.Context(), "")
	if e := wantError(t, err, tokenapi.ErrGrantRefused); e.Sent {
		t.Errorf("RefreshToken without a token = %#v, want it not sent", e)
	}
	if n := srv.Grants("refresh_token"); n != 3 {
		t.Errorf("got %d refresh requests for 3 tokens, want 3", n)
	}
}

// req 61, and the like for what else the answer may leave out.
func TestRefreshKeepsWhatTheAnswerLeavesOut(t *testing.T) {
	srv, client := start(t)
	old := login(t, client)
	srv.Inject(identitytest.EndpointToken, identitytest.Fault{Answer: func(f map[string]any) {
		delete(f, "refresh_token")
		delete(f, "id_token")
		delete(f, "scope")
	}})
	token, err := client.Refresh(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	if token.RefreshToken != old.RefreshToken || extra(token, "id_token") != extra(old, "id_token") || extra(token, "scope") != extra(old, "scope") {
		t.Error("Refresh dropped a refresh token, ID token or scope, want those of the old token")
	}
	if token.AccessToken == "" {
		t.Error("the access token is empty, want a new one")
	}
}

// req 45: same issuer, same subject, still for this client; and every other
// rule but the nonce.
func TestRefreshedIDTokens(t *testing.T) {
	for fault, says := range map[identitytest.IDTokenFault]string{
		identitytest.WrongAudience: "audience", identitytest.Expired: "expired", identitytest.OtherSubject: "another user",
	} {
		srv, client := start(t)
		old := login(t, client)
		srv.Inject(identitytest.EndpointToken, identitytest.Fault{IDToken: fault})
		token, err := client.Refresh(t.Context(), old)
		if e := wantError(t, err, tokenapi.ErrUnusableAnswer); token != nil || !contains(e.Description, says) || e.Outcome().Kind != tokenapi.Refused {
			t.Errorf("%s: Refresh = %v, want an error with %q of the kind refused", fault, err, says)
		}
	}
}

// An unreadable old ID token does not count as the same user.
func TestRefreshDoesNotBelieveABrokenOldIDToken(t *testing.T) {
	_, client := start(t)
	token := login(t, client)
	_, err := client.Refresh(t.Context(), token.WithExtra(map[string]any{"id_token": "a.b.c"}))
	wantError(t, err, tokenapi.ErrUnusableAnswer)
}

func TestMachineToMachineSignIn(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{})
	for id, scope := range map[string]string{identity.ClientCoreIB: "openid BackOffice offline_access", identity.ClientLK: "openid FrontOffice offline_access"} {
		client := newClient(t, srv, id)
		token, err := client.MachineToMachineSignIn(t.Context(), "machine@example.com", "machine-password")
		if err != nil {
			t.Fatalf("MachineToMachineSignIn(%s) = %v, want a token", id, err)
		}
		if extra(token, "scope") != scope || token.RefreshToken == "" {
			t.Errorf("%s got the scope %q, want %q and a refresh token", id, extra(token, "scope"), scope)
		}
		if token, err = client.Refresh(t.Context(), token); err != nil || token.AccessToken == "" {
			t.Errorf("Refresh(%s) = %v, want a token", id, err)
		}
		_, err = client.MachineToMachineSignIn(t.Context(), "machine@example.com", "wrong")
		if e := wantError(t, err, tokenapi.ErrBadCredentials); e.Code != "invalid_grant" || e.Description != "invalid_username_or_password" {
			t.Errorf("%s got %#v, want the code and the text of the server", id, e)
		}
	}
}

// req 22: the password grant is for clients with a secret, and the server's
// word on the grant is final.
func TestMachineToMachineSignInIsFenced(t *testing.T) {
	srv, client := start(t)
	_, err := client.MachineToMachineSignIn(t.Context(), email, password)
	if e := wantError(t, err, tokenapi.ErrMisconfigured); e.Sent {
		t.Error("a public client sent a password, want no request")
	}
	wantCount(t, srv, identitytest.EndpointToken, 0)
	_, err = newClient(t, srv, identity.ClientSPAAdmin).MachineToMachineSignIn(t.Context(), email, password)
	if e := wantError(t, err, tokenapi.ErrMisconfigured); e.Code != "unauthorized_client" {
		t.Errorf("got %#v, want the code unauthorized_client", e)
	}
	wrong := newClient(t, srv, identity.ClientLK, func(c *identity.Config) { c.ClientSecret = tokenapi.NewSecret("wrong") })
	_, err = wrong.MachineToMachineSignIn(t.Context(), email, password)
	if e := wantError(t, err, tokenapi.ErrMisconfigured); e.Code != "invalid_client" {
		t.Errorf("got %#v, want the code invalid_client", e)
	}
}

func TestMachineIDTokensAreVerified(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{})
	srv.Inject(identitytest.EndpointToken, identitytest.Fault{Answer: func(f map[string]any) { f["id_token"] = "a.b.c" }})
	_, err := newClient(t, srv, identity.ClientLK).MachineToMachineSignIn(t.Context(), "machine@example.com", "machine-password")
	wantError(t, err, tokenapi.ErrUnusableAnswer)
}

func TestSignOut(t *testing.T) {
	_, client := start(t)
	first, second, third := login(t, client), login(t, client), login(t, client)

	if err := client.SignOut(t.Context(), first.AccessToken, first.RefreshToken); err != nil {
		t.Fatal(err)
	}
	_, err := client.Refresh(t.Context(), first)
	wantError(t, err, tokenapi.ErrGrantRefused)
	if second, err = client.Refresh(t.Context(), second); err != nil {
		t.Fatalf("Refresh of another session = %v, want a token", err)
	}

	// field 24
	err = client.SignOut(t.Context(), second.AccessToken, "")
	if e := wantError(t, err, identity.ErrNoRefreshToken); e.Sent {
		t.Errorf("SignOut without a refresh token = %v, want no request", e)
	}
	if second, err = client.Refresh(t.Context(), second); err != nil {
		t.Fatalf("Refresh after a SignOut without a refresh token = %v, want a token", err)
	}
	if err := client.SignOutEverywhere(t.Context(), second.AccessToken); err != nil {
		t.Fatal(err)
	}
	for _, token := range []*oauth2.Token{second, third} {
		_, err = client.Refresh(t.Context(), token)
		wantError(t, err, tokenapi.ErrGrantRefused)
	}
}

func TestSignOutRefusals(t *testing.T) {
	srv, client := start(t)
	wantError(t, client.SignOut(t.Context(), "no token", "r"), tokenapi.ErrNotSignedIn) // would break the header
	wantError(t, client.SignOut(t.Context(), "", "r"), tokenapi.ErrNotSignedIn)
	wantError(t, client.SignOutEverywhere(t.Context(), ""), tokenapi.ErrNotSignedIn)
	wantCount(t, srv, identitytest.EndpointSignOut, 0)
	if e := wantError(t, client.SignOutEverywhere(t.Context(), "a.b.c"), tokenapi.ErrNotSignedIn); e.StatusCode != http.StatusUnauthorized || e.TraceID == "" {
		t.Errorf("got %#v, want status 401 and a trace", e)
	}
	for status, want := range map[int]error{ // field 9: of pages
		400: tokenapi.ErrUnavailable, 401: tokenapi.ErrUnavailable, 403: tokenapi.ErrUnavailable, 500: tokenapi.ErrUnavailable,
		404: tokenapi.ErrMisconfigured, 405: tokenapi.ErrMisconfigured,
	} {
		page := identitytest.Fault{Status: status, ContentType: "text/html", Body: []byte("<html>")}
		srv.Inject(identitytest.EndpointSignOut, page)
		wantError(t, client.SignOutEverywhere(t.Context(), "a.b.c"), want)
		srv.Inject(identitytest.EndpointRevocation, page)
		wantError(t, client.RevokeToken(t.Context(), "r"), want)
	}
	srv.Inject(identitytest.EndpointSignOut, identitytest.Fault{Status: 204})
	if err := client.SignOutEverywhere(t.Context(), "a.b.c"); err != nil { // no document states the success body
		t.Errorf("SignOutEverywhere(204) = %v, want nil", err)
	}
}
