package tradevest_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// someone is the UUID of a natural person.
const someone = "123e4567-e89b-12d3-a456-426614174000"

// newServer returns a server without a socket.
func newServer(t testing.TB, config tradevesttest.Config) *tradevesttest.Server {
	t.Helper()
	return clienttest.New(t, tradevesttest.New, config)
}

// newClient returns the sample partner's client of server.
func newClient(t testing.TB, server *tradevesttest.Server, changes ...func(*tradevest.Config)) *tradevest.Client {
	t.Helper()
	config := tradevest.Config{
		ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(tradevesttest.SampleClientSecret),
		RequestorID: someone, HTTP: tokenapi.HTTP{Transport: server.Transport()},
	}
	return clienttest.New(t, tradevest.New, config, changes...)
}

// start returns a server and its client.
func start(t testing.TB, changes ...func(*tradevest.Config)) (*tradevesttest.Server, *tradevest.Client) {
	t.Helper()
	server := newServer(t, tradevesttest.Config{})
	return server, newClient(t, server, changes...)
}

func signIn(t testing.TB, client *tradevest.Client) *oauth2.Token {
	t.Helper()
	token, err := client.SignIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// wantError checks that err is a sign-in's and wraps want, and returns it.
func wantError(t testing.TB, err, want error) *tokenapi.Error {
	t.Helper()
	e := clienttest.WantError(t, "tradevest", err, want)
	if e.Op != "sign in" {
		t.Fatalf("got %v, want an error of sign in", e)
	}
	return e
}

// roundTripper is an http.RoundTripper that is a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A variableSecret is a client secret that can change. It counts its reads.
type variableSecret struct {
	mu    sync.Mutex
	value string
	err   error
	asked int
}

func (s *variableSecret) set(value string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value, s.err = value, err
}

func (s *variableSecret) get(context.Context) (tokenapi.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return tokenapi.NewSecret(s.value), s.err
}

func withSecret(s *variableSecret) func(*tradevest.Config) {
	return func(c *tradevest.Config) { c.ClientSecret = s.get }
}
