package b2core_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/tokenapi"
)

// questions records what a Source is asked.
type questions struct {
	source tokenapi.Source
	asked  []string // the refused tokens
}

func (q *questions) bearer(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
	if refused == nil {
		q.asked = append(q.asked, "")
	} else {
		q.asked = append(q.asked, refused.AccessToken)
	}
	return q.source(ctx, refused)
}

// shown returns the bearers that an endpoint has seen.
func shown(server *b2coretest.Server, endpoint apitest.Endpoint) []string {
	var bearers []string
	for _, r := range server.Requests(endpoint) {
		bearers = append(bearers, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}
	return bearers
}

// The bearer is asked for before each request, and once more when it is refused.
func TestBearerIsAskedFor(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	q := &questions{source: server.Bearer}
	client := newClient(t, server, withBearer(q.bearer))
	first, err := server.Bearer(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	token := signIn(t, server, client)
	if token, err = client.Refresh(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(q.asked, []string{"", ""}) {
		t.Errorf("asked %q", q.asked)
	}

	q.asked = nil
	server.ExpireBearers()
	if _, err = client.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := server.Bearer(t.Context(), nil)
	if err != nil || !slices.Equal(q.asked, []string{"", first.AccessToken}) {
		t.Errorf("asked %q, %v", q.asked, err)
	}
	if got := shown(server, b2coretest.EndpointAuth); !slices.Equal(got, []string{first.AccessToken, first.AccessToken, second.AccessToken}) {
		t.Errorf("showed %q", got)
	}

	q.asked = nil
	server.ExpireBearers()
	if token, err = client.Refresh(t.Context(), token); err != nil { // refused by both, then another
		t.Fatal(err)
	}
	accepts(t, server, token)
	if !slices.Equal(q.asked, []string{"", "", second.AccessToken}) {
		t.Errorf("asked %q", q.asked)
	}
	asked(t, server, 5, 2)
}

// A bearer that nobody can replace is shown once.
func TestBearerIsNotShownTwice(t *testing.T) {
	server, client := open(t, withBearer(b2core.StaticBearer("of-another-life")))
	_, err := client.SignIn(t.Context())
	wantError(t, err, tokenapi.ErrNotSignedIn)
	asked(t, server, 1, 0)
}

// Only a 401 says that another bearer may help.
func TestBearerIsReplacedAfter401Only(t *testing.T) {
	for _, status := range []int{400, 403, 404, 500, 503} {
		server := newServer(t, b2coretest.Config{})
		q := &questions{source: server.Bearer}
		client := newClient(t, server, withBearer(q.bearer))
		server.Inject(b2coretest.EndpointAuth, apitest.Fault{Status: status})
		if _, err := client.SignIn(t.Context()); err == nil || len(q.asked) != 1 {
			t.Errorf("%d: got %v after asking %d times", status, err, len(q.asked))
		}
		asked(t, server, 1, 0)
	}
}

func TestStaticBearer(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	bearer, err := server.Bearer(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	source := b2core.StaticBearer(bearer.AccessToken)
	signIn(t, server, newClient(t, server, withBearer(source)))
	again, err := source(t.Context(), bearer)
	if err != nil || again.AccessToken != bearer.AccessToken || !again.Valid() || again.Type() != "Bearer" {
		t.Errorf("got %+v, %v", again, err)
	}
}

// The end of the B2Core session is the end, whether it is heard of before a request or after its refusal.
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
			t.Errorf("%s: got %#v", op, e)
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
		t.Errorf("got %#v", e)
	}
	asked(t, server, 2, 1)
}

// later is how a vault says that it has no token just now, because of something that it got over before.
type later struct{ error }

func (later) Outcome() tokenapi.Outcome { return tokenapi.Outcome{RetryAfter: 9 * time.Second} }
func (l later) Unwrap() error           { return l.error }

// What keeps a bearer away just now ends nothing.
func TestBearerIsNotToBeHad(t *testing.T) {
	refusal := &tokenapi.Error{System: "identity", Op: "refresh token", Err: tokenapi.ErrGrantRefused}
	for name, c := range map[string]struct {
		err   error
		retry time.Duration
		says  string
	}{
		"an outage":                  {errors.New("the vault is\x00 away"), 0, "the vault is away"},
		"with a delay":               {&tokenapi.PausedError{System: "core", RetryAfter: 3 * time.Second}, 3 * time.Second, "core: "},
		"that a resumption may cure": {fmt.Errorf("a vault: %w", later{refusal}), 9 * time.Second, "a vault: "},
		"misconfigured behind it":    {&tokenapi.Error{System: "identity", Op: "x", Err: tokenapi.ErrMisconfigured, RetryAfter: time.Second}, time.Second, "identity: x"},
		"long":                       {errors.New(strings.Repeat("long", 300)), 0, "longlong"},
	} {
		server, client := open(t, withBearer(func(context.Context, *oauth2.Token) (*oauth2.Token, error) { return nil, c.err }))
		for op, o := range calls {
			token, err := o.call(t.Context(), client, &oauth2.Token{RefreshToken: "r"})
			e := wantError(t, err, tokenapi.ErrUnavailable)
			if token != nil || e.Sent || e.RetryAfter != c.retry || e.Op != op || !strings.HasPrefix(e.Description, c.says) || len(e.Error()) > 400 ||
				!errors.Is(err, tokenapi.ErrNoBearer) || !strings.Contains(e.Error(), "no bearer: "+c.says) {
				t.Errorf("%s: %s: got %#v", op, name, e)
			}
			if e.Outcome().Kind != tokenapi.NotSent {
				t.Errorf("%s: %s: a vault misunderstands %v", op, name, err)
			}
		}
		asked(t, server, 0, 0)
	}
}

// The same after a refusal, of which the error tells, so that nobody repeats at once what was refused; and the words of the Source do not show the token.
func TestAnotherBearerIsNotToBeHad(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	client := newClient(t, server, withBearer(func(_ context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if refused == nil {
			return &oauth2.Token{AccessToken: "dead-5ecret"}, nil
		}
		return nil, later{fmt.Errorf("cannot replace %s", refused.AccessToken)}
	}))
	_, err := client.SignIn(t.Context())
	e := wantError(t, err, tokenapi.ErrUnavailable)
	if !e.Sent || !errors.Is(err, tokenapi.ErrNoBearer) || e.StatusCode != http.StatusUnauthorized || e.Outcome().Kind != tokenapi.Transient || e.RetryAfter != 9*time.Second || strings.Contains(e.Error(), "5ecret") || !strings.Contains(e.Error(), "cannot replace") {
		t.Errorf("got %v", e)
	}
	asked(t, server, 1, 0)
}

// A caller who leaves while the bearer is waited for is told so.
func TestContextEndsWithTheSource(t *testing.T) {
	inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
		for _, o := range calls {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			began := time.Now()
			_, err := o.call(ctx, client, &oauth2.Token{RefreshToken: "r"})
			cancel()
			e := wantError(t, err, tokenapi.ErrUnavailable)
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, tokenapi.ErrNoBearer) || e.Sent || time.Since(began) != 3*time.Second {
				t.Errorf("got %v after %v", err, time.Since(began))
			}
		}
		asked(t, server, 0, 0)
	}, withBearer(func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}))
}

// What cannot be shown is not.
func TestUnusableBearers(t *testing.T) {
	for name, bearer := range map[string]*oauth2.Token{
		"none":         nil,
		"empty":        {},
		"a line break": {AccessToken: "5ecret\r\nX: y"},
		"a space":      {AccessToken: "5ecret 5ecret"},
		"a letter é":   {AccessToken: "5ecreté"},
	} {
		server, client := open(t, withBearer(func(context.Context, *oauth2.Token) (*oauth2.Token, error) { return bearer, nil }))
		for op, o := range calls {
			token, err := o.call(t.Context(), client, &oauth2.Token{RefreshToken: "r"})
			e := wantError(t, err, tokenapi.ErrMisconfigured)
			if token != nil || e.Sent || !strings.Contains(e.Description, "Config.Bearer") || strings.Contains(err.Error(), "5ecret") {
				t.Errorf("%s: %s: got %v", op, name, err)
			}
		}
		asked(t, server, 0, 0)
	}
}
