package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// bodyWait bounds how long a body that is too large to be kept may take to come in.
const bodyWait = 2 * time.Minute

// proxy passes API calls on to where they belong, with the session's bearer.
type proxy struct {
	server  *Server
	origin  string // of this site, as browsers write it
	apis    map[string]*api
	streams *streams
	bearers bearers
}

// api is one API below /api/.
type api struct {
	*proxy
	name    string
	limits  Upstream
	allow   string // the methods, for the header of that name
	headers map[string]bool

	prefix          string // on this site, such as /api/frontoffice/
	base            *url.URL
	basePath        string // on the API's host, such as /frontoffice/api/
	escapedBasePath string

	forward httputil.ReverseProxy
	calls   atomic.Int64 // under way
}

func newProxy(s *Server) *proxy {
	p := &proxy{server: s, origin: siteOrigin(s.config.PublicURL), apis: make(map[string]*api), streams: newStreams()}
	p.add("frontoffice", s.config.FrontOfficeURL, s.config.FrontOffice)
	p.add("backoffice", s.config.BackOfficeURL, s.config.BackOffice)
	return p
}

// add offers the API that is at baseURL + "/api/". Config.validate has checked baseURL.
func (p *proxy) add(name, baseURL string, limits Upstream) {
	base, err := url.Parse(baseURL)
	if baseURL == "" || err != nil {
		return
	}
	limits = limits.withDefaults()
	a := &api{
		proxy: p, name: name, limits: limits, allow: strings.Join(limits.Methods, ", "), headers: forwardedHeaders(limits.RequestHeaders),
		prefix: request.APIPrefix + name + "/", base: base, basePath: base.Path + request.APIPrefix, escapedBasePath: base.EscapedPath() + request.APIPrefix,
	}
	a.forward = httputil.ReverseProxy{
		Rewrite: a.rewrite, Transport: a, ModifyResponse: a.modify, ErrorHandler: a.failed, BufferPool: buffers{},
		ErrorLog: slog.NewLogLogger(p.server.config.Logger.Handler(), slog.LevelWarn),
	}
	p.apis[name] = a
}

