// Package clienttest is the suite that the clients of all token APIs share.
//
// # Use
//
// A client's test describes the client as a [Subject] and runs the suite's
// parts on it: [Exchanges] for how it sends requests, [Answers] and
// [Lifetimes] for how it reads answers, and [FuzzAnswers]. [Configs] tests its
// New. The rest are helpers for the tests of one client or of its test server.
package clienttest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
)

// An Operation is one call of a client C that sends one request.
type Operation[C any] struct {
	Name    string   // as its errors have it
	Path    string   // of the request, below the client's URL
	Secrets []string // of the request
	Call    func(ctx context.Context, t testing.TB, client C) (*oauth2.Token, error)

	// MayLackToken says that Call may succeed without a token.
	MayLackToken bool

	// Again are the statuses after which the operation sends another request.
	Again []int
}

// A Subject is the client C of a token API.
type Subject[C any] struct {
	System     string
	New        func(t testing.TB, http tokenapi.HTTP, url string) C
	Operations []Operation[C]

	// Body returns a good answer to each operation, without a lifetime. The
	// tokens are JSON.
	Body func(access, refresh string) string

	// Own is an error of the client beside those of package tokenapi. Nil: none.
	Own error

	// Life is the life of an access token whose answer has no lifetime.
	Life time.Duration
}

// peer is the URL of an API without a socket, and anything its only endpoint.
const (
	peer                      = "https://api.example"
	anything apitest.Endpoint = "anything"
)

// unavailable returns an API that answers 503.
func unavailable() *apitest.Server {
	server := apitest.New(apitest.Config{Name: "clienttest"})
	server.Handle("/*", anything, func(x *apitest.Exchange) { x.Status(http.StatusServiceUnavailable) })
	return server
}

// call runs the operation and checks that it returns a token or an error.
func (s Subject[C]) call(ctx context.Context, t testing.TB, op Operation[C], client C) (*oauth2.Token, error) {
	t.Helper()
	token, err := op.Call(ctx, t, client)
	if (token != nil) == (err != nil) && (token != nil || !op.MayLackToken) {
		t.Errorf("%s = token %v, error %v, want one of them", op.Name, token != nil, err)
	}
	return token, err
}

// wantError checks that err is the operation's, wraps want, and shows the
// path of its URL, but neither the query nor its secrets.
func (s Subject[C]) wantError(t testing.TB, op Operation[C], err, want error) *tokenapi.Error {
	t.Helper()
	e := WantError(t, s.System, err, want)
	if got, want := e.Outcome().Kind, outcome(e); e.Op != op.Name || got != want {
		t.Errorf("%s: got %v of the kind %v, want %v", op.Name, e, got, want)
	}
	if e.Path != "" && e.Path != op.Path || strings.Contains(err.Error(), op.Path+"?") {
		t.Errorf("%s: got %v with the path %q, want the path %q without the query", op.Name, err, e.Path, op.Path)
	}
	Hides(t, err, op.Secrets...)
	return e
}

// outcome returns the kind of Outcome that an error must have.
func outcome(e *tokenapi.Error) tokenapi.OutcomeKind {
	switch {
	case errors.Is(e, tokenapi.ErrGrantRefused), errors.Is(e, tokenapi.ErrNotSignedIn):
		return tokenapi.Refused
	case errors.Is(e, tokenapi.ErrMisconfigured):
		return tokenapi.Misconfigured
	case !errors.Is(e, tokenapi.ErrUnavailable):
		return tokenapi.Transient
	case !e.Sent:
		return tokenapi.NotSent
	case e.StatusCode == 0:
		return tokenapi.Unanswered
	}
	return tokenapi.Transient
}
