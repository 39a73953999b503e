package web_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// refuser answers 401 to the first token it sees, and remembers all of them.
type refuser struct{ tokens []string }

func (f *refuser) serve(w http.ResponseWriter, r *http.Request) {
	f.tokens = append(f.tokens, r.Header.Get("Authorization"))
	if r.Header.Get("Authorization") == f.tokens[0] {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = io.Copy(w, r.Body)
}

// replayed makes a call whose token the API refuses although it is good.
func replayed(t *testing.T, make func(*app) *http.Request) (reply, *refuser, *apiSite) {
	t.Helper()
	s := newAPISite(t)
	a, f := s.signedIn(), &refuser{}
	s.upstream.will(f.serve)
	s.clock.Pass(10 * time.Second) // the token is not young any more, nor due
	return a.do(make(a)), f, s
}

// req 59: one renewal, one repetition, whatever the method, if the body is here.
func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
		body := strings.Repeat("b", 64<<10)
		if method == http.MethodGet {
			body = ""
		}
		got, f, s := replayed(t, func(a *app) *http.Request { return a.request(method, "/api/frontoffice/v3/x", body) })
		if got.StatusCode != http.StatusOK || len(f.tokens) != 2 || f.tokens[0] == f.tokens[1] || s.identity.Grants("refresh_token") != 1 {
			t.Errorf("%s gives %d after %d calls and %d renewals", method, got.StatusCode, len(f.tokens), s.identity.Grants("refresh_token"))
		}
		if _, again := s.upstream.last(t); again != body {
			t.Errorf("%s: the second body has %d bytes", method, len(again))
		}
	}
}

// req 59, 101: what cannot be repeated is not, and the 401 arrives without its challenge.
func TestRefusedTokenWithoutRepetition(t *testing.T) {
	got, f, s := replayed(t, func(a *app) *http.Request {
		return a.request("POST", "/api/frontoffice/v3/x", strings.Repeat("b", 64<<10+1))
	})
	if got.StatusCode != http.StatusUnauthorized || len(f.tokens) != 1 || s.identity.Grants("refresh_token") != 0 {
		t.Errorf("a body too large to keep gives %d after %d calls and %d renewals", got.StatusCode, len(f.tokens), s.identity.Grants("refresh_token"))
	}
	if got.Header.Get("WWW-Authenticate") != "" {
		t.Error("WWW-Authenticate is passed on")
	}
}

// req 59: an API that refuses every token does not have one renewed for each call.
func TestEveryTokenIsRefused(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	s.clock.Pass(10 * time.Second)
	for range 5 {
		if got := a.get("/api/frontoffice/v3/x"); got.StatusCode != http.StatusUnauthorized {
			t.Errorf("%d", got.StatusCode)
		}
	}
	if n := s.identity.Grants("refresh_token"); n != 1 || s.upstream.count() != 6 {
		t.Errorf("%d renewals and %d calls, want 1 and 6", n, s.upstream.count())
	}
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {})
	if got := a.get("/api/frontoffice/v3/x"); got.StatusCode != http.StatusOK {
		t.Errorf("the session gives %d", got.StatusCode)
	}
}

// A refused token that cannot be replaced just now is 503; one that never will be ends the session.
func TestRefusedTokenWithoutSuccessor(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	s.clock.Pass(10 * time.Second)
	s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{Status: http.StatusInternalServerError, Times: -1})
	a.refused(a.get("/api/frontoffice/v3/x"), http.StatusServiceUnavailable, "unavailable")
	s.identity.ClearFaults()
	s.identity.RevokeTokens("trader@example.com")
	s.identity.EndSessions("trader@example.com") // which could resume
	s.clock.Pass(time.Minute)
	a.refused(a.get("/api/frontoffice/v3/x"), http.StatusUnauthorized, "no_session")
}

