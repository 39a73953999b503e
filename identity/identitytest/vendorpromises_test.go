package identitytest_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

var unauthorizedBody = regexp.MustCompile(`^\{"type":"https://tools\.ietf\.org/html/rfc7235#section-3\.1","title":"Unauthorized","status":401,"traceId":"00-[0-9a-f]{32}-[0-9a-f]{16}-00"\}$`)

func wantUnauthorized(t *testing.T, got response) {
	t.Helper()
	wantEqual(t, "status", got.status, http.StatusUnauthorized)
	wantEqual(t, "Content-Type", got.header.Get("Content-Type"), "application/problem+json; charset=utf-8")
	if !unauthorizedBody.MatchString(got.body) {
		t.Errorf("body is %s, want the README's ProblemDetails", got.body)
	}
}

// A refused code is answered as the README of the npm package shows.
// field 3
func TestRefusedCodeIsProblemDetails(t *testing.T) {
	t.Run("used", func(t *testing.T) {
		b := start(t, identitytest.Config{})
		b.signIn("trader@example.com")
		form := b.codeForm(b.code("spa"))
		b.token(form, basic("spa")...)
		wantUnauthorized(t, b.postForm(tokenPath, form, basic("spa")...))
	})
	t.Run("the other errors are stock", func(t *testing.T) {
		b := start(t, identitytest.Config{})
		b.signIn("trader@example.com")
		form := b.codeForm(b.code("spa"))
		wantTokenError(t, b.postForm(tokenPath, form, basic("nobody")...), "invalid_client", "")
		wantTokenError(t, b.postForm(tokenPath, with(form, "redirect_uri", ""), basic("spa")...), "unauthorized_client", "")
		wantTokenError(t, b.postForm(tokenPath, refreshForm("unknown"), basic("spa")...), "invalid_grant", "")
	})
}

// A client of authorization codes may leave its secret out. The npm package
// does when it refreshes.
// field 3
func TestCodeClientsMayLeaveTheirSecretOut(t *testing.T) {
	for _, strict := range []bool{false, true} {
		b := start(t, identitytest.Config{RequireClientSecret: strict})
		good := with(refreshForm(b.login("admin@example.com", "spa_admin").RefreshToken), "client_id", "spa_admin")
		wantTokenError(t, b.postForm(tokenPath, with(good, "client_secret", "wrong")), "invalid_client", "")
		revoke := url.Values{"client_id": {"spa_admin"}, "token": {"unknown"}}
		if strict {
			wantTokenError(t, b.postForm(tokenPath, good), "invalid_client", "")
			wantEqual(t, "a revocation without a secret", b.postForm(revocationPath, revoke).body, `{"error":"invalid_client"}`)
			b.token(good, basic("spa_admin")...)
			continue
		}
		b.token(good)
		wantEqual(t, "status of a revocation without a secret", b.postForm(revocationPath, revoke).status, http.StatusOK)
		b.signIn("admin@example.com")
		b.token(with(b.codeForm(b.code("spa_admin")), "client_id", "spa_admin"))
	}
}

// A machine's secret is required: no user signs in for it.
// field 3
func TestMachinesNeedTheirSecret(t *testing.T) {
	clients := append(identitytest.SampleClients(), identitytest.Client{
		ID: "both", Secret: "both-secret", Scopes: []string{"FrontOffice"},
		GrantTypes: []string{identitytest.GrantAuthorizationCode, identitytest.GrantClientCredentials},
	})
	b := start(t, identitytest.Config{Clients: clients})
	password := url.Values{"grant_type": {"password"}, "username": {"machine@example.com"}, "password": {"machine-password"}}
	for _, id := range []string{"core_ib", "lk"} {
		wantTokenError(t, b.postForm(tokenPath, with(password, "client_id", id)), "invalid_client", "")
	}
	wantTokenError(t, b.postForm(tokenPath, url.Values{"grant_type": {"client_credentials"}, "client_id": {"both"}}), "invalid_client", "")
}
