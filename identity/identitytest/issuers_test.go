package identitytest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

// A token that was issued at one host is good at the others: behind a gateway
// the APIs have another host than the IdentityServer.
// field 3
func TestTokensAreGoodAtEveryHost(t *testing.T) {
	b := start(t, identitytest.Config{})
	answer := b.login("trader@example.com", "spa")
	other := b.another()
	other.base = strings.Replace(b.base, "127.0.0.1", "localhost", 1)
	if other.base == b.base {
		t.Fatalf("the server's URL is %s", b.base)
	}
	wantEqual(t, "status of the API", other.account(answer.AccessToken), http.StatusOK)
	wantEqual(t, "status of userinfo", other.get("/identity/connect/userinfo", bearer(answer.AccessToken)...).status, http.StatusOK)
	wantEqual(t, "status of the API for an ID token", other.account(answer.IDToken), http.StatusUnauthorized)
	wantEqual(t, "status of sign-out", other.postJSON(signOutPath, `{}`, bearer(answer.AccessToken)...).status, http.StatusOK)
	wantEqual(t, "the refresh token works", b.refreshes(answer.RefreshToken), false)

	other.signIn("trader@example.com")
	got := other.get(endSessionPath + "?" + url.Values{"id_token_hint": {answer.IDToken}}.Encode())
	if !strings.Contains(got.header.Get("Location"), "logoutId=") {
		t.Errorf("the hint of another host leads to %s, want a logoutId", got.header.Get("Location"))
	}
}
