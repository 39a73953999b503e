package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// A HostCall is a call that a page of the host application sends for a session.
// It occupies a place among the session's API calls until End, and its context
// ends with the session.
type HostCall struct{ call call }

// Admit takes a place for the request r. A server that is no API of the gateway
// has the default limits.
//
// Errors: *answer.Error with status 429 or 503.
func (g *Gateway) Admit(r *http.Request, caller Caller) (*HostCall, error) {
	h := &HostCall{call{api: g.apiAt(r.URL), asked: r, caller: caller}}
	c := &h.call
	err := c.takePlace()
	if err == nil {
		err = c.count()
	}
	if err != nil {
		c.leave()
		return nil, err
	}
	c.ctx, c.cancel = context.WithCancelCause(r.Context())
	g.watchdog.add(c)
	return h, nil
}

// Context returns the context to send the request with.
func (h *HostCall) Context() context.Context { return h.call.ctx }

// SessionOver reports whether the call was cut because its session ended.
func (h *HostCall) SessionOver() bool { return errors.Is(context.Cause(h.call.ctx), errSessionOver) }

// Received notes n bytes of the answer. A call that receives nothing for one to
// two minutes is cut.
func (h *HostCall) Received(n int) { h.call.out.written.Add(int64(n)) }

// End gives the place back, and ends the context. Call it once.
func (h *HostCall) End() { h.call.end() }

// apiAt returns the API that a URL leads to.
func (g *Gateway) apiAt(u *url.URL) *api {
	for _, a := range g.apis {
		if u.Scheme == a.base.Scheme && strings.EqualFold(u.Host, a.base.Host) && strings.HasPrefix(u.Path, a.basePath) {
			return a
		}
	}
	return g.others
}
