package b2core_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// A recorder records the refused tokens that a Source receives.
type recorder struct {
	source  tokenapi.Source
	refused []string
}

func (r *recorder) bearer(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
	if refused == nil {
		r.refused = append(r.refused, "")
	} else {
		r.refused = append(r.refused, refused.AccessToken)
	}
	return r.source(ctx, refused)
}

// shown returns the bearers that an endpoint received.
func shown(server *b2coretest.Server, endpoint apitest.Endpoint) []string {
	var bearers []string
	for _, r := range server.Requests(endpoint) {
		bearers = append(bearers, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}
	return bearers
}

// Each request asks for the bearer, and once more after a 401.
func TestBearerIsAskedFor(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	r := &recorder{source: server.Bearer}
	client := newClient(t, server, withBearer(r.bearer))
	token := signIn(t, server, client)
	token = refresh(t, server, client, token)
	if !slices.Equal(r.refused, []string{"", ""}) {
		t.Errorf("asked for a bearer with %q refused, want none refused", r.refused)
	}

	r.refused = nil
	server.ExpireBearers()
	signIn(t, server, client)
	showed := shown(server, b2coretest.EndpointAuth)
	if !slices.Equal(r.refused, []string{"", showed[0]}) || showed[1] != showed[0] || showed[2] == showed[1] {
		t.Errorf("asked with %q refused and showed %q, want the first bearer refused and then another", r.refused, showed)
	}

	r.refused = nil
	server.ExpireBearers()
	refresh(t, server, client, token) // refused by both endpoints, then another
	if !slices.Equal(r.refused, []string{"", "", showed[2]}) {
		t.Errorf("asked with %q refused, want the second bearer refused at the end", r.refused)
	}
	asked(t, server, 5, 2)
}

// A refused bearer is not shown again.
func TestBearerIsNotShownTwice(t *testing.T) {
	server, client := open(t, withBearer(b2core.StaticBearer("expired")))
	_, err := client.SignIn(t.Context())
	wantError(t, err, tokenapi.ErrNotSignedIn)
	asked(t, server, 1, 0)
}

// Only a 401 makes the client ask for another bearer.
func TestBearerIsReplacedAfter401Only(t *testing.T) {
	for _, status := range []int{400, 403, 404, 500, 503} {
		server := newServer(t, b2coretest.Config{})
		r := &recorder{source: server.Bearer}
		server.Inject(b2coretest.EndpointAuth, apitest.Fault{Status: status})
		if _, err := newClient(t, server, withBearer(r.bearer)).SignIn(t.Context()); err == nil || len(r.refused) != 1 {
			t.Errorf("%d: got %v after asking %d times, want an error after 1", status, err, len(r.refused))
		}
		asked(t, server, 1, 0)
	}
}

// The session has ended, whether a request was refused before or not.
func TestSessionHasEnded(t *testing.T) {
	server, client := open(t)
	old := signIn(t, server, client)
	kept, err := server.Bearer(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	server.EndSession()
	for op, o := range calls {
		token, err := o.call(t.Context(), client, old)
		e := wantError(t, err, tokenapi.ErrNotSignedIn)
		if token != nil || !errors.Is(err, b2coretest.ErrSessionEnded) || e.Outcome().Kind != tokenapi.Refused || e.Sent || e.Op != op {
			t.Errorf("%s: got %#v, want ErrSessionEnded, not sent", op, e)
		}
	}
	asked(t, server, 1, 0)

	late := newClient(t, server, withBearer(func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if refused == nil {
			return kept, nil
		}
		return server.Bearer(ctx, refused)
	}))
	_, err = late.Refresh(t.Context(), old)
	if e := wantError(t, err, tokenapi.ErrNotSignedIn); !errors.Is(err, b2coretest.ErrSessionEnded) || e.Outcome().Kind != tokenapi.Refused {
		t.Errorf("got %#v, want ErrSessionEnded", e)
	}
	asked(t, server, 2, 1)
}

// later is an error of a vault whose token is unavailable for a while.
type later struct{ error }

func (later) Outcome() tokenapi.Outcome { return tokenapi.Outcome{RetryAfter: 9 * time.Second} }
func (l later) Unwrap() error           { return l.error }

// A bearer that is unavailable ends no session.
func TestBearerIsUnavailable(t *testing.T) {
	refusal := &tokenapi.Error{System: "identity", Op: "refresh token", Err: tokenapi.ErrGrantRefused}
	for name, c := range map[string]struct {
		err   error
		retry time.Duration
		says  string
	}{
		"outage":                    {errors.New("the vault is\x00 away"), 0, "the vault is away"},
		"with a delay":              {&tokenapi.PausedError{System: "core", RetryAfter: 3 * time.Second}, 3 * time.Second, "core: "},
		"a refusal that may heal":   {fmt.Errorf("a vault: %w", later{refusal}), 9 * time.Second, "a vault: "},
		"misconfigured vault":       {&tokenapi.Error{System: "identity", Op: "x", Err: tokenapi.ErrMisconfigured, RetryAfter: time.Second}, time.Second, "identity: x"},
		"an error that is too long": {errors.New(strings.Repeat("long", 300)), 0, "longlong"},
	} {
		server, client := open(t, withBearer(func(context.Context, *oauth2.Token) (*oauth2.Token, error) { return nil, c.err }))
		for op, o := range calls {
			token, err := o.call(t.Context(), client, &oauth2.Token{RefreshToken: "r"})
			e := wantError(t, err, tokenapi.ErrUnavailable)
			if token != nil || e.RetryAfter != c.retry || e.Op != op || !strings.HasPrefix(e.Description, c.says) || len(e.Error()) > 400 ||
				!errors.Is(err, tokenapi.ErrNoBearer) || e.Outcome().Kind != tokenapi.NotSent {
				t.Errorf("%s: %s: got %#v, want ErrNoBearer, not sent, that begins with %q", op, name, e, c.says)
			}
		}
		asked(t, server, 0, 0)
	}
}

// After a 401 the error says that a request was sent, so that a vault does not
// repeat it at once, and hides the token that the Source quotes.
func TestAnotherBearerIsUnavailable(t *testing.T) {
	server, client := open(t, withBearer(func(_ context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if refused == nil {
			return &oauth2.Token{AccessToken: "expired-5ecret"}, nil
		}
		return nil, later{fmt.Errorf("cannot replace %s", refused.AccessToken)}
	}))
	_, err := client.SignIn(t.Context())
	e := wantError(t, err, tokenapi.ErrUnavailable)
	if !e.Sent || !errors.Is(err, tokenapi.ErrNoBearer) || e.StatusCode != http.StatusUnauthorized || e.Outcome().Kind != tokenapi.Transient ||
		e.RetryAfter != 9*time.Second || strings.Contains(e.Error(), "5ecret") || !strings.Contains(e.Error(), "cannot replace") {
		t.Errorf("got %v, want ErrNoBearer with the 401 and without the token", e)
	}
	asked(t, server, 1, 0)
}

// A refused refresh counts as sent if no bearer is left for the sign-in after
// it: a vault must not repeat it at once.
func TestBearerIsUnavailableAfterARefusedRefresh(t *testing.T) {
	asks := 0
	server, client := open(t, withBearer(func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
		if asks++; asks > 1 {
			return nil, errors.New("away")
		}
		return &oauth2.Token{AccessToken: "bearer"}, nil
	}))
	server.Inject(b2coretest.EndpointRefresh, apitest.Fault{Status: 422})
	_, err := client.Refresh(t.Context(), &oauth2.Token{RefreshToken: "r"})
	if e := wantError(t, err, tokenapi.ErrNoBearer); !e.Sent || e.StatusCode != http.StatusUnprocessableEntity || e.Outcome().Kind != tokenapi.Transient {
		t.Errorf("got %#v, want a transient error with the 422", e)
	}
	asked(t, server, 0, 1)
}

