package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httputil"
)

type callKey struct{}

// withCall returns ctx with the call of a websocket.
func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// callOf returns the call of the websocket whose context ctx is.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// webSocketProxy returns a ReverseProxy that passes handshakes and, if the API
// accepts them, the websockets on. Its requests have their call in the context.
func webSocketProxy(logger *slog.Logger) httputil.ReverseProxy {
	return httputil.ReverseProxy{
		Rewrite:        func(pr *httputil.ProxyRequest) { pr.Out = callOf(pr.In.Context()).request() },
		Transport:      handshakes{},
		ModifyResponse: func(resp *http.Response) error { return callOf(resp.Request.Context()).adopt(resp) },
		ErrorHandler:   func(_ http.ResponseWriter, r *http.Request, err error) { callOf(r.Context()).failed(err) },
		ErrorLog:       slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// handshakes sends the handshakes of websockets.
type handshakes struct{}

// RoundTrip implements http.RoundTripper.
func (handshakes) RoundTrip(out *http.Request) (*http.Response, error) {
	c := callOf(out.Context())
	// Not with ReverseProxy's trace in the context: that would pass
	// informational answers (1xx) on without the policy for headers, and clear
	// the headers of this site's answer.
	resp, err := c.exchange(out.WithContext(c.ctx))
	if err != nil {
		return nil, err
	}
	return withoutTrailer(resp), nil
}

// withoutTrailer hides the trailer that resp may still get: the transport sets
// it in the response that it returned, not in this copy.
func withoutTrailer(resp *http.Response) *http.Response {
	if resp.ContentLength >= 0 && resp.Trailer == nil {
		return resp
	}
	hidden := *resp
	hidden.Trailer = nil
	return &hidden
}
