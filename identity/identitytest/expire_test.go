package identitytest_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// Every endpoint refuses an access token that ExpireTokens ended. Its
// successors and the tokens of other users stay valid.
func TestExpireTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{})
		admin := b.login("admin@example.com", "spa_admin")
		trader := b.another().login("trader@example.com", "spa")
		wait(time.Second) // a token of the same second would be the same
		b.server.ExpireTokens("Admin@example.com")
		b.server.ExpireTokens("nobody@example.com")

		statuses := func(when, token string, want int) {
			t.Helper()
			for _, path := range []string{accountPath, usersPath, "/identity/connect/userinfo"} {
				wantEqual(t, "status of "+path+" "+when, b.get(path, bearer(token)...).status, want)
			}
		}
		statuses("afterwards", admin.AccessToken, http.StatusUnauthorized)
		got := b.get(usersPath, bearer(admin.AccessToken)...)
		wantEqual(t, "WWW-Authenticate", got.header.Get("WWW-Authenticate"), `Bearer error="invalid_token", error_description="The token is expired"`)
		wantEqual(t, "status of another user", b.account(trader.AccessToken), http.StatusOK)

		next := b.token(refreshForm(admin.RefreshToken), basic("spa_admin")...)
		statuses("of the successor", next.AccessToken, http.StatusOK)
		statuses("of the one before", admin.AccessToken, http.StatusUnauthorized)
	})
}
