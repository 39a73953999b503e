package identity_test

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// A sample user without a second factor.
const (
	email    = "trader@example.com"
	password = "trader-password"
)

// newClient returns a client of srv. The changes apply to its Config.
func newClient(t testing.TB, srv *identitytest.Server, id string, changes ...func(*identity.Config)) *identity.Client {
	t.Helper()
	config := identity.Config{URL: srv.URL(), ClientID: id}
	for _, c := range identitytest.SampleClients() {
		if c.ID == id {
			config.ClientSecret = tokenapi.NewSecret(c.Secret)
		}
	}
	for _, change := range changes {
		change(&config)
	}
	client, err := identity.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// start returns a server and its spa client.
func start(t testing.TB, changes ...func(*identity.Config)) (*identitytest.Server, *identity.Client) {
	t.Helper()
	srv := identitytest.Start(t, identitytest.Config{})
	return srv, newClient(t, srv, identity.ClientSPA, changes...)
}

func login(t testing.TB, client *identity.Client) *oauth2.Token {
	t.Helper()
	session, err := client.Login(t.Context(), email, password)
	if err != nil {
		t.Fatal(err)
	}
	return session.Token
}

func signIn(t testing.TB, client *identity.Client) *identity.SignIn {
	t.Helper()
	s, err := client.SignIn(t.Context(), email, password)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantError checks that err is an *tokenapi.Error that wraps want, and returns
// it.
func wantError(t testing.TB, err, want error) *tokenapi.Error {
	t.Helper()
	e, ok := errors.AsType[*tokenapi.Error](err)
	if !ok || !errors.Is(err, want) {
		t.Fatalf("got the error %v, want an *tokenapi.Error that is %q", err, want)
	}
	return e
}

// wantCount checks how many requests the endpoint received.
func wantCount(t testing.TB, srv *identitytest.Server, e identitytest.Endpoint, want int) {
	t.Helper()
	if got := srv.Count(e); got != want {
		t.Errorf("%s received %d requests, want %d", e, got, want)
	}
}

func contains(s, part string) bool { return strings.Contains(s, part) }

func extra(token *oauth2.Token, name string) string {
	s, _ := token.Extra(name).(string)
	return s
}
