package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"b2trader.identity.auth/web"
)

// dial opens a websocket as a page of the site does.
func (a *app) dial(target string) (*websocket.Conn, error) {
	a.t.Helper()
	config, err := websocket.NewConfig(strings.Replace(a.server.URL, "http", "ws", 1)+target, a.server.URL)
	if err != nil {
		a.t.Fatal(err)
	}
	config.Header = http.Header{"Cookie": {a.cookie()}}
	c, err := config.DialContext(a.t.Context())
	if err == nil {
		a.t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

// handshake sends the handshake of a websocket of the site's page and returns
// the answer, without what follows a 101; header are pairs.
func (a *app) handshake(target string, header ...string) reply {
	a.t.Helper()
	resp, err := a.client.Do(a.request(http.MethodGet, target, "", append([]string{
		"Connection", "keep-alive, Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==",
		"Origin", a.server.URL,
	}, header...)...))
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return reply{Response: resp}
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return reply{resp, string(body)}
}

// The hub gets the session's token in its query and in Authorization.
func TestHub(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	s.echo()
	c, err := a.dial("/ws/frontoffice/v4/account%20x?id=1;2&a=%zz&b=%ff")
	if err != nil {
		t.Fatal(err)
	}
	r, _ := s.upstream.last(t)
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	want := "/frontoffice/ws/v4/account%20x?access_token=" + token + "&id=1;2&a=%zz&b=%ff"
	if !strings.HasPrefix(token, "eyJ") || r.RequestURI != want || r.Header.Get("Cookie") != "" || r.Header.Get("Origin") != "" {
		t.Errorf("the hub gets %s %v, want %s", r.RequestURI, r.Header, want)
	}
	say(t, c, "hello")
}

// A websocket whose token the API refuses is opened with a renewed one, which a
// hub gets in its query, too.
func TestRefusedTokenOfWebSocket(t *testing.T) {
	for target, query := range map[string]string{
		"/ws/frontoffice/v4/account?id=7&access_token=evil": "access_token=%s&id=7", "/api/frontoffice/v3/x?id=7": "id=7",
	} {
		s := newAPISite(t)
		a := s.signedIn()
		var tokens, queries []string
		s.upstream.will(func(w http.ResponseWriter, r *http.Request) {
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			tokens, queries = append(tokens, token), append(queries, strings.ReplaceAll(r.URL.RawQuery, token, "%s"))
			if len(tokens) == 1 {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			websocket.Server{Handler: func(c *websocket.Conn) { _, _ = io.Copy(c, c) }}.ServeHTTP(w, r)
		})
		s.clock.Pass(10 * time.Second) // the token is not young any more, nor due
		c, err := a.dial(target)
		if err != nil {
			t.Fatal(err)
		}
		say(t, c, "hello")
		if n := s.identity.Grants("refresh_token"); n != 1 || len(tokens) != 2 || tokens[0] == tokens[1] {
			t.Errorf("%s: %d handshakes and %d renewals, want 2 with different tokens and 1", target, len(tokens), n)
		}
		if queries[0] != query || queries[1] != query {
			t.Errorf("%s: queries of the handshakes = %q, want %q with the token of each", target, queries, query)
		}
	}
}

// The browser's own token does not reach the hub, in whatever spelling. The rest
// of the query does.
func TestHubQueryOfBrowser(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) { c.FrontOffice.MaxStreams = 100 })
	a := s.signedIn()
	s.echo()
	for query, rest := range map[string]string{
		"":                                  "",
		"&":                                 "",
		"id=7":                              "id=7",
		"access_token":                      "",
		"id=7&access_token=eviltoken&b=%2B": "id=7&b=%2B",
		"Access_Token=eviltoken&ACCESS_TOKEN=badtoken":       "",
		"%61%63%63%65%73%73%5F%74%6F%6B%65%6E=eviltoken":     "",
		"access%255ftoken=eviltoken":                         "",
		"access%25252525252525255ftoken=eviltoken":           "",
		"acce%C5%BFs_token=eviltoken":                        "", // a long s, whose upper case is S
		"access_to\u212aen=eviltoken":                        "", // the Kelvin sign, whose lower case is k
		"id=7;access_token=eviltoken;b=8":                    "id=7;b=8",
		"id=7%26access_token=eviltoken":                      "",
		"%zzaccess%5Ftoken=eviltoken&+access_token=badtoken": "",
	} {
		got := a.handshake("/ws/frontoffice/v4/account?" + query)
		if got.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("%q gives %d %s, want 101", query, got.StatusCode, got.body)
			continue
		}
		r, _ := s.upstream.last(t)
		want := "access_token=" + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if rest != "" {
			want += "&" + rest
		}
		if r.URL.RawQuery != want {
			t.Errorf("%q reaches the hub as %q, want %q", query, r.URL.RawQuery, want)
		}
	}
	if log := s.log.String(); strings.Contains(log, "eviltoken") || strings.Contains(log, "badtoken") {
		t.Errorf("the log has a token of the browser: %s", log)
	}
}

