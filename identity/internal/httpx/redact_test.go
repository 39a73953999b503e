package httpx

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"b2trader.identity.auth/identity/tokenapi"
)

func TestRedact(t *testing.T) {
	for _, c := range []struct{ in, secret, want string }{
		{"plain words", "", "plain words"},
		{"no account for pa55", "pa55", "no account for [redacted]"},
		{"sent p%26w%3D", "p&w=", "sent [redacted]"},
		{`sent {"password":"p\u0026\"w"}`, `p&"w`, `sent {"password":"[redacted]"}`},
		{"sent p\x00a55 and p\na55", "pa55", "sent [redacted] and [redacted]"},
		{"sent p\ta55", "p\ta55", "sent [redacted]"},
		{"sent Basic aWQ6cGE1NQ==", "id:pa55", "sent Basic [redacted]"}, // field 50
		{"sent cGE1NQ==", "pa55", "sent [redacted]"},
		{"dial tcp: a refused", "a", "di[redacted]l tcp: [redacted] refused"},
		{"line\nbreak\x00 and \u202Ereversed", "", "linebreak and reversed"},
		// field 30
		{"no user trader@example.com.", "", "no user [redacted]"},
		{`User "Trader+1@Example.co.uk" is locked`, "", `User "[redacted]" is locked`},
		{"mailto:o'neil@example.com?subject=x", "", "mailto:o'[redacted]?subject=x"},
		{"email=trader%40example.com&x=1", "", "email=[redacted]&x=1"},
		{`{"email":"trader\u0040example.com"}`, "", `{"email":"[redacted]"}`},
		{"trader&#64;example.com, <trader@localhost>", "", "[redacted], <[redacted]>"},
		{"jürgen@münchen.example", "", "[redacted]"},
		{"@context is not an address", "", "@context is not an address"},
		{strings.Repeat("é", 150), "", strings.Repeat("é", 100) + "…"},
	} {
		if got := Redact(c.in, c.secret); got != c.want {
			t.Errorf("Redact(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// A secret that contains another one leaves no rest.
func TestRedactsTheLongestSecret(t *testing.T) {
	const in, want = "sent pa55word", "sent [redacted]"
	if got := Redact(in, "pa55", "pa55word"); got != want {
		t.Errorf("Redact(%q) = %q, want %q", in, got, want)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("the password pa55 is wrong\n", "pa55")
	f.Add("aaa\xff", "a")
	f.Fuzz(func(t *testing.T, s, secret string) {
		got := Redact(s, secret)
		if len(got) > 210 || (utf8.ValidString(s) && !utf8.ValidString(got)) {
			t.Errorf("Redact(%q) = %q, want at most 210 valid bytes", s, got)
		}
		if strings.IndexFunc(got, unicode.IsControl) >= 0 {
			t.Errorf("Redact(%q) = %q, want no control character", s, got)
		}
	})
}

// req 123
func TestObserversSeeNoSecret(t *testing.T) {
	x, server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/done?code=c0de")
		w.WriteHeader(http.StatusFound)
	})
	var seen []tokenapi.Exchange
	x.Observe = func(_ context.Context, e tokenapi.Exchange) { seen = append(seen, e) }
	post := func(contentType, body string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server+"/token?client_id=spa&state=5ecret", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		if _, err := x.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
	}
	post("application/x-www-form-urlencoded", "grant_type=refresh_token&refresh_token=5ecret")
	post("application/json", `{"email":"5ecret","password":"5ecret","provider":"Email"}`)
	post("application/vnd.api+json", `{"data":{"password":"5ecret"}}`)
	post("text/plain", "5ecret")

	want := []url.Values{
		{"client_id": {"spa"}, "state": {tokenapi.Redacted}, "grant_type": {"refresh_token"}, "refresh_token": {tokenapi.Redacted}},
		{"client_id": {"spa"}, "state": {tokenapi.Redacted}, "email": {tokenapi.Redacted}, "password": {tokenapi.Redacted}, "provider": {"Email"}},
		{"client_id": {"spa"}, "state": {tokenapi.Redacted}, "data": {tokenapi.Redacted}},
		{"client_id": {"spa"}, "state": {tokenapi.Redacted}},
	}
	for i, e := range seen {
		if e.Parameters.Encode() != want[i].Encode() {
			t.Errorf("got parameters %v, want %v", e.Parameters, want[i])
		}
		if e.URL != server+"/token" || e.Redirect != server+"/done" || e.StatusCode != http.StatusFound || e.Op != "test" || e.Method != http.MethodPost {
			t.Errorf("observed %+v, want the URL without its query", e)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("observed %d exchanges, want %d", len(seen), len(want))
	}
}

// net/http's errors repeat malformed input, and a redirect may contain a
// secret.
func TestObserversSeeNoEchoOfASecret(t *testing.T) {
	for name, base := range map[string]roundTripper{
		"an answer that breaks HTTP": func(*http.Request) (*http.Response, error) {
			return nil, errors.New(`malformed HTTP response "s3cret"`)
		},
		"a redirect": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {"/x/s3cret"}}, Body: http.NoBody}, nil
		},
		"the end of a context": func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("s3cret: %w", context.Canceled) },
	} {
		var seen tokenapi.Exchange
		x := &Transport{Base: base, Timeout: time.Minute, Now: time.Now, Secrets: []string{"s3cret"}, Observe: func(_ context.Context, e tokenapi.Exchange) { seen = e }}
		_, err := get(t, x, "http://test")
		if text := fmt.Sprintf("%+v %v", seen, seen.Err); strings.Contains(text, "s3cret") || !strings.Contains(text, tokenapi.Redacted) {
			t.Errorf("%s: observed %s, want the secret redacted", name, text)
		}
		if errors.Is(err, context.Canceled) != errors.Is(seen.Err, context.Canceled) {
			t.Errorf("%s: observed %v, want it to wrap the context's end", name, err)
		}
	}
}
