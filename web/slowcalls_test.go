package web_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/web"
)

// pipes is a listener whose connections are in memory, so that time can be
// virtual.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// answerOf is an API's answer with a body of unknown length.
func answerOf(mediaType string, body io.ReadCloser) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {mediaType}}, Body: body, ContentLength: -1,
	}
}

// takesBody answers once it has the whole body.
func takesBody(r *http.Request) (*http.Response, error) {
	read := make(chan error, 1)
	go func() {
		if r.Body == nil {
			read <- nil
			return
		}
		_, err := io.Copy(io.Discard, r.Body)
		read <- err
	}()
	select {
	case err := <-read:
		if err != nil {
			return nil, err
		}
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	resp := answerOf("text/plain", io.NopCloser(strings.NewReader("ok")))
	resp.Request = r
	return resp, nil
}

// virtual runs test with a site whose time is virtual, and a function that opens
// a connection to it and sends a request of a browser. It returns the answer's
// reader.
func virtual(t *testing.T, api transportFunc, test func(s *site, send func(b *browser, head, body string) (net.Conn, <-chan string)), change ...func(*web.Config)) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, append(change, hostPages, func(c *web.Config) { c.APITransport = api })...)
		listener := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{Handler: s.web, ErrorLog: quiet, ReadHeaderTimeout: time.Minute, ReadTimeout: 15 * time.Second, WriteTimeout: 2 * time.Minute}
		go func() { _ = server.Serve(listener) }()
		defer func() { _ = server.Close(); pass(time.Minute) }()
		test(s, func(b *browser, head, body string) (net.Conn, <-chan string) {
			ours, theirs := net.Pipe()
			listener.conns <- theirs
			status := make(chan string, 1)
			go func() {
				line, _ := bufio.NewReader(ours).ReadString('\n')
				status <- strings.TrimSpace(strings.TrimPrefix(line, "HTTP/1.1 "))
			}()
			_, _ = fmt.Fprintf(ours, "%s HTTP/1.1\r\nHost: app.example\r\nX-Requested-With: fetch\r\nCookie: __Host-b2trader-session=%s\r\n%s", head, b.session(), body)
			return ours, status
		})
	})
}

// field 14: a session whose bodies arrive slowly costs other users nothing, and
// its calls end with it or after two minutes.
func TestSlowBodiesOfOneSession(t *testing.T) {
	for _, end := range []string{"time", "sign-out"} {
		virtual(t, takesBody, func(s *site, send func(*browser, string, string) (net.Conn, <-chan string)) {
			attacker, other := s.browser(), s.browser()
			attacker.signIn("trader", "spa")
			other.signIn("admin", "spa_admin")
			var statuses []<-chan string
			for range 256 {
				conn, status := send(attacker, "POST /api/frontoffice/v3/x", "Content-Length: 70000\r\n\r\n")
				statuses = append(statuses, status)
				go func() {
					for {
						if _, err := conn.Write([]byte("b")); err != nil {
							return
						}
						<-time.After(time.Second)
					}
				}()
			}
			pass(5 * time.Second)
			_, status := send(other, "GET /api/frontoffice/v3/x", "\r\n")
			if got := <-status; got != "200 OK" {
				t.Errorf("another user gets %q, want 200", got)
			}
			want := "408 Request Timeout"
			if end == "sign-out" {
				attacker.post("/sign-out").is(http.StatusSeeOther)
				want = "401 Unauthorized"
				pass(time.Second)
			} else {
				pass(2 * time.Minute)
			}
			got := map[string]int{}
			for _, status := range statuses {
				select {
				case line := <-status:
					got[line]++
				default:
					got["none"]++
				}
			}
			if got[want] != 64 {
				t.Errorf("the slow calls end by %s with %v, want 64 times %s", end, got, want)
			}
		})
	}
}