// Only websockets of this site's pages, with a session, and to an API's hub.
func TestHubHandshake(t *testing.T) {
	s := newAPISite(t)
	a, stranger := s.signedIn(), s.visitor()
	s.echo()
	const path = "/ws/frontoffice/v4/account"
	a.refused(a.handshake(path, "Origin", ""), http.StatusForbidden, "cross_origin")
	a.refused(a.handshake(path, "Origin", "https://evil.example"), http.StatusForbidden, "cross_origin")
	stranger.refused(stranger.handshake(path), http.StatusUnauthorized, "no_session")
	a.refused(a.get(path), http.StatusUpgradeRequired, "websocket_required")
	a.refused(a.send(http.MethodPost, path+"/negotiate", "{}"), http.StatusUpgradeRequired, "websocket_required")
	a.refused(a.handshake("/ws/backoffice/v4/account"), http.StatusNotFound, "not_found")
	a.refused(a.handshake("/ws"), http.StatusBadRequest, "bad_request")
	for _, target := range []string{
		"/ws/frontoffice/../api/x", "/ws/frontoffice/%2e%2e/x", "//ws/frontoffice/x", "/x/../ws/frontoffice/x", "/ws/frontoffice//x", "/%77s/frontoffice/x",
		"/ws/frontoffice/a%2fb", "/ws/frontoffice/x?a=1#b",
	} {
		lines := a.raw(strings.Replace(a.head("GET "+target+" HTTP/1.1"), "Connection: close", "Connection: Upgrade, close", 1) +
			"Upgrade: websocket\r\nOrigin: " + s.server.URL + "\r\n\r\n")
		if len(lines) != 1 || !strings.HasPrefix(lines[0], "400 ") {
			t.Errorf("%q gives %q, want 400", target, lines)
		}
	}
	if n := s.upstream.count(); n != 0 {
		t.Errorf("%d of them reached the hub, want none", n)
	}
}

// The hub of the BackOffice is for administrators, as its API is.
func TestHubOfBackOffice(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) {
		c.BackOfficeURL = strings.Replace(c.FrontOfficeURL, "/frontoffice", "/backoffice", 1)
	})
	a := s.signedIn()
	s.echo()
	a.refused(a.handshake("/ws/backoffice/v1/x"), http.StatusForbidden, "forbidden")
	if n := s.upstream.count(); n != 0 {
		t.Errorf("%d handshakes reached the hub, want none", n)
	}
}

// What a hub answers in place of a websocket, and what its transport reports,
// may repeat the URL: the browser and the log get none of it.
func TestHubRepeatsURL(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"refusal": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<"+r.RequestURI+">")
			http.Error(w, r.RequestURI, http.StatusUnauthorized)
		},
		"page": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RequestURI) },
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/frontoffice/api/x?"+r.URL.RawQuery, http.StatusFound)
		},
		"other protocol": func(w http.ResponseWriter, r *http.Request) {
			sayRaw(w, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+r.RequestURI+"\r\n\r\n")
		},
		"no HTTP": func(w http.ResponseWriter, r *http.Request) { sayRaw(w, r.RequestURI+"\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newAPISite(t) // whose end looks for tokens in the log
			a := s.signedIn()
			s.upstream.will(answer)
			got := a.handshake("/ws/frontoffice/v4/account")
			a.refused(got, http.StatusBadGateway, "upstream_unavailable")
			if leaks(got) {
				t.Errorf("the browser gets %v %s", got.Header, got.body)
			}
		})
	}
	t.Run("headers of the websocket", func(t *testing.T) {
		s := newAPISite(t)
		a := s.signedIn()
		s.upstream.will(func(w http.ResponseWriter, r *http.Request) {
			sayRaw(w, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nX-Trace-Id: "+
				r.URL.RawQuery+"\r\nLocation: "+r.RequestURI+"\r\n\r\n")
		})
		if got := a.handshake("/ws/frontoffice/v4/account"); got.StatusCode != http.StatusSwitchingProtocols || leaks(got) {
			t.Errorf("the browser gets %d %v", got.StatusCode, got.Header)
		}
	})
	t.Run("transport", func(t *testing.T) {
		s := newAPISite(t, func(c *web.Config) { c.APITransport = failingTransport{} })
		a := s.signedIn()
		a.refused(a.handshake("/ws/frontoffice/v4/account"), http.StatusGatewayTimeout, "upstream_timeout")
	})
}

func leaks(r reply) bool {
	for _, values := range r.Header {
		if strings.Contains(strings.Join(values, ""), "eyJ") {
			return true
		}
	}
	return strings.Contains(r.body, "eyJ")
}

func sayRaw(w http.ResponseWriter, text string) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

// failingTransport reports the URL in its error, as http.Client does.
type failingTransport struct{}

// RoundTrip implements http.RoundTripper.
func (failingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: timeoutError{errors.New("slow " + r.URL.RawQuery)}}
}

type timeoutError struct{ error }

func (timeoutError) Timeout() bool   { return true }
func (timeoutError) Temporary() bool { return true }

// A hub's websocket counts as a stream of the session.
func TestHubIsAStream(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) { c.FrontOffice.MaxStreams = 1 })
	a := s.signedIn()
	s.echo()
	if _, err := a.dial("/ws/frontoffice/v4/account"); err != nil {
		t.Fatal(err)
	}
	a.refused(a.handshake("/ws/frontoffice/v4/account"), http.StatusTooManyRequests, "too_many_streams")
}
