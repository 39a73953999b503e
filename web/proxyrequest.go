package web

import (
	"bytes"
	"context"
	"hash/maphash"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"sync/atomic"

	"b2trader.identity.auth/web/internal/request"
	"golang.org/x/oauth2"
)

// maxBearer bounds the token that is sent, in bytes, so that its line stays
// below the 8 KiB that common servers take (nginx, large_client_header_buffers).
const maxBearer = 8<<10 - len("Authorization: Bearer \r\n")

// usualHeaders are the request headers that are passed on. It names what may
// pass, and not what may not: nobody knows all the headers by which some
// server or other is told who asks.
var usualHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Encoding", "Content-Language", "Content-Type",
	"Idempotency-Key", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Last-Event-Id",
	"Pragma", "Prefer", "Range", "Sec-Websocket-Extensions", "Sec-Websocket-Key", "Sec-Websocket-Protocol",
	"Sec-Websocket-Version", "Traceparent", "Tracestate", "User-Agent",
}

func forwardedHeaders(more []string) map[string]bool {
	headers := make(map[string]bool)
	for _, name := range usualHeaders {
		headers[name] = true
	}
	for _, name := range more {
		headers[textproto.CanonicalMIMEHeaderKey(name)] = true
	}
	return headers
}

// rewrite makes the request that the API gets. It runs after ReverseProxy has
// removed what Connection names, so nothing takes the bearer away again.
func (a *api) rewrite(pr *httputil.ProxyRequest) {
	c, out := callOf(pr.In.Context()), pr.Out
	a.setTarget(out, c.rest)
	upgrade := isWebSocket(pr.In)
	for name := range out.Header {
		if !a.headers[name] && (!upgrade || name != "Connection" && name != "Upgrade") {
			delete(out.Header, name)
		}
	}
	out.Trailer = nil
	info := request.Of(pr.In.Context())
	c.values = [3]string{info.ID, info.Address.String(), a.bearers.line(c.token)} // one allocation, with the call
	out.Header["X-Request-Id"] = c.values[0:1:1]
	if info.Address.IsValid() {
		out.Header["X-Forwarded-For"] = c.values[1:2:2]
	}
	out.Header["Authorization"] = c.values[2:3:3]
}

// bearers remember the Authorization of the sessions that call at the moment,
// which would otherwise be put together for each call. There is one place for
// many sessions, and whoever comes last has it.
type bearers [256]atomic.Pointer[bearer]

type bearer struct {
	token *oauth2.Token
	line  string
}

// line is the Authorization with token.
func (b *bearers) line(token *oauth2.Token) string {
	at := &b[maphash.Comparable(bearerSeed, token)%uint64(len(b))]
	if known := at.Load(); known != nil && known.token == token {
		return known.line
	}
	fresh := &bearer{token, "Bearer " + token.AccessToken}
	at.Store(fresh)
	return fresh.line
}

var bearerSeed = maphash.MakeSeed()

// keepBody makes r's body one that can be read again.
func keepBody(r *http.Request, body []byte) {
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody()
}

// RoundTrip sends a call with its token. A 401 says that the API did not act
// (RFC 9110 section 15.5.2), so whatever the method, the call is sent once
// more with another token, if there is another and the body is still here.
func (a *api) RoundTrip(out *http.Request) (*http.Response, error) {
	c := callOf(out.Context())
	// Without ReverseProxy's trace: that would pass informational answers (1xx) on, past the policy for
	// headers, and clear what our own answer has.
	ctx := c.in.Context()
	resp, err := a.server.config.APITransport.RoundTrip(out.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusUnauthorized && c.repeat {
		resp, err = a.again(ctx, c, out, resp)
		if err != nil {
			return nil, err
		}
	}
	return withoutTrailer(resp), nil
}

// again sends the call once more if there is a newer token than the refused one.
func (a *api) again(ctx context.Context, c *call, out *http.Request, refused *http.Response) (*http.Response, error) {
	next, err := a.newer(ctx, c)
	if err != nil {
		_ = refused.Body.Close() // it is not the answer any more
		return nil, a.tokenFault(ctx, c, err)
	}
	if next == nil {
		return refused, nil
	}
	_, _ = io.CopyN(io.Discard, refused.Body, 4<<10) // so that the connection can be used again
	_ = refused.Body.Close()
	repeated := out.Clone(ctx)
	if out.GetBody != nil {
		if repeated.Body, err = out.GetBody(); err != nil {
			return nil, err
		}
	}
	repeated.Header["Authorization"] = []string{a.bearers.line(next)}
	return a.server.config.APITransport.RoundTrip(repeated)
}

// newer returns a token other than the one that was refused. It is nil if that
// is young: it should have been good, and so would not be the next one. An API
// that refuses every token therefore causes no more renewals than that.
func (a *api) newer(ctx context.Context, c *call) (*oauth2.Token, error) {
	current, err := a.server.vault.Token(ctx, c.caller.vaultKey)
	if err != nil || current.AccessToken != c.token.AccessToken {
		return current, err
	}
	status, err := a.server.vault.Status(ctx, c.caller.vaultKey)
	if err != nil || a.server.config.Now().Sub(status.Issued) < youngToken {
		return nil, err
	}
	return a.server.vault.Renew(ctx, c.caller.vaultKey, current)
}

// withoutTrailer hides the trailer that resp may still get. The transport fills
// it into the response it has returned, not into this one.
func withoutTrailer(resp *http.Response) *http.Response {
	if resp.ContentLength >= 0 && resp.Trailer == nil {
		return resp
	}
	hidden := *resp
	hidden.Trailer = nil
	return &hidden
}
