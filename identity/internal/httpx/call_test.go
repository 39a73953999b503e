package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/tokenapi"
)

// peer starts a server and returns its Peer.
func peer(t *testing.T, h http.HandlerFunc) Peer {
	t.Helper()
	x, url := serve(t, h)
	problems := checkconfig.Problems{Package: "test"}
	p := ParsePeer(&problems, url+"/rest/", tokenapi.HTTP{Transport: x.Base})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSend(t *testing.T) {
	var got *http.Request
	var body []byte
	seen := make(chan struct{}, 1)
	p := peer(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		seen <- struct{}{}
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	c := p.Call("test")
	err := c.Send(t.Context(), Request{
		Method: http.MethodPost, URL: p.URL("/auth/token"), Header: http.Header{"Token": {"t0ken"}},
		Body: map[string]string{"login": "l"}, MediaType: "application/vnd.api+json",
	})
	if err != nil || c.Last.StatusCode != http.StatusFound {
		t.Fatalf("Send = %v, status %d, want the redirect as the answer", err, c.Last.StatusCode)
	}
	<-seen
	if got.Method != http.MethodPost || got.URL.Path != "/rest/auth/token" || string(body) != `{"login":"l"}` {
		t.Errorf("sent %s %s %s, want POST /rest/auth/token with the body", got.Method, got.URL, body)
	}
	for name, want := range map[string]string{"Content-Type": "application/vnd.api+json", "Accept": "application/vnd.api+json", "Token": "t0ken"} {
		if got.Header.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if err := c.Send(t.Context(), Request{Method: http.MethodGet, URL: p.URL("/auth/token/refresh")}); err != nil {
		t.Fatal(err)
	}
	<-seen
	if len(body) != 0 || got.Header.Get("Content-Type") != "" || got.Header.Get("Accept") != "application/json" {
		t.Errorf("sent the body %q as %q, want neither body nor type", body, got.Header.Get("Content-Type"))
	}
}

func TestSendFails(t *testing.T) {
	p := peer(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	fails := func(name string, r Request, want error, sent bool) *tokenapi.Error {
		t.Helper()
		err := p.Call("test", "s3cret").Send(t.Context(), r)
		e, ok := errors.AsType[*tokenapi.Error](err)
		if !ok || !errors.Is(e, want) || e.Sent != sent || e.System != "test" || e.Op != "test" {
			t.Fatalf("%s: Send = %#v, want %v, sent %v", name, err, want, sent)
		}
		return e
	}
	_ = fails("no answer", Request{Method: http.MethodPost, URL: p.URL("/")}, tokenapi.ErrUnavailable, true)
	e := fails("no URL", Request{Method: http.MethodGet, URL: "http://[s3cret"}, tokenapi.ErrMisconfigured, false)
	if strings.Contains(e.Error(), "s3cret") {
		t.Errorf("got %v, want an error without the URL", e)
	}
	_ = fails("no JSON", Request{Method: http.MethodPost, URL: p.URL("/"), Body: func() {}}, tokenapi.ErrMisconfigured, false)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := p.Call("test").Send(ctx, Request{Method: http.MethodGet, URL: p.URL("/")})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, tokenapi.ErrUnavailable) {
		t.Errorf("Send with an ended context = %v, want ErrUnavailable with its cause", err)
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		mediaType, body string
		good            bool
	}{
		{"application/json", `{"a":"b"}`, true},
		{"application/vnd.api+json", `{"a":"b"}`, true},
		{"text/html", `{"a":"b"}`, true}, // field 5
		{"application/json; charset", "\ufeff" + `{"a":"b"}`, true},
		{"application/json", `{"a":"b","A":"c"}`, true}, // field 54
		{"application/json", `{"a":"b","a":"c"}`, false},
		{"application/json", `{"A":"b"}`, false},
		{"application/json", `<html>`, false},
		{"application/json", `{"a":1}`, false},
		{"application/json", ``, false},
	} {
		p := peer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.mediaType)
			_, _ = io.WriteString(w, c.body)
		})
		call := p.Call("test")
		if err := call.Send(t.Context(), Request{Method: http.MethodGet, URL: p.URL("/")}); err != nil {
			t.Fatal(err)
		}
		var v struct {
			A string `json:"a"`
		}
		err := call.Decode(&v, "a token")
		if err == nil && v.A == "" {
			err = call.Unusable("the answer is not a token")
		}
		if c.good && (err != nil || v.A != "b") || !c.good && (!errors.Is(err, tokenapi.ErrUnusableAnswer) || !strings.Contains(err.Error(), "the answer is not a token")) {
			t.Errorf("Decode(%s %s) = %v, %+v, want success %v", c.mediaType, c.body, err, v, c.good)
		}
	}
}

func TestParsePeer(t *testing.T) {
	var p checkconfig.Problems
	if peer := ParsePeer(&p, "https://h:8443/prefix/r//", tokenapi.HTTP{}); p.Err() != nil || peer.URL("/x") != "https://h:8443/prefix/r/x" {
		t.Errorf("ParsePeer(https://h:8443/prefix/r//) = %v, %v, want the URL without trailing slashes", peer.Base, p.Err())
	}
	p = checkconfig.Problems{Package: "test"}
	ParsePeer(&p, "", tokenapi.HTTP{Timeout: -1})
	ParsePeer(&p, "http://trader.example.com?", tokenapi.HTTP{InsecureAllowHTTP: true})
	const want = "test: Config.HTTP.Timeout is negative\ntest: Config.URL is missing\ntest: Config.URL must have no query"
	if got := fmt.Sprint(p.Err()); got != want {
		t.Errorf("problems = %s, want %s", got, want)
	}
}

// field 5
func TestIsJSON(t *testing.T) {
	for body, want := range map[string]bool{
		`{}`: true, "\ufeff{}": true, `"x"`: true, `<html>`: false, ``: false, `{} {}`: false,
	} {
		if got := IsJSON([]byte(body)); got != want {
			t.Errorf("IsJSON(%q) = %v, want %v", body, got, want)
		}
	}
}

func TestRefreshing(t *testing.T) {
	p := Peer{System: "test"}
	for _, old := range []*oauth2.Token{nil, {}, {RefreshToken: "line\nbreak"}} {
		call, err := p.Refreshing(old)
		if e, ok := errors.AsType[*tokenapi.Error](err); call != nil || !ok || !errors.Is(e, tokenapi.ErrGrantRefused) || e.Sent {
			t.Errorf("Refreshing(%v) = %v, want ErrGrantRefused, not sent", old, err)
		}
	}
	call, err := p.Refreshing(&oauth2.Token{RefreshToken: "r"})
	if err != nil || call.Op != "refresh token" || !slices.Contains(call.Secrets, "r") {
		t.Errorf("Refreshing(r) = %+v, %v, want a call that hides r", call, err)
	}
}
