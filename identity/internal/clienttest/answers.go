package clienttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
)

// An Answer is an answer of a server, and what each operation makes of it.
type Answer struct {
	Status int    // 0: 200
	Type   string // the Content-Type; empty: application/json
	Body   string

	Want []error // by operation, the last one for the rest; nil: no error
	Code string  // of the error
	Says string  // a part of the error's Description
}

func (a Answer) String() string { return fmt.Sprintf("%d %s %.80s", a.Status, a.Type, a.Body) }

func (a Answer) fault() apitest.Fault {
	f := apitest.Fault{Status: a.Status, ContentType: a.Type, Body: []byte(a.Body), RetryAfter: "7"}
	if f.Status == 0 {
		f.Status = 200
	}
	return f
}

// All is the Want of an answer that means the same to all operations.
func All(err error) []error { return []error{err} }

// usual returns the answers that mean the same in every API (req 20).
func (s Subject[C]) usual() []Answer {
	good := s.Body(`"a"`, `"r"`)
	answers := []Answer{
		{Body: good, Want: All(nil)},
		// field 5: JSON is JSON, whatever the media type and its parameters say.
		{Type: "application/problem+json; charset=utf-8", Body: good, Want: All(nil)},
		{Type: "application/json; charset", Body: good, Want: All(nil)},
		{Type: "text/json", Body: good, Want: All(nil)},
		{Type: "text/html", Body: good, Want: All(nil)},
		{Type: ";", Body: good, Want: All(nil)},
		{Body: "\ufeff" + good, Want: All(nil)},
		// field 56
		{Body: strings.Replace(good, "{", `{"errors":[{"code":"odd"}],"ACCESS_TOKEN":"v",`, 1), Want: All(nil)},
		{Body: strings.Replace(good, "{", `{"unknown":{"a":[1]},`, 1), Want: All(nil)},
	}
	for _, a := range []Answer{
		{Body: ""}, {Body: "access"}, {Body: "<html>"}, {Body: "[]"}, {Body: "{}"}, {Body: "null"}, {Body: good[:len(good)-1]},
		{Body: strings.Replace(good, "{", `{"twice":1,"twice":2,`, 1)}, {Body: strings.ToUpper(good)}, // field 54
		{Type: "application/x-www-form-urlencoded", Body: "access_token=a&token_type=Bearer"}, {Status: 204}, {Status: 302},
		{Body: s.Body(`""`, `"r"`)}, {Body: s.Body(`null`, `"r"`)}, {Body: s.Body(`7`, `"r"`)}, {Body: s.Body(`"a\r\nX: y"`, `"r"`)},
		{Body: s.Body(`"a b"`, `"r"`)}, {Body: s.Body(`"é"`, `"r"`)}, {Body: s.Body(`"a"`, `"r\n"`)},
	} {
		a.Want = All(tokenapi.ErrUnusableAnswer)
		answers = append(answers, a)
	}
	for status, want := range map[int]error{
		404: tokenapi.ErrMisconfigured, 405: tokenapi.ErrMisconfigured, 408: tokenapi.ErrUnavailable, 429: tokenapi.ErrUnavailable,
		500: tokenapi.ErrUnavailable, 502: tokenapi.ErrUnavailable, 503: tokenapi.ErrUnavailable, 504: tokenapi.ErrUnavailable,
	} {
		answers = append(answers, Answer{Status: status, Want: All(want)}, Answer{Status: status, Type: "text/html", Body: "<html>", Want: All(want)})
	}
	for _, status := range []int{402, 407, 418, 451, 498} { // field 9: a gateway's page, which is about no request
		answers = append(answers, Answer{Status: status, Type: "text/html", Body: "<html>", Want: All(tokenapi.ErrUnavailable)})
	}
	return answers
}

// Answers checks what each operation makes of the usual answers and of more.
func Answers[C any](t *testing.T, s Subject[C], more ...Answer) {
	t.Helper()
	for _, a := range append(s.usual(), more...) {
		for i, op := range s.Operations {
			if slices.Contains(op.Again, a.Status) {
				continue
			}
			server := unavailable()
			server.Inject(anything, a.fault())
			_, err := s.call(t.Context(), t, op, s.New(t, tokenapi.HTTP{Transport: server.Transport()}, peer))
			s.wantOutcome(t, op, a, err, a.Want[min(i, len(a.Want)-1)])
			if n := server.Count(anything); n != 1 {
				t.Errorf("%s: %v: got %d requests, want 1", op.Name, a, n)
			}
		}
	}
}