// req 107
func TestBodyLimit(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) { c.FrontOffice.MaxBody = 100_000 })
	a := s.signedIn()
	if got := a.send(http.MethodPost, "/api/frontoffice/v3/x", strings.Repeat("b", 100_000)); got.StatusCode != http.StatusOK {
		t.Errorf("%d", got.StatusCode)
	}
	if _, body := s.upstream.last(t); len(body) != 100_000 {
		t.Errorf("%d bytes came", len(body))
	}
	a.refused(a.send(http.MethodPost, "/api/frontoffice/v3/x", strings.Repeat("b", 100_001)), http.StatusRequestEntityTooLarge, "too_large")
	r := a.request(http.MethodPost, "/api/frontoffice/v3/x", "")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("of unknown length")), -1
	a.refused(a.do(r), http.StatusLengthRequired, "length_required")
	if n := s.upstream.count(); n != 1 {
		t.Errorf("%d calls reached the API", n)
	}
	usual := newAPISite(t)
	a = usual.signedIn()
	if got := a.send(http.MethodPost, "/api/frontoffice/v3/x", strings.Repeat("b", 10<<20)); got.StatusCode != http.StatusOK {
		t.Errorf("10 MiB: %d", got.StatusCode)
	}
	a.refused(a.send(http.MethodPost, "/api/frontoffice/v3/x", strings.Repeat("b", 10<<20+1)), http.StatusRequestEntityTooLarge, "too_large")
}

// req 107: what an API's own limit does not allow waits with the caller, not here.
func TestConcurrencyLimit(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) { c.FrontOffice.MaxCalls = 2 })
	a := s.signedIn()
	arrived, leave := make(chan bool, 2), make(chan bool)
	s.upstream.will(func(http.ResponseWriter, *http.Request) { arrived <- true; <-leave })
	done := make(chan int, 2)
	for range 2 {
		r := a.request(http.MethodGet, "/api/frontoffice/v3/x", "")
		go func() { done <- a.do(r).StatusCode }()
	}
	<-arrived
	<-arrived
	got := a.get("/api/frontoffice/v3/x")
	a.refused(got, http.StatusServiceUnavailable, "busy")
	if got.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", got.Header.Get("Retry-After"))
	}
	close(leave)
	if first, second := <-done, <-done; first != http.StatusOK || second != http.StatusOK {
		t.Errorf("%d, %d", first, second)
	}
	s.upstream.will(func(http.ResponseWriter, *http.Request) {})
	for range 5 { // every way out gives its place back
		if got := a.get("/api/frontoffice/v3/x"); got.StatusCode != http.StatusOK {
			t.Errorf("%d", got.StatusCode)
		}
	}
}

// req 107: an answer's header is bounded.
func TestResponseHeaderLimit(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Long", strings.Repeat("h", 80<<10)) })
	a.refused(a.get("/api/frontoffice/v3/x"), http.StatusBadGateway, "upstream_unavailable")
}

