package gateway

import (
	"hash/maphash"
	"net/http"
	"net/textproto"
	"strings"
	"sync/atomic"

	"b2trader.identity.auth/web/internal/request"
	"golang.org/x/oauth2"
)

// maxBearer bounds the token that is sent, in bytes, so that the header line
// stays below the 8 KiB that common servers accept (nginx,
// large_client_header_buffers).
const maxBearer = 8<<10 - len("Authorization: Bearer \r\n")

// usualHeaders lists the request headers that are passed on. A list of the
// forbidden ones could not be complete: some server reads the caller's identity
// from a header that it would lack.
var usualHeaders = []string{
	"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Encoding", "Content-Language", "Content-Type",
	"Idempotency-Key", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Last-Event-Id",
	"Pragma", "Prefer", "Range", "Sec-Websocket-Extensions", "Sec-Websocket-Key", "Sec-Websocket-Protocol",
	"Sec-Websocket-Version", "Traceparent", "Tracestate", "User-Agent",
}

// headerSet returns the set of the usual names and more.
func headerSet(usual, more []string) map[string]bool {
	headers := make(map[string]bool)
	for _, name := range usual {
		headers[name] = true
	}
	for _, name := range more {
		headers[textproto.CanonicalMIMEHeaderKey(name)] = true
	}
	return headers
}

// noUserAgent keeps the transport from sending a User-Agent of its own.
var noUserAgent = []string{""}

// request returns the request that the API gets. It shares the values of headers
// with the browser's.
func (c *call) request() *http.Request {
	a, in := c.api, c.asked
	out := in.WithContext(c.ctx)
	if c.hub {
		c.setHubTarget(out)
	} else {
		a.setTarget(out, c.rest, in.URL)
	}
	out.RequestURI, out.Close, out.TransferEncoding, out.Trailer = "", false, nil, nil
	switch {
	case in.ContentLength == 0:
		out.Body = http.NoBody
	case c.body != nil:
		out.Body = c.body
	}
	h := make(http.Header, 8)
	for name, values := range in.Header {
		if a.headers[name] {
			h[name] = values
		}
	}
	dropNamed(h, in.Header["Connection"])
	if isWebSocket(in) {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, in.Header["Upgrade"]
	}
	if h["User-Agent"] == nil {
		h["User-Agent"] = noUserAgent
	}
	info := request.Of(c.ctx)
	c.values = [3]string{info.ID, info.Address.String(), a.bearers.line(c.token)} // one allocation, with the call
	h["X-Request-Id"] = c.values[0:1:1]
	if info.Address.IsValid() {
		h["X-Forwarded-For"] = c.values[1:2:2]
	}
	h["Authorization"] = c.values[2:3:3]
	out.Header = h
	return out
}

// dropNamed removes the headers that a Connection header names: they concern
// one connection only (RFC 9110 section 7.6.1).
func dropNamed(h http.Header, connection []string) {
	for _, value := range connection {
		for name := range strings.SplitSeq(value, ",") {
			delete(h, textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)))
		}
	}
}

// bearers caches the Authorization of sessions with calls at the moment, so that
// it is not built for each call. Sessions share the slots; the latest one has
// its slot.
type bearers [256]atomic.Pointer[bearer]

type bearer struct {
	token *oauth2.Token
	line  string
}

// line returns the Authorization for token.
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
