package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// The bounds of a call's body.
const (
	maxKept  = 64 << 10        // bytes of a body that is kept to be sent again
	bodyWait = 2 * time.Minute // for a larger body to arrive
)

// call is one API call.
type call struct {
	api    *api
	in     *http.Request // from the browser
	rest   string        // of the path, after the API's prefix, still escaped
	caller Caller
	token  *oauth2.Token
	out    streamWriter
	values [3]string // of headers, for rewrite
	status int       // of the API's answer; 0: none yet
	stream *stream   // nil for a plain call
	repeat bool      // the call can be sent again
}

type callKey struct{}

// callOf returns the call of the request whose context ctx is.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// serve checks a call and passes it on.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) error {
	name, rest, ok := apiTarget(r)
	if !ok {
		return &answer.Error{Status: http.StatusBadRequest, Code: "bad_request.path"}
	}
	a := g.apis[name]
	if a == nil {
		return &answer.Error{Status: http.StatusNotFound, Code: "not_found.api"}
	}
	if !slices.Contains(a.limits.Methods, r.Method) {
		w.Header().Set("Allow", a.allow)
		return &answer.Error{Status: http.StatusMethodNotAllowed}
	}
	c := &call{api: a, rest: rest, out: streamWriter{ResponseWriter: w}}
	if err := g.admit(c, w, r); err != nil {
		return err
	}
	if n := a.calls.Add(1); n > int64(a.limits.MaxCalls) {
		a.calls.Add(-1)
		return &answer.Error{Status: http.StatusServiceUnavailable, Code: "busy", RetryAfter: time.Second}
	}
	defer c.end()
	return a.send(c, r)
}

// admit finds the session of the call, and refuses calls that do not prove
// their origin. A person who navigates to an API without a session is asked to
// sign in; one with a session gets the refusal as a page.
func (g *Gateway) admit(c *call, w http.ResponseWriter, r *http.Request) (err error) {
	refusal := g.proveOrigin(r)
	navigation := request.IsNavigation(r)
	if refusal != nil && !navigation {
		return refusal
	}
	sender := r.Header.Get(requestedWith)
	use := refusal == nil && sender != "" && sender != background
	if c.caller, err = g.config.Sessions.Find(r, use); err != nil {
		if navigation {
			return answer.AskToSignIn(err)
		}
		return err
	}
	if refusal != nil {
		return refusal
	}
	request.Of(r.Context()).Session = request.Clip(c.caller.ID, 16)
	return c.takeBody(w, r)
}

// send passes the call on. It returns an error if nothing was sent.
func (a *api) send(c *call, r *http.Request) (err error) {
	if c.token, err = a.config.Vault.Token(r.Context(), c.caller.VaultKey); err != nil {
		return a.tokenError(r.Context(), c, err)
	}
	if len(c.token.AccessToken) > maxBearer {
		return &answer.Error{
			Status: http.StatusBadGateway, Code: "token_too_large",
			Err: fmt.Errorf("an access token of %d bytes", len(c.token.AccessToken)),
		}
	}
	request.Of(r.Context()).APICall = true
	c.in = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	delete(c.out.Header(), "Cache-Control") // setCacheControl sets it
	defer a.measure(c, time.Now())
	a.forward.ServeHTTP(&c.out, c.in)
	return nil
}

// measure counts a call that was passed on. The duration of a stream is not
// that of an answer.
func (a *api) measure(c *call, began time.Time) {
	a.config.Metrics.Answered(a.name, c.status)
	if c.stream == nil {
		a.config.Metrics.Took(a.name, time.Since(began))
	}
}

// end releases what the call occupied.
func (c *call) end() {
	if c.stream != nil {
		c.stream.close()
		return
	}
	c.api.calls.Add(-1)
}

// takeBody checks the body of a call. It reads a small body before anything is
// sent, so that the call can be sent again.
func (c *call) takeBody(w http.ResponseWriter, r *http.Request) error {
	switch n := r.ContentLength; {
	case n < 0:
		// RFC 9112 section 6.3: a server may refuse a body of unknown length.
		// Browsers declare the length. This refuses also a request with both
		// Transfer-Encoding and Content-Length.
		return &answer.Error{Status: http.StatusLengthRequired, Code: "length_required"}
	case n > c.api.limits.MaxBody:
		return &answer.Error{Status: http.StatusRequestEntityTooLarge, Code: "too_large.call"}
	case n > maxKept:
		// The server's ReadTimeout is meant for forms. The error says that the
		// server has no deadlines.
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

// tokenError returns the error to answer with if the vault has no token. It
// ends the session if the entry has ended or was deleted.
func (a *api) tokenError(ctx context.Context, c *call, err error) error {
	if !errors.Is(err, vault.ErrNotFound) && !errors.Is(err, vault.ErrEnded) {
		return err
	}
	a.config.Logger.InfoContext(ctx, "session over", "error", err)
	if err := a.config.Sessions.Forget(ctx, c.caller); err != nil {
		a.config.Logger.ErrorContext(ctx, "session not ended", "error", err)
	}
	return &answer.Error{Status: http.StatusUnauthorized, Code: "no_session", Err: answer.ErrNoSession}
}
