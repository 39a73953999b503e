package b2core_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// broker is the URL of a B2Core without a socket.
const broker = "https://my.broker.example"

// newServer returns a B2Core without a socket.
func newServer(t testing.TB, config b2coretest.Config) *b2coretest.Server {
	t.Helper()
	return clienttest.New(t, b2coretest.New, config)
}

// newClient returns a client of server and its session.
func newClient(t testing.TB, server *b2coretest.Server, changes ...func(*b2core.Config)) *b2core.Client {
	t.Helper()
	config := b2core.Config{URL: broker, Bearer: server.Bearer, HTTP: tokenapi.HTTP{Transport: server.Transport()}}
	return clienttest.New(t, b2core.New, config, changes...)
}

// open returns a B2Core and a client of it.
func open(t testing.TB, changes ...func(*b2core.Config)) (*b2coretest.Server, *b2core.Client) {
	t.Helper()
	server := newServer(t, b2coretest.Config{})
	return server, newClient(t, server, changes...)
}

// inBubble runs f with a B2Core and a client of it on virtual time.
func inBubble(t *testing.T, f func(t *testing.T, server *b2coretest.Server, client *b2core.Client), changes ...func(*b2core.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, client := open(t, changes...)
		f(t, server, client)
	})
}

func withBearer(bearer tokenapi.Source) func(*b2core.Config) {
	return func(c *b2core.Config) { c.Bearer = bearer }
}

// signIn returns a token that the API accepts.
func signIn(t testing.TB, server *b2coretest.Server, client *b2core.Client) *oauth2.Token {
	t.Helper()
	token, err := client.SignIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	accepts(t, server, token)
	return token
}

// accepts checks that B2Trader's API accepts the token.
func accepts(t testing.TB, server *b2coretest.Server, token *oauth2.Token) {
	t.Helper()
	if status := account(t, server, token.AccessToken); status != http.StatusOK {
		t.Errorf("the API answers %d, want 200", status)
	}
}

// account returns the status of B2Trader's API for a token.
func account(t testing.TB, server *b2coretest.Server, token string) int {
	t.Helper()
	return clienttest.Send(t, server.Server, http.MethodGet, broker+b2coretest.APIPath, "", "Authorization", "Bearer "+token).Status
}

// refresh returns the successor of old, which the API accepts.
func refresh(t testing.TB, server *b2coretest.Server, client *b2core.Client, old *oauth2.Token) *oauth2.Token {
	t.Helper()
	token, err := client.Refresh(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	accepts(t, server, token)
	return token
}

// asked checks how many requests the two endpoints got.
func asked(t testing.TB, server *b2coretest.Server, auth, refresh int) {
	t.Helper()
	if a, r := server.Count(b2coretest.EndpointAuth), server.Count(b2coretest.EndpointRefresh); a != auth || r != refresh {
		t.Errorf("auth got %d requests and refresh %d, want %d and %d", a, r, auth, refresh)
	}
}

// always injects f into both endpoints, for every request.
func always(server *b2coretest.Server, f apitest.Fault) {
	f.Times = -1
	server.Inject(b2coretest.EndpointAuth, f)
	server.Inject(b2coretest.EndpointRefresh, f)
}

// wantError checks that err is b2core's and wraps want, and returns it.
func wantError(t testing.TB, err, want error) *tokenapi.Error {
	t.Helper()
	return clienttest.WantError(t, "b2core", err, want)
}

// calls are the two operations.
var calls = map[string]struct {
	endpoint apitest.Endpoint
	call     func(ctx context.Context, client *b2core.Client, old *oauth2.Token) (*oauth2.Token, error)
}{
	"sign in": {b2coretest.EndpointAuth, func(ctx context.Context, client *b2core.Client, _ *oauth2.Token) (*oauth2.Token, error) {
		return client.SignIn(ctx)
	}},
	"refresh token": {b2coretest.EndpointRefresh, func(ctx context.Context, client *b2core.Client, old *oauth2.Token) (*oauth2.Token, error) {
		return client.Refresh(ctx, old)
	}},
}
