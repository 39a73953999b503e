package web_test

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"b2trader.identity.auth/web"
)

// feed is an API's event stream: it sends what the test gives it.
type feed struct {
	events chan string
	over   chan error // why it ended
}

func (s *apiSite) feed() *feed {
	f := &feed{make(chan string), make(chan error, 100)}
	s.upstream.will(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		controller := http.NewResponseController(w)
		_ = controller.Flush()
		for {
			select {
			case event := <-f.events:
				_, _ = io.WriteString(w, "data: "+event+"\n\n")
				_ = controller.Flush()
			case <-r.Context().Done():
				f.over <- r.Context().Err()
				return
			}
		}
	})
	return f
}

// listen opens an event stream as an EventSource does.
func (a *app) listen() (*http.Response, *bufio.Reader) {
	a.t.Helper()
	r := a.request(http.MethodGet, "/api/frontoffice/v3/prices", "", "X-Requested-With", "", "Accept", "text/event-stream")
	resp, err := (&http.Client{Jar: a.client.Jar, Transport: a.client.Transport}).Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		a.t.Fatalf("a stream gives %d", resp.StatusCode)
	}
	return resp, bufio.NewReader(resp.Body)
}

func nextEvent(t *testing.T, stream *bufio.Reader) string {
	t.Helper()
	data, err := stream.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, _ = stream.ReadString('\n')
	return strings.TrimSpace(strings.TrimPrefix(data, "data: "))
}

// ends says how what is read ends.
func ends(r io.Reader) <-chan error {
	over := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, r)
		over <- err
	}()
	return over
}

// echo is an API that repeats what a websocket sends.
func (s *apiSite) echo() {
	server := websocket.Server{Handler: func(c *websocket.Conn) { _, _ = io.Copy(c, c) }}
	s.upstream.will(server.ServeHTTP)
}

func say(t *testing.T, c *websocket.Conn, words string) {
	t.Helper()
	var heard string
	if err := websocket.Message.Send(c, words); err != nil {
		t.Fatal(err)
	}
	if err := websocket.Message.Receive(c, &heard); err != nil || heard != words {
		t.Fatal(heard, err)
	}
}

// req 103: each event arrives before the next one is sent, long after the
// server's write timeout, and over renewals of the token.
func TestEventStream(t *testing.T) {
	s := newImpatientSite(t, 200*time.Millisecond, 200*time.Millisecond)
	a, f := s.signedIn(), s.feed()
	resp, stream := a.listen()
	if got := resp.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	for i := range 4 {
		f.events <- strconv.Itoa(i)
		if got := nextEvent(t, stream); got != strconv.Itoa(i) {
			t.Errorf("event %q, want %d", got, i)
		}
		<-time.After(120 * time.Millisecond) // the server's timeouts are real
		s.clock.Pass(time.Minute)
		s.renew(a)
	}
	if n := s.identity.Grants("refresh_token"); n < 4 {
		t.Errorf("%d renewals", n)
	}
}

// renew has the session's token renewed, by a call of the site's own.
func (s *apiSite) renew(a *app) {
	s.t.Helper()
	resp, err := a.client.Get(s.server.URL + "/account/token")
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
}

// req 103: a websocket works, outlives the server's timeouts and renewals.
func TestWebSocket(t *testing.T) {
	s := newImpatientSite(t, 200*time.Millisecond, 200*time.Millisecond)
	a := s.signedIn()
	s.echo()
	c, err := a.dial("/api/frontoffice/v3/socket")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		say(t, c, fmt.Sprint("hello ", i))
		<-time.After(120 * time.Millisecond) // the server's timeouts are real
		s.clock.Pass(time.Minute)
		s.renew(a)
	}
	r, _ := s.upstream.last(t)
	if r.Header.Get("Cookie") != "" || r.Header.Get("Origin") != "" || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer eyJ") {
		t.Errorf("the API gets %v", r.Header)
	}
	_ = c.Close()
}

// req 95: a websocket's handshake comes from this site and has a session.
func TestWebSocketHandshake(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	s.echo()
	const path = "/api/frontoffice/v3/socket"
	for name, header := range map[string][]string{
		"no origin":      {"Origin", ""},
		"foreign origin": {"Origin", "https://evil.example"},
		"null":           {"Origin", "null"},
		"other scheme":   {"Origin", strings.Replace(s.server.URL, "http:", "https:", 1)},
		"other port":     {"Origin", s.server.URL + "0"},
		"cross-site":     {"Origin", s.server.URL, "Sec-Fetch-Site", "cross-site"},
	} {
		if got := a.handshake(path, header...); got.StatusCode != http.StatusForbidden {
			t.Errorf("%s gives %d", name, got.StatusCode)
		}
	}
	old := a.head("GET /api/frontoffice/v3/socket HTTP/1.0") + "Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: " + s.server.URL +
		"\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if lines := a.raw(strings.Replace(old, "X-Requested-With: raw\r\n", "", 1)); len(lines) != 1 || !strings.HasPrefix(lines[0], "403 ") {
		t.Errorf("HTTP/1.0 gives %q", lines)
	}
	stranger := s.visitor()
	stranger.refused(stranger.handshake(path), http.StatusUnauthorized, "no_session")
	if s.upstream.count() != 0 {
		t.Error("one of them reached the API")
	}
	if _, err := a.dial(path); err != nil {
		t.Error(err)
	}
}

