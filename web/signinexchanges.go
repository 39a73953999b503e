package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// maxExchanges bounds how many exchanges of one sign-in are kept.
const maxExchanges = 24

// Observe records the exchanges of a sign-in for [Config.OnSignIn]. Set it as
// identity.Config.HTTP.Observe of [Config.Clients]. It records an exchange only
// if its context belongs to a sign-in under way. The secrets are redacted already.
func Observe(ctx context.Context, e tokenapi.Exchange) {
	if r, ok := ctx.Value(recordingKey{}).(*recording); ok {
		r.add(e)
	}
}

type recordingKey struct{}

// recording collects the exchanges of one sign-in. A nil *recording collects
// nothing.
type recording struct {
	mu        sync.Mutex
	exchanges []tokenapi.Exchange
}

// record returns a context whose exchanges go to a recording that begins with
// before. Without Config.OnSignIn nothing is recorded.
func (s *site) record(ctx context.Context, before []tokenapi.Exchange) (context.Context, *recording) {
	if s.config.OnSignIn == nil {
		return ctx, nil
	}
	r := &recording{exchanges: slices.Clone(before)}
	return context.WithValue(ctx, recordingKey{}, r), r
}

func (r *recording) add(e tokenapi.Exchange) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.exchanges) < maxExchanges {
		r.exchanges = append(r.exchanges, e)
	}
}

// all returns the exchanges in the order in which they began.
func (r *recording) all() []tokenapi.Exchange {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	sorted := slices.Clone(r.exchanges)
	slices.SortStableFunc(sorted, func(a, b tokenapi.Exchange) int { return a.Started.Compare(b.Started) })
	return sorted
}

// browserStep returns the browser's own request, which began at started, as an
// exchange. Its URL is the path alone.
func (s *site) browserStep(r *http.Request, started time.Time, parameters url.Values) tokenapi.Exchange {
	return tokenapi.Exchange{
		Op: "browser request", Method: r.Method, URL: r.URL.Path, Parameters: parameters,
		StatusCode: http.StatusSeeOther, Started: started, Duration: s.config.Now().Sub(started),
	}
}