// Or answers what is for an API, and leaves the rest to next. It comes before
// any mux, whose way to clean a path is a redirect.
func (p *proxy) Or(next http.Handler) http.Handler {
	call := p.server.answers.Page(p.serve)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if request.ForAPI(r) {
			call.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// call is one API call on its way.
type call struct {
	api    *api
	in     *http.Request // what came in
	rest   string        // of the path, after the API's prefix, as it is spelt
	caller caller
	token  *oauth2.Token
	out    answerWriter
	values [3]string // of headers, for rewrite
	status int       // of the API's answer; 0 while there is none
	stream *stream   // nil for a plain call
	repeat bool      // it can be sent once more
}

// callOf returns the call of the request whose context ctx is.
func callOf(ctx context.Context) *call { c, _ := ctx.Value(callKey{}).(*call); return c }

type callKey struct{}

// serve checks everything before the API hears of the call.
func (p *proxy) serve(w http.ResponseWriter, r *http.Request) error {
	name, rest, ok := apiTarget(r)
	if !ok {
		return &answer.Error{Status: http.StatusBadRequest, Code: "bad_request.path"}
	}
	a := p.apis[name]
	if a == nil {
		return &answer.Error{Status: http.StatusNotFound, Code: "not_found.api"}
	}
	if !slices.Contains(a.limits.Methods, r.Method) {
		w.Header().Set("Allow", a.allow)
		return &answer.Error{Status: http.StatusMethodNotAllowed}
	}
	c := &call{api: a, rest: rest, out: answerWriter{ResponseWriter: w}}
	if err := p.admit(c, w, r); err != nil {
		if request.IsNavigation(r) && errors.Is(err, answer.ErrNoSession) {
			return answer.AskToSignIn(err)
		}
		return err
	}
	if n := a.calls.Add(1); n > int64(a.limits.MaxCalls) {
		a.calls.Add(-1)
		return &answer.Error{Status: http.StatusServiceUnavailable, Code: "busy", RetryAfter: time.Second}
	}
	defer c.end()
	return a.send(c, r)
}

// admit finds the session of a call that this site may have sent.
func (p *proxy) admit(c *call, w http.ResponseWriter, r *http.Request) (err error) {
	proof := p.proof(r)
	use := proof == nil && r.Header.Get(requestedWith) != "" && r.Header.Get(requestedWith) != background
	if proof != nil && !request.IsNavigation(r) {
		return proof
	}
	if c.caller, err = p.server.sessions.Caller(r, use); err != nil {
		return err
	}
	if proof != nil { // only now: who navigates here without a session is asked to sign in
		return proof
	}
	request.Of(r.Context()).Session = request.Clip(c.caller.id(), 16)
	return c.takeBody(w, r)
}

// send passes the call on. What goes wrong before anything was sent is its error.
func (a *api) send(c *call, r *http.Request) (err error) {
	if c.token, err = a.server.vault.Token(r.Context(), c.caller.vaultKey); err != nil {
		return a.tokenFault(r.Context(), c, err)
	}
	if len(c.token.AccessToken) > maxBearer {
		return &answer.Error{
			Status: http.StatusBadGateway, Code: "token_too_large",
			Err: fmt.Errorf("an access token of %d bytes", len(c.token.AccessToken)),
		}
	}
	request.Of(r.Context()).APICall = true
	c.in = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	delete(c.out.Header(), "Cache-Control") // see cacheable
	defer a.measure(c, time.Now())
	a.forward.ServeHTTP(&c.out, c.in)
	return nil
}

// measure notes a call that was passed on. How long a stream was open says nothing of the API.
func (a *api) measure(c *call, began time.Time) {
	a.server.metrics.upstream(a.name, c.status)
	if c.stream == nil {
		a.server.metrics.upstreamTook(a.name, time.Since(began))
	}
}

// end gives back what the call took.
func (c *call) end() {
	if c.stream != nil {
		c.stream.close()
		return
	}
	c.api.calls.Add(-1)
}

// maxKept bounds the bodies that are kept to be sent once more, in bytes.
const maxKept = 64 << 10

// takeBody bounds the body of a call. A small one is read before anything is
// sent, so that it can be sent again.
func (c *call) takeBody(w http.ResponseWriter, r *http.Request) error {
	switch n := r.ContentLength; {
	case n < 0:
		// RFC 9112 section 6.3: a server may refuse a body of unknown length. Browsers tell the length, and a
		// request with two of them (Transfer-Encoding beside Content-Length) is refused by this, too.
		return &answer.Error{Status: http.StatusLengthRequired, Code: "length_required"}
	case n > c.api.limits.MaxBody:
		return &answer.Error{Status: http.StatusRequestEntityTooLarge, Code: "too_large.call"}
	case n > maxKept:
		// The server's ReadTimeout is for the forms of pages. One that knows no deadlines has none.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWait))
		return nil
	case n == 0:
		c.repeat = !isWebSocket(r)
		return nil
	}
	kept := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, kept); err != nil {
		return &answer.Error{Status: http.StatusBadRequest, Code: "bad_request.body", Err: err}
	}
	keepBody(r, kept)
	c.repeat = true
	return nil
}

// buffers are shared by the answers of all APIs.
type buffers struct{}

const bufferSize = 32 << 10

var bufferPool = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Get implements httputil.BufferPool.
func (buffers) Get() []byte { return bufferPool.Get().(*[bufferSize]byte)[:] }

// Put implements httputil.BufferPool.
func (buffers) Put(b []byte) { bufferPool.Put((*[bufferSize]byte)(b)) }

// tokenFault ends a session whose tokens are gone, and is what the caller hears.
func (a *api) tokenFault(ctx context.Context, c *call, err error) error {
	if !errors.Is(err, vault.ErrNotFound) && !errors.Is(err, vault.ErrEnded) {
		return err
	}
	a.server.logger.InfoContext(ctx, "session over", "error", err)
	if err := a.server.sessions.Forget(ctx, c.caller); err != nil {
		a.server.logger.ErrorContext(ctx, "session not ended", "error", err)
	}
	return &answer.Error{Status: http.StatusUnauthorized, Code: "no_session", Err: answer.ErrNoSession}
}