// req 105: no other protocol is switched to, neither at the browser's wish nor at the API's.
func TestOtherProtocols(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	lines := a.raw(strings.Replace(a.head("GET /api/frontoffice/v3/x HTTP/1.1"), "Connection: close", "Connection: Upgrade, HTTP2-Settings, close", 1) +
		"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n")
	r, _ := s.upstream.last(t)
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "200 ") || r.Header.Get("Upgrade") != "" || r.Header.Get("Http2-Settings") != "" {
		t.Errorf("%q, the API gets %v", lines, r.Header)
	}
	for _, protocol := range []string{"h2c", "websocket", ""} {
		s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+protocol+"\r\n\r\n")
			_ = conn.Close()
		})
		a.refused(a.get("/api/frontoffice/v3/x"), http.StatusBadGateway, "upstream_unavailable")
	}
}

// req 103: streams end with their session, in both directions.
func TestStreamsEndWithSession(t *testing.T) {
	for name, end := range map[string]func(*app){
		"sign-out":         (*app).signOut,
		"sites that close": func(a *app) { a.web.EndStreams() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newAPISite(t)
			other := s.signedIn()
			a := s.signedIn()
			f := s.feed()
			_, stream := a.listen()
			f.events <- "first"
			nextEvent(t, stream)
			_, others := other.listen()
			s.echo()
			c, err := a.dial("/ws/frontoffice/v4/account")
			if err != nil {
				t.Fatal(err)
			}
			say(t, c, "hello")
			streamOver, socketOver := ends(stream), ends(c)
			end(a)
			if err := within(t, streamOver); err != nil {
				t.Errorf("the stream ends with %v", err)
			}
			_ = within(t, socketOver)
			_ = within(t, f.over) // the API hears of it, too
			if name != "sign-out" {
				return
			}
			f.events <- "still there"
			if got := nextEvent(t, others); got != "still there" {
				t.Errorf("another session's stream: %q", got)
			}
		})
	}
}

// field 19: every open answer ends with its session, within a second, whatever
// its type and its spelling, and also a call or a handshake that the API has not
// answered yet. Streams end when the site closes.
func TestAnswersEndWithSession(t *testing.T) {
	const idle, handshake = time.Minute, "Origin: https://app.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for name, c := range map[string]struct {
		head, mediaType string
		status          string // empty: 200
		stream, partial bool   // partial: what was cut must not look complete
	}{
		"NDJSON":               {mediaType: "application/x-ndjson", stream: true},
		"event stream":         {mediaType: "Text/Event-Stream", stream: true},
		"event stream, shouts": {mediaType: "TEXT/EVENT-STREAM; charset=utf-8", stream: true},
		"JSON":                 {mediaType: "application/json", partial: true},
		"CSV":                  {mediaType: "text/csv", partial: true},
		"websocket":            {head: handshake, stream: true, status: "101 Switching Protocols"},
		"unanswered":           {status: "401 Unauthorized"},
		"unanswered handshake": {head: handshake, status: "401 Unauthorized"},
	} {
		for cause, end := range map[string]func(*site, *browser){
			"sign-out":         func(_ *site, b *browser) { b.post("/sign-out").is(http.StatusSeeOther) },
			"not used":         func(*site, *browser) { pass(idle - 10*time.Second) },
			"sites that close": func(s *site, _ *browser) { s.web.EndStreams() },
		} {
			if cause == "sites that close" && !c.stream {
				continue
			}
			t.Run(name+" "+cause, func(t *testing.T) {
				var over chan time.Time // when the API's side ended
				virtual(t, func(r *http.Request) (*http.Response, error) {
					if c.mediaType == "" && !c.stream {
						defer func() { over <- time.Now() }()
						return hangs(r)
					}
					resp := answerOf(c.mediaType, nil)
					resp.Request = r
					if c.head == "" {
						body := newEndless(true)
						go func() { <-r.Context().Done(); over <- time.Now(); _ = body.Close() }() // as a transport does
						resp.Body = body
						return resp, nil
					}
					ours, theirs := net.Pipe()
					go func() { _, _ = io.Copy(io.Discard, ours); over <- time.Now() }()
					resp.StatusCode, resp.ContentLength, resp.Body = http.StatusSwitchingProtocols, 0, theirs
					resp.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
					return resp, nil
				}, func(s *site, send func(*browser, string, string) (net.Conn, <-chan string)) {
					over = make(chan time.Time, 1)
					b := s.browser()
					b.signIn("trader", "spa")
					conn, status := send(b, "GET /api/frontoffice/v3/export", c.head+"\r\n")
					line, rest := make(chan string, 1), make(chan string, 1)
					go func() {
						line <- <-status
						read, _ := io.ReadAll(conn)
						rest <- string(read)
					}()
					pass(10 * time.Second)
					end(s, b)
					ended := time.Now()
					if at := <-over; at.Sub(ended).Abs() > time.Second {
						t.Errorf("the exchange with the API ends %v after the session, want 1 s at most", at.Sub(ended))
					}
					if got := <-line; got != cmp.Or(c.status, "200 OK") {
						t.Errorf("status = %q, want %q", got, cmp.Or(c.status, "200 OK"))
					}
					if got := <-rest; c.partial && strings.HasSuffix(got, "0\r\n\r\n") {
						t.Errorf("an answer that was cut looks complete: it ends with %q", got)
					}
				}, func(c *web.Config) { c.IdleTimeout = idle })
			})
		}
	}
}

