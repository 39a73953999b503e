// Package request knows the caller of a request: its request ID, its client
// address, its session's name in the log, and what kind of answer it expects.
//
// [Identify] comes first in the chain of middlewares. [Of] then returns what is
// known of the request.
package request

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
)

// Info describes one request.
type Info struct {
	ID      string     // random; in the log and in X-Request-Id
	Address netip.Addr // the client's; see [ClientAddress]
	Session string     // the session's name in the log; empty: no session
	APICall bool       // the gateway passed the request on to an API
	Route   string     // the pattern that matched the request; empty: none

	header [1]string // the value of X-Request-Id
}

type infoKey struct{}

// infoContext is a context with an Info: one allocation for both.
type infoContext struct {
	context.Context //nolint:containedctx // it is one
	info            Info
}

// Value implements context.Context.
func (c *infoContext) Value(key any) any {
	if key == (infoKey{}) {
		return &c.info
	}
	return c.Context.Value(key)
}

// Of returns the Info of the request whose context ctx is. Handlers may set
// its Session, APICall and Route. Without [Identify] it returns an empty Info.
func Of(ctx context.Context) *Info {
	if info, ok := ctx.Value(infoKey{}).(*Info); ok {
		return info
	}
	return &Info{}
}

// Identify gives each request a new ID and an [Info]. It ignores an ID that
// comes with the request, because the client could forge log lines with it.
func Identify(trusted []netip.Prefix) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := strconv.FormatUint(rand.Uint64()|1<<63, 16) // 16 digits; the ID is not a secret
			ctx := &infoContext{r.Context(), Info{ID: id, Address: ClientAddress(r, trusted)}}
			ctx.info.header[0] = id
			w.Header()["X-Request-Id"] = ctx.info.header[:]
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// Clip shortens s to at most n bytes.
func Clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
