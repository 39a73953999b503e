package httpx

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

func TestRefused(t *testing.T) {
	refused, bad := tokenapi.ErrGrantRefused, tokenapi.ErrBadCredentials
	v := Verdict{Codes: map[string]error{"2007": refused}, Status: map[int]error{401: bad, 500: bad}}
	wordy := Verdict{Status: v.Status, StatusNeedsWords: true}
	dotted := Verdict{Codes: map[string]error{"1.2.0.11": bad}, Status: v.Status, Parse: func(body []byte) Problem { return Problem{Code: string(body)} }}
	for _, c := range []struct {
		name   string
		v      Verdict
		status int
		body   string
		want   error
	}{
		{"by its code", v, 401, `{"errors":[{"code":2007}]}`, refused},
		{"by its status", v, 401, `{"errors":[{"code":"2999"}]}`, bad},
		{"by a status that would mean later", v, 500, ``, bad},
		{"by its status, without a word", v, 401, ``, bad},
		{"words are needed", wordy, 401, ``, tokenapi.ErrUnusableAnswer},
		{"by a gateway's page, where words are needed", wordy, 401, `<html>`, tokenapi.ErrUnavailable}, // field 9
		{"by a gateway's text", v, 401, `RBAC: access denied`, tokenapi.ErrUnavailable},
		{"by a text that may be the API's", dotted, 401, `denied`, bad},
		{"by a gateway's page, with a status of its own", v, 418, `denied`, tokenapi.ErrUnavailable},
		{"words are there", wordy, 401, `{"title":"Unauthorized"}`, bad},
		{"in a shape of its own", dotted, 400, `1.2.0.11`, bad},
		{"by a gateway's page", v, 401, `<html>`, tokenapi.ErrUnavailable},
		{"too many", v, 429, `{}`, tokenapi.ErrUnavailable},
		{"a gateway", v, 502, `<html>`, tokenapi.ErrUnavailable},
		{"another path", v, 404, ``, tokenapi.ErrMisconfigured},
		{"another method", v, 405, ``, tokenapi.ErrMisconfigured},
		{"anything else", v, 418, `{}`, tokenapi.ErrUnusableAnswer},
		{"a redirect", v, 302, ``, tokenapi.ErrUnusableAnswer},
	} {
		p := peer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		call := p.Call("test")
		if err := call.Send(t.Context(), Request{Method: http.MethodGet, URL: p.URL("/")}); err != nil {
			t.Fatal(err)
		}
		e := call.Refused(c.v)
		if !errors.Is(e, c.want) || e.StatusCode != c.status || e.RetryAfter != 7*time.Second || !e.Sent {
			t.Errorf("Refused(%s) = %#v, want %v with status %d", c.name, e, c.want, c.status)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999": 24 * time.Hour, "99999999999999999999": 24 * time.Hour, "-9223372037": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:00:00 GMT": 0,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
	// field 12: a server whose clock differs by two hours
	differs := http.Header{"Retry-After": {"Fri, 02 Jan 2026 05:04:15 GMT"}, "Date": {"Fri, 02 Jan 2026 05:04:05 GMT"}}
	if got := RetryAfter(differs, now); got != 10*time.Second {
		t.Errorf("RetryAfter(%v) = %v, want 10s", differs, got)
	}
}

func TestErrorPath(t *testing.T) {
	for status, want := range map[int]error{http.StatusTeapot: tokenapi.ErrUnusableAnswer, 0: tokenapi.ErrUnavailable} {
		p := peer(t, func(w http.ResponseWriter, _ *http.Request) {
			if status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(status)
		})
		call := p.Call("test", "s3cret")
		err := call.Send(t.Context(), Request{Method: http.MethodGet, URL: p.URL("/of/s3cret?q=1")})
		if err == nil {
			err = call.Refused(Verdict{})
		}
		e, ok := errors.AsType[*tokenapi.Error](err)
		if !ok || !errors.Is(err, want) || e.Path != "/rest/of/[redacted]" {
			t.Errorf("status %d: got %#v, want %v with the path redacted and without the query", status, err, want)
		}
	}
}
