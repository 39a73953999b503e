package e2e

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// The users of an identityServer. Each password reads differently in each
// escaping, so that secrets finds it in any of them.
const (
	trader  = "trader@example.com"
	admin   = "admin@example.com"
	guarded = "guarded@example.com" // has a second factor
	machine = "machine@example.com"
)

var passwords = map[string]string{
	trader:  `trader's <pass> & "wörd"+%41/=`,
	admin:   `admin's <pass> & "wörd"+%42/=`,
	guarded: `guarded's <pass> & "wörd"+%43/=`,
	machine: `machine's <pass> & "wörd"+%44/=`,
}

func users() []identitytest.User {
	return []identitytest.User{
		{ID: "0a3e7b1c-0000-4000-8000-000000000001", Email: trader, Password: passwords[trader], Nickname: "Tracy Trader"},
		{ID: "0a3e7b1c-0000-4000-8000-000000000002", Email: admin, Password: passwords[admin], Nickname: "Ada Admin", Role: "Admin"},
		{ID: "0a3e7b1c-0000-4000-8000-000000000003", Email: guarded, Password: passwords[guarded], Nickname: "Gail Guarded", SecondFactorCode: "246810"},
		{ID: "0a3e7b1c-0000-4000-8000-000000000004", Email: machine, Password: passwords[machine], Nickname: "Robot"},
	}
}

// longLife is the life of an access token where renewal is not the topic of a
// test, so that no token falls due on a slow machine. A test of renewal
// shortens the one token that it wants renewed, see shorten.
const longLife = time.Hour

// identityServer is a test IdentityServer with its APIs, in the process of the
// test and on a listener of its own. Each secret that goes in or out is
// reported to secrets.
type identityServer struct {
	*identitytest.Server
	secrets *secrets

	token       atomic.Pointer[hold] // holds requests to the token endpoint
	tokenAnswer atomic.Pointer[hold] // holds the answers of the token endpoint
	slow        atomic.Pointer[hold] // holds calls of slowCall
}

// startIdentityServer starts an IdentityServer that stops with the test.
func startIdentityServer(t *testing.T, s *secrets) *identityServer {
	t.Helper()
	return startIdentityServerWith(t, s, longLife)
}

// startIdentityServerWith starts one whose access tokens live that long.
func startIdentityServerWith(t *testing.T, s *secrets, life time.Duration) *identityServer {
	t.Helper()
	server, err := identitytest.New(identitytest.Config{Users: users(), AccessTokenLifetime: life})
	if err != nil {
		t.Fatal(err)
	}
	p := &identityServer{Server: server, secrets: s}
	listen(t, server, p)
	return p
}

// listen serves handler on the listener that server makes for its issuer, until
// the test ends.
func listen(t *testing.T, server *identitytest.Server, handler http.Handler) {
	t.Helper()
	listener, err := server.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- s.Serve(listener) }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve() = %v, want http.ErrServerClosed", err)
		}
	})
}

// ServeHTTP implements http.Handler.
func (p *identityServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if endless := p.endless(r.URL.Path); endless != nil {
		endless.ServeHTTP(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/frontoffice/ws/") { // a websocket takes the connection over
		p.secrets.learn("access token in a query", r.URL.Query().Get("access_token"))
		p.Server.ServeHTTP(w, r)
		return
	}
	isToken := r.URL.Path == "/identity/connect/token"
	body := copyBody(r)
	p.secrets.learnRequest(r, body)
	if isToken {
		wait(r, &p.token)
	}
	answer := httptest.NewRecorder()
	p.Server.ServeHTTP(answer, r)
	p.secrets.learnResponse(answer.Result(), answer.Body.Bytes())
	if isToken {
		wait(r, &p.tokenAnswer)
	}
	pass(w, answer)
}

// copyBody reads the body of a request, which can be read again afterwards.
func copyBody(r *http.Request) []byte {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body
}

// pass writes a recorded answer to w.
func pass(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // an error means that the client hung up
}

// hold keeps requests waiting until release is called.
type hold struct {
	arrived chan struct{} // receives one value for each waiting request
	gate    chan struct{}
	once    sync.Once
}

func (h *hold) release() { h.once.Do(func() { close(h.gate) }) }

// newHold makes the requests of one kind wait.
func newHold(at *atomic.Pointer[hold]) *hold {
	h := &hold{arrived: make(chan struct{}, 64), gate: make(chan struct{})}
	at.Store(h)
	return h
}

// wait blocks a request until its hold is released. If the client hangs up, the
// request is aborted.
func wait(r *http.Request, at *atomic.Pointer[hold]) {
	h := at.Load()
	if h == nil {
		return
	}
	select {
	case h.arrived <- struct{}{}:
	default:
	}
	select {
	case <-h.gate:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// shortLife is the life of a token that shorten announces.
const shortLife = 2 * time.Second

// shorten has the next token of a grant announce shortLife, so that its owner
// renews it soon.
func (p *identityServer) shorten(grant string) {
	p.Inject(identitytest.EndpointToken, identitytest.Fault{
		Grant:  grant,
		Answer: func(fields map[string]any) { fields["expires_in"] = int(shortLife / time.Second) },
	})
}

// wantCount fails the test unless the endpoint received want requests.
func (p *identityServer) wantCount(t *testing.T, e identitytest.Endpoint, want int) {
	t.Helper()
	if got := p.Count(e); got != want {
		t.Errorf("Count(%s) = %d requests, want %d", e, got, want)
	}
}

// wantGrants fails the test unless the token endpoint received want requests
// with the grant.
func (p *identityServer) wantGrants(t *testing.T, grant string, want int) {
	t.Helper()
	if got := p.Grants(grant); got != want {
		t.Errorf("Grants(%s) = %d requests, want %d", grant, got, want)
	}
}
