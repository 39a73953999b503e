package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// call is one API call.
type call struct {
	api    *api
	asked  *http.Request // from the browser
	began  time.Time
	ctx    context.Context //nolint:containedctx // of the exchange with the API: it ends with the session; nil: nothing was sent
	cancel context.CancelCauseFunc
	rest   string // of the path, after the API's prefix, still escaped
	hub    bool   // the call is for a websocket of a hub
	caller Caller
	token  *oauth2.Token
	body   *slowBody // nil: there is none, or it has been read
	out    answerWriter
	values [3]string // of headers, for request
	status int       // of the API's answer; 0: none yet
	repeat bool      // the call can be sent again

	placed, counted bool        // it occupies a place of its session, and of its API
	streaming       atomic.Bool // it is a stream
	watching        sync.WaitGroup
}

// serve checks a call and passes it on.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) error {
	name, rest, hub, ok := apiTarget(r)
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
	if hub && !isWebSocket(r) {
		return notWebSocket(w)
	}
	c := &call{api: a, asked: r, began: time.Now(), rest: rest, hub: hub, out: answerWriter{ResponseWriter: w}}
	defer c.end()
	if err := g.admit(c, r); err != nil {
		return err
	}
	if err := c.enter(w); err != nil {
		return err
	}
	return a.send(c)
}

// enter takes a place for the call, and reads a small body. A body that arrives
// slowly occupies only a place of its own session until then.
func (c *call) enter(w http.ResponseWriter) error {
	if err := c.takePlace(); err != nil {
		return err
	}
	if err := c.takeBody(w); err != nil {
		return err
	}
	return c.count()
}

// takePlace takes a place of the session and of the user.
func (c *call) takePlace() error {
	limits := c.api.limits
	if c.api.calls.Load() >= int64(limits.MaxCalls) {
		return &answer.Error{Status: http.StatusServiceUnavailable, Code: "busy", RetryAfter: time.Second}
	}
	if c.placed = c.api.places.enter(c.caller, limits.MaxCallsPerSession, limits.MaxCallsPerUser); !c.placed {
		return &answer.Error{Status: http.StatusTooManyRequests, Code: "too_many_calls", RetryAfter: time.Second}
	}
	return nil
}

// count takes a place of the API.
func (c *call) count() error {
	if c.counted = true; c.api.calls.Add(1) > int64(c.api.limits.MaxCalls) {
		return &answer.Error{Status: http.StatusServiceUnavailable, Code: "busy", RetryAfter: time.Second}
	}
	return nil
}

// leave gives the places of the call back.
func (c *call) leave() {
	if c.placed {
		c.placed = false
		c.api.places.leave(c.caller)
	}
	if c.counted {
		c.counted = false
		c.api.calls.Add(-1)
	}
}

// admit finds the session of the call, and refuses calls that do not prove
// their origin. A person who navigates to an API without a session is asked to
// sign in; one with a session gets the refusal as a page.
func (g *Gateway) admit(c *call, r *http.Request) (err error) {
	refusal := g.proveOrigin(r)
	navigation := request.IsNavigation(r)
	if refusal != nil && !navigation {
		return refusal
	}
	sender := r.Header.Get(requestedWith)
	use := refusal == nil && sender != "" && sender != background
	if c.caller, err = g.config.Sessions.Find(r, use); err != nil {
		if navigation {
			return answer.AskToSignIn(err, false)
		}
		return err
	}
	if refusal != nil {
		return refusal
	}
	request.Of(r.Context()).Session = request.Clip(c.caller.ID, 16)
	return nil
}

// send passes the call on. It returns an error if nothing was sent.
func (a *api) send(c *call) (err error) {
	ctx := c.asked.Context()
	if c.token, err = a.config.Vault.Token(ctx, c.caller.VaultKey); err != nil {
		return a.tokenError(ctx, c, err)
	}
	if err := a.refusal(ctx, c); err != nil {
		return err
	}
	if len(c.token.AccessToken) > maxBearer {
		return &answer.Error{
			Status: http.StatusBadGateway, Code: "token_too_large",
			Err: fmt.Errorf("an access token of %d bytes", len(c.token.AccessToken)),
		}
	}
	info := request.Of(ctx)
	info.APICall, info.Route = true, a.prefix
	webSocket := isWebSocket(c.asked)
	if webSocket {
		ctx = withCall(ctx, c)
	}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	delete(c.out.Header(), "Cache-Control") // setCacheControl sets it
	a.watchdog.add(c)                       // from now on another goroutine may read the fields of c
	defer a.measure(c, time.Now())
	if webSocket {
		a.webSockets.ServeHTTP(&c.out, c.asked.WithContext(c.ctx))
	} else {
		c.forward()
	}
	return nil
}

// measure counts a call that was passed on. The duration of a stream is not
// that of an answer.
func (a *api) measure(c *call, began time.Time) {
	a.metrics.Answered(c.status)
	if !c.streaming.Load() {
		a.metrics.Took(time.Since(began))
	}
}

// end releases what the call occupied, after its last byte was passed on.
func (c *call) end() {
	c.leave()
	if c.ctx == nil {
		return
	}
	cause := context.Cause(c.ctx)
	c.cancel(nil)
	if !c.api.watchdog.remove(c) {
		c.watching.Wait()
	}
	if c.streaming.Load() {
		c.api.streams.release(c.caller.ID)
	}
	late := c.out.finish()
	switch {
	case late:
		c.logCut("the browser does not read")
	case errors.Is(cause, errSilent):
		c.logCut(cause.Error())
	}
}

func (c *call) logCut(reason string) {
	c.api.config.Logger.WarnContext(c.asked.Context(), "API call cut", "api", c.api.name, "reason", reason, "bytes", c.out.written.Load())
}

// takeBody checks the body of a call. It reads a small body before anything is
// sent, so that the call can be sent again.
func (c *call) takeBody(w http.ResponseWriter) error {
	r := c.asked
	switch n := r.ContentLength; {
	case n < 0:
		// RFC 9112 section 6.3: a server may refuse a body of unknown length.
		// Browsers declare the length. This refuses also a request with both
		// Transfer-Encoding and Content-Length.
		return &answer.Error{Status: http.StatusLengthRequired, Code: "length_required"}
	case n > c.api.limits.MaxBody:
		return &answer.Error{Status: http.StatusRequestEntityTooLarge, Code: "too_large.call"}
	case n > maxKept:
		c.body = newSlowBody(w, r, bodyWait)
		return nil
	case n == 0:
		c.repeat = true
		return nil
	}
	kept := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(newSlowBody(w, r, smallBodyWait), kept); err != nil {
		if _, known := errors.AsType[*answer.Error](err); known {
			return err
		}
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
