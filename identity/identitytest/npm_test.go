package identitytest_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/identitytest/npmclient"
)

var handle = regexp.MustCompile(`^[0-9a-f]{64}$`)

// The published npm package works against the server.
func TestNPMPackage(t *testing.T) {
	npm := npmclient.Install(t)
	t.Run("spa", func(t *testing.T) { testNPMSPA(t, npm) })
	t.Run("spa, one token signed out", func(t *testing.T) { testNPMSignOutOfOne(t, npm) })
	t.Run("spa, refused", func(t *testing.T) { testNPMRefused(t, npm) })
	t.Run("spa_admin", func(t *testing.T) { testNPMSPAAdmin(t, npm) })
	t.Run("spa_admin, strict", func(t *testing.T) { testNPMStrict(t, npm) })
	for _, client := range []string{"core_ib", "lk"} {
		t.Run(client, func(t *testing.T) { testNPMMachine(t, npm, client) })
	}
}

// wantTokens checks a token answer of the npm package.
func wantTokens(t *testing.T, got npmclient.Result, scope string, idToken bool) {
	t.Helper()
	wantEqual(t, got.Call+": scope", got.Text("scope"), scope)
	wantEqual(t, got.Call+": token_type", got.Text("token_type"), "Bearer")
	wantEqual(t, got.Call+": expires_in", got.Body["expires_in"], any(30.0))
	wantEqual(t, got.Call+": access token is a JWT", strings.Count(got.Text("access_token"), "."), 2)
	wantEqual(t, got.Call+": refresh token is a handle", handle.MatchString(got.Text("refresh_token")), true)
	wantEqual(t, got.Call+": has an ID token", strings.Count(got.Text("id_token"), ".") == 2, idToken)
}

func testNPMSPA(t *testing.T, npm *npmclient.Package) {
	b := start(t, identitytest.Config{})
	results := npm.Run(t, b.base, "spa", "",
		npmclient.SignIn("trader@example.com", "trader-password"), npmclient.Authorize(), npmclient.RetrieveToken(),
		npmclient.RefreshToken(), npmclient.SignOut(), npmclient.RefreshToken())
	signIn, code, first, second, signOut, last := results[0], results[1], results[2], results[3], results[4], results[5]
	wantEqual(t, "status of signIn", signIn.Status, http.StatusOK)
	wantEqual(t, "secondFactorRequired", signIn.Body["secondFactorRequired"], any(false))
	wantEqual(t, "the code is a handle", handle.MatchString(code.Value), true)
	wantTokens(t, first, "openid FrontOffice offline_access", true)
	wantEqual(t, "status of refreshToken", second.Status, http.StatusOK)
	wantTokens(t, second, "openid FrontOffice offline_access", true)
	wantEqual(t, "status of signOut", signOut.Status, http.StatusOK)
	wantEqual(t, "status of refreshToken after signOut", last.Status, http.StatusBadRequest)
	wantEqual(t, "error of refreshToken after signOut", last.Text("error"), "invalid_grant")
	wantEqual(t, "status of the access token, which lives on", b.account(second.Text("access_token")), http.StatusOK)

	// The cookies came back as raw Set-Cookie text, and the redirect was
	// followed.
	cookie := b.server.Requests(identitytest.EndpointAuthorize)[0].Header.Get("Cookie")
	if !strings.Contains(cookie, "httponly, idsrv.session=") {
		t.Error("the npm package no longer sends Set-Cookie text back")
	}
	wantEqual(t, "pages asked for", b.server.Count(identitytest.EndpointPage), 1)
	wantEqual(t, "page", b.server.Requests(identitytest.EndpointPage)[0].Path, "/identity/sign-in-done")
}

func testNPMSignOutOfOne(t *testing.T, npm *npmclient.Package) {
	b := start(t, identitytest.Config{})
	other := b.login("trader@example.com", "spa").RefreshToken
	results := npm.Run(t, b.base, "spa", "",
		npmclient.SignIn("trader@example.com", "trader-password"), npmclient.Authorize(), npmclient.RetrieveToken(),
		npmclient.SignOutOfOne(), npmclient.RefreshToken())
	wantEqual(t, "status of signOut", results[3].Status, http.StatusOK)
	wantEqual(t, "error of refreshToken after it", results[4].Text("error"), "invalid_grant")
	wantEqual(t, "the other token works", b.refreshes(other), true)
}

func testNPMRefused(t *testing.T, npm *npmclient.Package) {
	b := start(t, identitytest.Config{})
	results := npm.Run(t, b.base, "spa", "",
		npmclient.SignIn("trader@example.com", "wrong"), npmclient.AuthorizeWithoutCookies(), npmclient.RetrieveToken())
	wantEqual(t, "status of signIn", results[0].Status, http.StatusBadRequest)
	if _, ok := results[0].Body["errors"]; !ok {
		t.Errorf("signIn brought %v", results[0].Body)
	}
	wantEqual(t, "code", results[1].Value, "")
	wantEqual(t, "page", b.server.Requests(identitytest.EndpointPage)[0].Path, "/identity/unauthorized")
	wantEqual(t, "status of retrieveToken", results[2].Body["status"], any(401.0))
	wantEqual(t, "title of retrieveToken", results[2].Text("title"), "Unauthorized")
}

func testNPMSPAAdmin(t *testing.T, npm *npmclient.Package) {
	b := start(t, identitytest.Config{})
	results := npm.Run(t, b.base, "spa_admin", "spa_admin-secret",
		npmclient.SignIn("admin@example.com", "admin-password"), npmclient.Authorize(), npmclient.RetrieveToken(),
		npmclient.RefreshToken(), npmclient.SignOut())
	wantTokens(t, results[2], "openid FrontOffice BackOffice offline_access", true)
	// The package sends no secret here.
	wantTokens(t, results[3], "openid FrontOffice BackOffice offline_access", true)
	wantEqual(t, "status of signOut", results[4].Status, http.StatusOK)
}

// A strict server does not renew the token that came without a secret.
func testNPMStrict(t *testing.T, npm *npmclient.Package) {
	b := start(t, identitytest.Config{RequireClientSecret: true})
	results := npm.Run(t, b.base, "spa_admin", "spa_admin-secret",
		npmclient.SignIn("admin@example.com", "admin-password"), npmclient.Authorize(), npmclient.RetrieveToken(),
		npmclient.RefreshToken())
	wantEqual(t, "error of refreshToken", results[3].Text("error"), "invalid_client")
}

func testNPMMachine(t *testing.T, npm *npmclient.Package, client string) {
	b := start(t, identitytest.Config{})
	results := npm.Run(t, b.base, client, client+"-secret",
		npmclient.MachineToMachineSignIn("machine@example.com", "machine-password"), npmclient.SignOut(),
		npmclient.MachineToMachineSignIn("machine@example.com", "wrong"))
	scope := map[string]string{"core_ib": "openid BackOffice offline_access", "lk": "openid FrontOffice offline_access"}[client]
	wantEqual(t, "status", results[0].Status, http.StatusOK)
	wantTokens(t, results[0], scope, false)
	wantEqual(t, "status of signOut", results[1].Status, http.StatusOK)
	wantEqual(t, "error with a wrong password", results[2].Text("error_description"), "invalid_username_or_password")
}
