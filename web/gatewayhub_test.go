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

// dialHub opens a websocket below /ws/ as a page of the site does.
func (a *app) dialHub(target string) (*websocket.Conn, error) {
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
		"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==",
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

// The hub gets the session's token in its query and in Authorization, and the
// websocket outlives the server's timeouts and renewals.
func TestHub(t *testing.T) {
	s := newImpatientSite(t, 200*time.Millisecond, 200*time.Millisecond)
	a := s.signedIn()
	s.echo()
	c, err := a.dialHub("/ws/frontoffice/v4/account%20x?id=1;2&a=%zz&b=%ff")
	if err != nil {
		t.Fatal(err)
	}
	r, _ := s.upstream.last(t)
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	want := "/frontoffice/ws/v4/account%20x?access_token=" + token + "&id=1;2&a=%zz&b=%ff"
	if !strings.HasPrefix(token, "eyJ") || r.RequestURI != want || r.Header.Get("Cookie") != "" || r.Header.Get("Origin") != "" {
		t.Errorf("the hub gets %s %v, want %s", r.RequestURI, r.Header, want)
	}
	for range 3 {
		say(t, c, "hello")
		<-time.After(120 * time.Millisecond) // the server's timeouts are real
		s.clock.Pass(time.Minute)
		s.renew(a)
	}
	if n := s.identity.Grants("refresh_token"); n < 3 {
		t.Errorf("%d renewals, want at least 3", n)
	}
	again, err := a.dialHub("/ws/frontoffice/v4/account")
	if err != nil {
		t.Fatal(err)
	}
	say(t, again, "hello")
	if r, _ := s.upstream.last(t); r.RequestURI == "/frontoffice/ws/v4/account?access_token="+token {
		t.Error("the hub gets the token from before the renewals")
	}
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
		c, err := a.dialHub(target)
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
		"access_token=eviltoken":            "",
		"access_token":                      "",
		"id=7&access_token=eviltoken&b=%2B": "id=7&b=%2B",
		"access_token=eviltoken&access_token=badtoken":       "",
		"Access_Token=eviltoken&ACCESS_TOKEN=badtoken":       "",
		"acce%73s_token=eviltoken":                           "",
		"%61%63%63%65%73%73%5F%74%6F%6B%65%6E=eviltoken":     "",
		"access%5ftoken=eviltoken":                           "",
		"access%255ftoken=eviltoken":                         "",
		"access%25255ftoken=eviltoken":                       "",
		"access%25252525252525255ftoken=eviltoken":           "",
		"%41ccess_token=eviltoken":                           "",
		"acce%C5%BFs_token=eviltoken":                        "", // a long s, whose upper case is S
		"acce\u017fs_token=eviltoken":                        "",
		"access_to\u212aen=eviltoken":                        "", // the Kelvin sign, whose lower case is k
		"id=7;access_token=eviltoken;b=8":                    "id=7;b=8",
		"access_token=eviltoken;b=8":                         "b=8",
		"id=7%26access_token=eviltoken":                      "",
		"id=7%3Baccess_token%3Deviltoken":                    "",
		"access_token[]=eviltoken&access_token%5B0%5D=x":     "",
		"%zzaccess_token=eviltoken&+access_token=badtoken":   "",
		"%20access_token=eviltoken&access_token%00=badtoken": "",
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
	for name, header := range map[string][]string{
		"no origin":      {"Origin", ""},
		"foreign origin": {"Origin", "https://evil.example"},
		"null":           {"Origin", "null"},
		"other scheme":   {"Origin", strings.Replace(s.server.URL, "http:", "https:", 1)},
		"cross-site":     {"Sec-Fetch-Site", "cross-site"},
	} {
		if got := a.handshake(path, header...); got.StatusCode != http.StatusForbidden {
			t.Errorf("%s gives %d, want 403", name, got.StatusCode)
		}
	}
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
		"page":   func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RequestURI) },
		"stream": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "text/event-stream") },
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

// A hub's websocket ends with its session, in both directions, and counts as a
// stream of the session.
func TestHubEndsWithSession(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) { c.FrontOffice.MaxStreams = 1 })
	a := s.signedIn()
	over := make(chan bool)
	server := websocket.Server{Handler: func(c *websocket.Conn) { _, _ = io.Copy(c, c); over <- true }}
	s.upstream.will(server.ServeHTTP)
	c, err := a.dialHub("/ws/frontoffice/v4/account")
	if err != nil {
		t.Fatal(err)
	}
	say(t, c, "hello")
	a.refused(a.handshake("/ws/frontoffice/v4/account"), http.StatusTooManyRequests, "too_many_streams")
	within(t, over) // of the second
	a.signOut()
	_ = within(t, ends(c))
	within(t, over)
	a.refused(a.handshake("/ws/frontoffice/v4/account"), http.StatusUnauthorized, "no_session")
}
