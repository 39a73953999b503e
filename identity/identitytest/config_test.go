package identitytest_test

import (
	"fmt"
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
			{ID: "odd", Scopes: good.Scopes, GrantTypes: []string{"refresh_token", "magic"}, RedirectURIs: []string{"/done"}, PostLogoutRedirectURIs: []string{"bye"}, BackChannelLogoutURI: "/logout", AllowedCORSOrigins: []string{"https://a.example", "https://a.example/", "null", "*"}},
		},
	})
	const want = `identitytest: Config.Users[1] has the ID or the Email of an earlier one
identitytest: Config.Users[2] needs ID, Email and Password
identitytest: Config.Users[3] has a SecondFactorProvider but no SecondFactorCode
identitytest: Config.Clients[1] has the ID of an earlier one
identitytest: Config.Clients[2] needs an ID, and neither ID nor Secret over 100 characters
identitytest: Config.Clients[3] needs Scopes and GrantTypes
identitytest: Config.Clients[4] must not have the grant type refresh_token: the scope offline_access allows it
identitytest: Config.Clients[4] has the unknown grant type "magic"
identitytest: Config.Clients[4] has a redirect URI that is not absolute
identitytest: Config.Clients[4] has a post-logout redirect URI that is not absolute
identitytest: Config.Clients[4] has a BackChannelLogoutURI that is not absolute
identitytest: Config.Clients[4] has the AllowedCORSOrigins entry "https://a.example/", want a scheme and a host without a path
identitytest: Config.Clients[4] has the AllowedCORSOrigins entry "null", want a scheme and a host without a path
identitytest: Config.Clients[4] has the AllowedCORSOrigins entry "*", want a scheme and a host without a path
identitytest: Config.Issuer is not an absolute URL
identitytest: Config.AccessTokenLifetime is negative
identitytest: Config.IDTokenLifetime is not in whole seconds
identitytest: Config.AuthorizationCodeLifetime is negative
identitytest: Config.RefreshTokenLifetime is negative
identitytest: Config.SessionLifetime is negative
identitytest: Config.SignInFailureStatus is 200, want a status from 400 to 599`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// A printed server shows its name and no password.
func TestFormat(t *testing.T) {
	server, err := identitytest.New(identitytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%v %+v %#v", server, server, server); got != "identitytest.Server identitytest.Server identitytest.Server" {
		t.Errorf("printed %s", got)
	}
}

func TestEmptyUsersAndClientsAreNone(t *testing.T) {
	b := start(t, identitytest.Config{Users: []identitytest.User{}, Clients: []identitytest.Client{}})
	got := b.postJSON("/identity/sign-in", `{"email":"trader@example.com","password":"trader-password"}`)
	wantEqual(t, "status of sign-in", got.status, 400)
	b.authorize(b.authorizeParams("spa"))
	wantEqual(t, "problem", b.authorizeProblem(),
		"unauthorized_client: Unknown client or client not enabled")
}
