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
		// field 50
		{"sent p%26w%3d", "p&w=", "[redacted]"},
		{"sent p%2526w%253D", "p&w=", "[redacted]"},
		{"sent %70%61%35%35", "pa55", "[redacted]"},
		{`sent "p\u0061\x35\u0035"`, "pa55", "[redacted]"},
		{`sent {\"password\":\"pa\/55\"}`, "pa/55", "[redacted]"},
		{`sent \ud83d\ude00pass`, "😀pass", "[redacted]"},
		{`sent s3cr%u00F6t and \\u0073`, "s3cröt", "[redacted]"},
		{`sent cGE1\r\nNTU1`, "pa5555", "[redacted]"},
		{"sent pa&amp;55", "pa&55", "sent [redacted]"},
		{"sent pa&#x26;55", "pa&55", "[redacted]"},
		{"sent p%C3%A4ss+w%c3%b6rd", "päss wörd", "[redacted]"},
		{"sent 70613535", "pa55", "sent [redacted]"},
		{"sent 5041353F", "PA5?", "[redacted]"},
		{"sent cGE_NQ==", "pa?5", "sent [redacted]"},
		{"sent cGE/NQ", "pa?5", "sent [redacted]"},
		{"sent Basic aWQ6\n  cGE1NQ==", "pa55", "sent Basic aWQ6  [redacted]"},
		{"sent Z3JhbnRfdHlwZT14JnBhc3N3b3JkPXBhNTU", "pa55", "[redacted]"},
		{"sent /token/aWQ6cGE1%4eQ%3D%3D", "pa55", "[redacted]"},
		{"you sent 0123456789abcdef0", "0123456789abcdef0123", "[redacted]"},
		{"no such grant type: password", "pa55", "no such grant type: password"},
		{"dial tcp: a refused", "a", "di[redacted]l tcp: [redacted] refused"},
		{"line\nbreak\x00 and \u202Ereversed", "", "linebreak and reversed"},
		// field 30
		{"no user trader@example.com.", "", "no user [redacted]"},
		{`User "Trader+1@Example.co.uk" is locked`, "", `User "[redacted]" is locked`},
		{"mailto:o'neil@example.com?subject=x", "", "mailto:o'[redacted]?subject=x"},
		{"email=trader%40example.com&x=1", "", "email=[redacted]&x=1"},
		{`{"email":"trader\u0040example.com"}`, "", `{"email":"[redacted]"}`},
		{"trader&#64;example.com, <trader@localhost>", "", "[redacted], <[redacted]>"},
		{"email=trader%2540example.com trader&amp;#x0040;example.com", "", "email=[redacted] [redacted]"},
		{`trader\x40example.com trader﹫example.com`, "", "[redacted] [redacted]"},
		{"jürgen@münchen.example", "", "[redacted]"},
		{"@context is not an address", "", "@context is not an address"},
		{strings.Repeat("é", 150), "", strings.Repeat("é", 100) + "…"},
	} {
		if got := Redact(c.in, c.secret); got != c.want {
			t.Errorf("Redact(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

// field 50: the headers of a request hold secrets, too.
func TestRedactsSentHeaders(t *testing.T) {
	x := &Transport{Now: time.Now, Timeout: time.Minute, Base: roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("you sent %q", r.Header)
	})}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://test", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer t0ken")
	req.Header.Set("Cookie", "language=en; session=c00kie-value")
	_, err = x.RoundTrip(req)
	got := Redact(err.Error(), x.Secrets...)
	if strings.Contains(got, "t0ken") || strings.Contains(got, "c00kie") || !strings.Contains(got, "language=en") {
		t.Errorf("Redact = %q, want no token and no session", got)
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