// A caller whose context ends while the Source runs gets the context's error.
func TestContextEndsWithTheSource(t *testing.T) {
	inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
		for _, o := range calls {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			began := time.Now()
			_, err := o.call(ctx, client, &oauth2.Token{RefreshToken: "r"})
			cancel()
			e := wantError(t, err, tokenapi.ErrUnavailable)
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, tokenapi.ErrNoBearer) || e.Sent || time.Since(began) != 3*time.Second {
				t.Errorf("got %v after %v, want DeadlineExceeded after 3 s", err, time.Since(began))
			}
		}
		asked(t, server, 0, 0)
	}, withBearer(func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}))
}

// The repetition with another bearer may fail in its own way.
func TestRepetitionIsLost(t *testing.T) {
	server, client := open(t)
	server.Inject(b2coretest.EndpointAuth, apitest.Fault{Status: 401})
	server.Inject(b2coretest.EndpointAuth, apitest.Fault{LoseAnswer: true})
	_, err := client.SignIn(t.Context())
	if e := wantError(t, err, tokenapi.ErrUnavailable); e.Outcome().Kind != tokenapi.Unanswered {
		t.Errorf("got %#v, want it unanswered", e)
	}
	asked(t, server, 2, 0)
}

// A bearer that cannot stand in a header is not sent.
func TestUnusableBearers(t *testing.T) {
	for name, bearer := range map[string]*oauth2.Token{
		"nil": nil, "empty": {}, "line break": {AccessToken: "5ecret\r\nX: y"}, "space": {AccessToken: "5ecret 5ecret"}, "é": {AccessToken: "5ecreté"},
	} {
		server, client := open(t, withBearer(func(context.Context, *oauth2.Token) (*oauth2.Token, error) { return bearer, nil }))
		for op, o := range calls {
			token, err := o.call(t.Context(), client, &oauth2.Token{RefreshToken: "r"})
			e := wantError(t, err, tokenapi.ErrMisconfigured)
			if token != nil || e.Sent || !strings.Contains(e.Description, "Config.Bearer") || strings.Contains(err.Error(), "5ecret") {
				t.Errorf("%s: %s: got %v, want an error about Config.Bearer", op, name, err)
			}
		}
		asked(t, server, 0, 0)
	}
}

// An error hides all secrets that earlier requests of the same call sent.
func TestErrorsHideWhatWasSentBefore(t *testing.T) {
	const another = "canary-another-5ecret/+="
	all := sentBearer + " " + sentRefresh + " " + another + " " + url.QueryEscape(sentBearer+" "+sentRefresh+" "+another)
	body, err := json.Marshal(map[string]any{"error": map[string]any{"code": sentBearer, "message": "for " + all}, "traceId": another})
	if err != nil {
		t.Fatal(err)
	}
	server, client := open(t, withBearer(func(_ context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if refused == nil {
			return &oauth2.Token{AccessToken: sentBearer}, nil
		}
		return &oauth2.Token{AccessToken: another}, nil
	}))
	always(server, apitest.Fault{Status: 401, Body: body})
	_, err = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: sentRefresh})
	clienttest.Hides(t, wantError(t, err, tokenapi.ErrNotSignedIn), sentBearer, another, sentRefresh)
	asked(t, server, 2, 1)
}