// req 107: an API that is slow, or away, is told from one that answers.
func TestUpstreamFaults(t *testing.T) {
	transport := web.NewAPITransport()
	transport.ResponseHeaderTimeout = 50 * time.Millisecond
	s := newAPISite(t, func(c *web.Config) { c.APITransport = transport })
	a := s.signedIn()
	s.upstream.will(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	a.refused(a.get("/api/frontoffice/v3/x"), http.StatusGatewayTimeout, "upstream_timeout")
	s.upstream.will(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	a.refused(a.send(http.MethodPost, "/api/frontoffice/v3/x", "{}"), http.StatusBadGateway, "upstream_unavailable")
	for _, status := range []string{"000", "042", "099"} { // which no server can pass on
		s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
			sayRaw(w, "HTTP/1.1 "+status+" Odd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		})
		a.refused(a.get("/api/frontoffice/v3/x"), http.StatusBadGateway, "upstream_unavailable")
	}
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	resp, err := a.client.Do(a.request(http.MethodGet, "/api/frontoffice/v3/x", ""))
	if err == nil { // else the connection was cut before anything was sent
		if body, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("half an answer looks whole: %q", body)
		}
	}
	s.upstream.server.CloseClientConnections()
	s.upstream.server.Close()
	a.refused(a.get("/api/frontoffice/v3/x"), http.StatusBadGateway, "upstream_unavailable")
}

// A browser that goes away takes its call with it.
func TestBrowserGoesAway(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	arrived, ended := make(chan bool), make(chan error, 1)
	s.upstream.will(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		ended <- r.Context().Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if _, err := a.client.Do(a.request(http.MethodGet, "/api/frontoffice/v3/x", "").WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := within(t, ended); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// within returns what c yields, which must not take long.
func within[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute): // the machine may be slow
		t.Fatal("nothing happens")
		panic("unreachable")
	}
}

// req 107: a large body may take longer than the server allows for the forms of pages.
func TestSlowBody(t *testing.T) {
	s := newImpatientSite(t, 150*time.Millisecond, 0)
	a := s.signedIn()
	half := strings.Repeat("b", 50_000)
	r := a.request(http.MethodPost, "/api/frontoffice/v3/x", half+half)
	reader, writer := io.Pipe()
	r.Body = reader
	go func() {
		_, _ = io.WriteString(writer, half)
		<-time.After(400 * time.Millisecond) // the server's timeout is real
		_, _ = io.WriteString(writer, half)
		_ = writer.Close()
	}()
	if got := a.do(r); got.StatusCode != http.StatusOK {
		t.Errorf("%d %s", got.StatusCode, got.body)
	}
	if _, body := s.upstream.last(t); len(body) != 100_000 {
		t.Errorf("%d bytes came", len(body))
	}
}

// req 108: a token that no server would take is not sent.
func TestLongToken(t *testing.T) {
	for _, size := range []int{8<<10 - 24, 8<<10 - 23} {
		s := newAPISite(t)
		token := strings.Repeat("t", size)
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{Answer: func(fields map[string]any) {
			fields["access_token"] = token
			delete(fields, "id_token")
		}, Grant: "refresh_token"})
		a := s.signedIn()
		s.clock.Pass(time.Minute)
		got := a.get("/api/frontoffice/v3/x")
		if size == 8<<10-23 {
			a.refused(got, http.StatusBadGateway, "token_too_large")
			continue
		}
		r, _ := s.upstream.last(t)
		if line := fmt.Sprintf("Authorization: %s\r\n", r.Header.Get("Authorization")); len(line) > 8<<10 || got.StatusCode != http.StatusOK {
			t.Errorf("%d with a line of %d bytes", got.StatusCode, len(line))
		}
	}
}

// req 106: an unknown certificate is refused, unless the operator trusts it.
func TestUpstreamCertificate(t *testing.T) {
	u := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }))
	u.EnableHTTP2 = true
	u.Config.ErrorLog = quiet
	u.StartTLS()
	t.Cleanup(u.Close)
	roots := x509.NewCertPool()
	roots.AddCert(u.Certificate())
	trusting := web.NewAPITransport()
	trusting.TLSClientConfig = u.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trusting.TLSClientConfig.RootCAs, trusting.TLSClientConfig.NextProtos = roots, nil
	for _, transport := range []*http.Transport{nil, trusting} {
		s := newAPISite(t, func(c *web.Config) {
			c.FrontOfficeURL = u.URL
			if transport != nil {
				c.APITransport = transport
			}
		})
		a := s.signedIn()
		got := a.get("/api/frontoffice/v3/x")
		switch {
		case transport == nil:
			a.refused(got, http.StatusBadGateway, "upstream_unavailable")
		case got.StatusCode != http.StatusOK || got.body != "HTTP/2.0":
			t.Errorf("%d %s", got.StatusCode, got.body)
		}
	}
}

// A refused token is young by its own age: one whose answer took longer than
// that to arrive is renewed, and one that came at once is not. field 46
func TestYoungTokenCountsFromItsStart(t *testing.T) {
	for delay, renewals := range map[time.Duration]int{0: 1, 6 * time.Second: 2} {
		synctest.Test(t, func(t *testing.T) {
			f := &refuser{}
			s := newSite(t, func(c *web.Config) { c.APITransport = handlerTransport(f.serve) })
			b := s.browser()
			b.signIn("trader", "spa").leadsTo("/account")
			pass(time.Minute) // the token has expired
			s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: delay, Times: 1})
			b.call("/api/frontoffice/v3/account")
			if n := s.identity.Grants("refresh_token"); n != renewals {
				t.Errorf("renewals after the API refused a token that took %v to arrive = %d, want %d", delay, n, renewals)
			}
		})
	}
}

// A handlerTransport answers requests itself.
type handlerTransport http.HandlerFunc

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h(w, r)
	return w.Result(), nil
}