// hangs is an API that does not answer.
func hangs(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// field 14: the calls of a host application's pages share the bounds of the
// session's API calls, and end with the session.
func TestHostCallsOfOneSession(t *testing.T) {
	virtual(t, hangs, func(s *site, send func(*browser, string, string) (net.Conn, <-chan string)) {
		b, other := s.browser(), s.browser()
		b.signIn("trader", "spa")
		other.signIn("admin", "spa_admin")
		var statuses []<-chan string
		for range 64 {
			_, status := send(b, "GET /orders?do=call", "\r\n")
			statuses = append(statuses, status)
		}
		pass(time.Second)
		for _, head := range []string{"GET /orders?do=call", "GET /api/frontoffice/v3/x"} {
			_, status := send(b, head, "\r\n")
			if got := <-status; got != "429 Too Many Requests" {
				t.Errorf("%s beside 64 calls = %q, want 429", head, got)
			}
		}
		began := time.Now()
		b.post("/sign-out").is(http.StatusSeeOther)
		for _, status := range statuses {
			if got := <-status; got != "401 Unauthorized" || time.Since(began) > time.Second {
				t.Fatalf("a call of a page ends with %q %v after the sign-out, want 401 at once", got, time.Since(began))
			}
		}
		b.signIn("trader", "spa")
		_, status := send(b, "GET /orders?do=call", "\r\n")
		if got := <-status; got == "429 Too Many Requests" {
			t.Errorf("the places of ended calls are not free: %q", got)
		}
	})
}

// field 14: the calls of a user with several sessions are bounded, too, and cost
// other users nothing.
func TestCallsOfOneUser(t *testing.T) {
	virtual(t, hangs, func(s *site, send func(*browser, string, string) (net.Conn, <-chan string)) {
		b, second, other := s.browser(), s.browser(), s.browser()
		b.signIn("trader", "spa")
		second.signIn("trader", "spa")
		other.signIn("admin", "spa_admin")
		call := func(b *browser) <-chan string {
			_, status := send(b, "GET /api/frontoffice/v3/x", "\r\n")
			pass(time.Second)
			return status
		}
		open := []<-chan string{call(b), call(b), call(second)}
		for _, refused := range []*browser{second, b} {
			if got := <-call(refused); got != "429 Too Many Requests" {
				t.Errorf("a fourth call of the user = %q, want 429", got)
			}
		}
		open = append(open, call(other))
		b.post("/sign-out").is(http.StatusSeeOther)
		for i, want := range []string{"401 Unauthorized", "401 Unauthorized"} {
			if got := <-open[i]; got != want {
				t.Errorf("call %d of the session that ended = %q, want %q", i, got, want)
			}
		}
		open = append(open, call(second))
		for i, status := range open[2:] {
			select {
			case got := <-status:
				t.Errorf("call %d of another session = %q, want none yet", i, got)
			default:
			}
		}
	}, func(c *web.Config) { c.FrontOffice.MaxCallsPerUser = 3 })
}

// field 14: a body that stalls ends its call after 15 seconds, whatever its size.
func TestBodyThatStalls(t *testing.T) {
	for _, size := range []int{100, 70_000} {
		virtual(t, takesBody, func(s *site, send func(*browser, string, string) (net.Conn, <-chan string)) {
			b := s.browser()
			b.signIn("trader", "spa")
			began := time.Now()
			_, status := send(b, "POST /api/frontoffice/v3/x", fmt.Sprintf("Content-Length: %d\r\n\r\nbbb", size))
			if got, took := <-status, time.Since(began); got != "408 Request Timeout" || took > 20*time.Second {
				t.Errorf("a body of %d bytes that stalls = %q after %v, want 408 after 15 s", size, got, took)
			}
		})
	}
}

// endless is a body that yields bytes until it is closed. If it is silent, it
// yields only the first.
type endless struct {
	silent bool
	began  bool
	once   sync.Once
	closed chan time.Time
	over   chan struct{}
}

func newEndless(silent bool) *endless {
	return &endless{silent: silent, closed: make(chan time.Time, 1), over: make(chan struct{})}
}

func (e *endless) Read(p []byte) (int, error) {
	if e.silent && e.began {
		<-e.over
	}
	e.began = true
	select {
	case <-e.over:
		return 0, errors.New("closed")
	default:
		return copy(p, bytes.Repeat([]byte("x"), 1000)), nil
	}
}

func (e *endless) Close() error {
	e.once.Do(func() { e.closed <- time.Now(); close(e.over) })
	return nil
}

// field 14, field 32: an answer ends if the browser does not read it, or if the
// API sends nothing more, and the log says so. A stream may be silent.
func TestAnswerThatStalls(t *testing.T) {
	for _, c := range []struct {
		name, mediaType string
		silent          bool
		within          time.Duration // zero: it goes on
		reason          string
	}{
		{"browser does not read", "application/octet-stream", false, time.Minute, "the browser does not read"},
		{"API is silent", "application/json", true, 3 * time.Minute, "the API sends nothing"},
		{"API is silent in a stream", "APPLICATION/X-NDJSON", true, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var body *endless
			virtual(t, func(r *http.Request) (*http.Response, error) {
				body = newEndless(c.silent)
				go func() { <-r.Context().Done(); _ = body.Close() }() // as a transport does
				resp := answerOf(c.mediaType, body)
				resp.Request = r
				return resp, nil
			}, func(s *site, send func(*browser, string, string) (net.Conn, <-chan string)) {
				b := s.browser()
				b.signIn("trader", "spa")
				began := time.Now()
				conn, status := send(b, "GET /api/frontoffice/v3/x", "\r\n")
				<-status
				if c.silent {
					go func() { _, _ = io.Copy(io.Discard, conn) }()
				}
				pass(5 * time.Minute)
				select {
				case at := <-body.closed:
					if took := at.Sub(began); c.within == 0 || took > c.within {
						t.Errorf("it ended after %v, want %v", took, c.within)
					}
				default:
					if c.within != 0 {
						t.Errorf("it did not end in 5 minutes, want %v", c.within)
					}
				}
				if c.reason != "" && !strings.Contains(s.log.String(), `"reason":"`+c.reason) {
					t.Errorf("the log lacks the reason %q", c.reason)
				}
			})
		})
	}
}

// field 32: an answer may take longer than the server's write timeout, with and
// without a length.
func TestLongDownload(t *testing.T) {
	s := newImpatientSite(t, 0, 200*time.Millisecond)
	a := s.signedIn()
	piece := strings.Repeat("d", 20_000)
	for _, length := range []string{"", "160000"} {
		s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			for range 8 {
				_, _ = io.WriteString(w, piece)
				_ = http.NewResponseController(w).Flush()
				<-time.After(80 * time.Millisecond) // the server's timeout is real
			}
		})
		if got := a.get("/api/frontoffice/v3/export"); len(got.body) != 160_000 {
			t.Errorf("%d bytes arrived, want 160000 (Content-Length %q)", len(got.body), length)
		}
	}
}