// req 103: also for a browser that does not read what it is sent.
func TestStreamsOfDeafBrowserEnd(t *testing.T) {
	for name, request := range map[string]string{
		"event stream": "Accept: text/event-stream\r\nConnection: close\r\n",
		"websocket":    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newAPISite(t)
			a := s.signedIn()
			full, over := make(chan bool), make(chan bool)
			flood := func(w io.Writer) {
				defer close(over)
				written := make(chan bool, 1)
				go func() {
					for { // until the browser reads no more for a while
						select {
						case <-written:
						case <-time.After(300 * time.Millisecond):
							close(full)
							return
						}
					}
				}()
				block := make([]byte, 1<<20)
				for {
					if _, err := w.Write(block); err != nil {
						return
					}
					select {
					case written <- true:
					default:
					}
				}
			}
			s.upstream.will(func(w http.ResponseWriter, r *http.Request) {
				if name == "websocket" {
					websocket.Server{Handler: func(c *websocket.Conn) { flood(c) }}.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "text/event-stream")
				flood(w)
			})
			conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			head := strings.Replace(a.head("GET /api/frontoffice/v3/x HTTP/1.1"), "Connection: close\r\n", "Origin: "+s.server.URL+"\r\n", 1)
			if _, err := io.WriteString(conn, head+request+"\r\n"); err != nil {
				t.Fatal(err)
			}
			within(t, full)
			a.signOut()
			within(t, over)
			for within(t, s.served) != "/api/frontoffice/v3/x" { // though nothing was read
			}
			_ = within(t, ends(conn))
		})
	}
}

// req 107: a session's streams are counted, and given back.
func TestStreamLimit(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) { c.FrontOffice.MaxStreams, c.FrontOffice.MaxCalls = 2, 1 })
	a, other := s.signedIn(), s.signedIn()
	f := s.feed()
	first, _ := a.listen()
	a.listen() // req 104: they take no place of the calls, of which there may be one
	ask := func() reply { return a.get("/api/frontoffice/v3/prices", "Accept", "text/event-stream") }
	a.refused(ask(), http.StatusTooManyRequests, "too_many_streams")
	_ = within(t, f.over) // the API's is closed
	other.listen()
	_ = first.Body.Close()
	_ = within(t, f.over)
	a.listenAgain()
}

// listenAgain opens a stream as soon as there is a place.
func (a *app) listenAgain() {
	a.t.Helper()
	for range 1000 {
		resp, err := a.client.Do(a.request(http.MethodGet, "/api/frontoffice/v3/prices", ""))
		if err != nil {
			a.t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	a.t.Error("its place is not given back")
}

// req 104: streams hold nothing that calls need: neither a place among the
// calls, nor a lock, nor a connection that calls would wait for.
func TestStreamsHoldNothing(t *testing.T) {
	transport := web.NewAPITransport()
	s := newAPISite(t, func(c *web.Config) {
		c.FrontOffice.MaxStreams, c.FrontOffice.MaxCalls, c.APITransport = 50, 1, transport
	})
	a := s.signedIn()
	s.feed()
	for range 50 {
		a.listen()
	}
	s.upstream.will(func(http.ResponseWriter, *http.Request) {})
	s.clock.Pass(time.Minute)
	if got := a.get("/api/frontoffice/v3/x"); got.StatusCode != http.StatusOK {
		t.Errorf("a call gives %d", got.StatusCode)
	}
	s.signedIn()
	a.signOut()
}

// The connection of a stream that has ended serves the next request, without the stream's deadlines.
func TestConnectionAfterStream(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: 1\n\n")
	})
	if got := a.get("/api/frontoffice/v3/x"); got.body != "data: 1\n\n" {
		t.Errorf("%q", got.body)
	}
	if got := a.get("/api/frontoffice/v3/x"); got.body != "data: 1\n\n" {
		t.Errorf("%q", got.body)
	}
}
