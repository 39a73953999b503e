package identitytest_test

import (
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

func TestNewReportsEveryProblem(t *testing.T) {
	good := identitytest.SampleClients()[0]
	second := identitytest.SampleUsers()[0]
	second.Email = strings.ToUpper(second.Email)
	second.ID = "another"
	_, err := identitytest.New(identitytest.Config{
		Issuer:                    "identity-server/identity/",
		SignInFailureStatus:       200,
		AccessTokenLifetime:       -time.Second,
		IDTokenLifetime:           1500 * time.Millisecond,
		AuthorizationCodeLifetime: -1,
		RefreshTokenLifetime:      -1,
		SessionLifetime:           -1,
		Users: []identitytest.User{
			identitytest.SampleUsers()[0], second,
			{ID: "id", Email: "a@example.com"},
			{ID: "id2", Email: "b@example.com", Password: "p", SecondFactorProvider: "Email"},
		},
		Clients: []identitytest.Client{
			good, good,
			{ID: strings.Repeat("x", 101), Scopes: good.Scopes, GrantTypes: good.GrantTypes},
			{ID: "scopeless"},
			{ID: "odd", Scopes: good.Scopes, GrantTypes: []string{"refresh_token", "magic"}, RedirectURIs: []string{"/done"}},
		},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"bad Issuer", "bad SignInFailureStatus", "bad AccessTokenLifetime: negative",
		"bad IDTokenLifetime: not in whole seconds", "bad AuthorizationCodeLifetime",
		"bad RefreshTokenLifetime", "bad SessionLifetime", "bad Users[1]", "bad Users[2]", "bad Users[3]",
		"bad Clients[1]", "bad Clients[2]", "bad Clients[3]", "Clients[4]: refresh_token is not",
		`unknown grant type "magic"`, "Clients[4]: has a redirect URI",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported in:\n%v", want, err)
		}
	}
}

func TestZeroConfigIsTheSampleInstallation(t *testing.T) {
	b := start(t, identitytest.Config{})
	for _, u := range identitytest.SampleUsers() {
		b.another().signIn(u.Email)
	}
	wantEqual(t, "expires_in", b.login("trader@example.com", "spa").ExpiresIn, 30)
}

func TestEmptyUsersAndClientsAreNone(t *testing.T) {
	b := start(t, identitytest.Config{Users: []identitytest.User{}, Clients: []identitytest.Client{}})
	got := b.postJSON("/identity/sign-in", `{"email":"trader@example.com","password":"trader-password"}`)
	wantEqual(t, "status of sign-in", got.status, 400)
	b.authorize(b.authorizeParams("spa"))
	wantEqual(t, "problem", b.authorizeProblem(),
		"unauthorized_client: Unknown client or client not enabled")
}