func (s Subject[C]) wantOutcome(t *testing.T, op Operation[C], a Answer, err, want error) {
	t.Helper()
	if want == nil {
		if err != nil {
			t.Errorf("%s: %v: got %v, want no error", op.Name, a, err)
		}
		return
	}
	e, ok := errors.AsType[*tokenapi.Error](err)
	if !ok || !errors.Is(err, want) {
		t.Errorf("%s: %v: got %v, want %v", op.Name, a, err, want)
		return
	}
	s.wantError(t, op, err, want)
	if e.StatusCode != a.fault().Status || e.Code != a.Code || !e.Sent || e.RetryAfter != 7*time.Second || !strings.Contains(e.Description, a.Says) {
		t.Errorf("%s: %v: got %#v, want the code %q and %q", op.Name, a, e, a.Code, a.Says)
	}
}

// A Life is how long the tokens of an answer live.
type Life struct {
	Body            string
	Access, Refresh time.Duration // Refresh 0: unknown
}

// Lifetimes checks how long the tokens of answers live. The bubble's clock
// begins at midnight UTC, 1 January 2000.
func Lifetimes[C any](t *testing.T, s Subject[C], lives ...Life) {
	t.Helper()
	lives = append(lives, Life{Body: s.Body(`"a"`, `""`), Access: s.Life})
	for _, life := range lives {
		for _, op := range s.Operations {
			synctest.Test(t, func(t *testing.T) {
				server := unavailable()
				server.Inject(anything, apitest.Fault{Body: []byte(life.Body)})
				token, err := s.call(t.Context(), t, op, s.New(t, tokenapi.HTTP{Transport: server.Transport()}, peer))
				if err != nil {
					t.Fatalf("%s: %s: got %v, want a token", op.Name, life.Body, err)
				}
				if access, refresh := Lives(token); access != life.Access || refresh != life.Refresh {
					t.Errorf("%s: %s: the tokens live %v and %v, want %v and %v", op.Name, life.Body, access, refresh, life.Access, life.Refresh)
				}
			})
		}
	}
}

// Lives returns how long a token and its refresh token live from now on. The
// second is 0 if that is unknown.
func Lives(token *oauth2.Token) (access, refresh time.Duration) {
	if at := RefreshExpiry(token); !at.IsZero() {
		refresh = time.Until(at)
	}
	return time.Until(token.Expiry), refresh
}

// FuzzAnswers fuzzes the answers to all operations: each yields a usable token,
// or an error of the client that hides the secrets. The seeds are the usual
// answers and more.
func FuzzAnswers[C any](f *testing.F, s Subject[C], more ...Answer) {
	f.Helper()
	for _, a := range append(s.usual(), more...) {
		f.Add(a.fault().Status, a.Type, a.Body)
	}
	for _, op := range s.Operations {
		for _, body := range echoes(f, spelt(op.Secrets)) {
			f.Add(200, "", body)
			f.Add(401, "", body)
		}
	}
	server := unavailable()
	client := s.New(f, tokenapi.HTTP{Transport: server.Transport()}, peer)
	f.Fuzz(func(t *testing.T, status int, mediaType, body string) {
		if status < 200 || status > 599 {
			return // no status of an answer
		}
		for _, op := range s.Operations {
			server.ClearFaults()
			server.Inject(anything, apitest.Fault{Status: status, ContentType: mediaType, Body: []byte(body)})
			began := time.Now()
			token, err := s.call(t.Context(), t, op, client)
			switch {
			case err != nil:
				Refused(t, err, s.System, op.Secrets...)
			case token != nil:
				Usable(t, token, began)
				if status/100 != 2 || op.Name == "refresh token" && token.RefreshToken == "" {
					t.Errorf("%s: %d %q: got %+v, want an error or a refresh token", op.Name, status, body, token)
				}
			}
		}
	})
}
