package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"b2trader.identity.auth/identity"
)

// The bounds of what the flow page keeps of one sign-in.
const (
	maxExchanges     = 24
	maxParameters    = 12
	maxParameterSize = 120 // bytes
)

// Observe records the exchanges of a sign-in for the flow page. Put it into
// identity.Config.Observe of the clients that are given to [New]. It records
// only what belongs to a sign-in under way, by its context; identity has
// already taken the secrets out.
func Observe(ctx context.Context, e identity.Exchange) {
	if rec, ok := ctx.Value(recordingKey{}).(*recording); ok {
		rec.add(exchangeOf(e))
	}
}

// exchange is one HTTP exchange as the session keeps it.
type exchange struct {
	Browser bool // from the browser to us; else from us to the IdentityServer
	Method  string
	Path    string
	Details []string
	Status  int
	Started time.Time
	Took    time.Duration
	Failed  bool
}

func exchangeOf(e identity.Exchange) exchange {
	path := e.URL
	if u, err := url.Parse(e.URL); err == nil {
		path = u.Path
	}
	lines := details(e.Parameters)
	if e.Redirect != "" {
		lines = append(lines, short("answered with a redirect to "+e.Redirect))
	}
	return exchange{
		Method: e.Method, Path: short(path), Details: lines,
		Status: e.StatusCode, Started: e.Started, Took: e.Duration,
		Failed: e.Err != nil || e.StatusCode >= http.StatusBadRequest,
	}
}

// details are parameters as lines, sorted by name and bounded.
func details(parameters url.Values) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if len(lines) == maxParameters {
			break
		}
		lines = append(lines, short(name+"="+strings.Join(parameters[name], " ")))
	}
	return lines
}

// short cuts what is longer than the flow page has room for.
func short(s string) string {
	if len(s) <= maxParameterSize {
		return s
	}
	return strings.ToValidUTF8(s[:maxParameterSize], "") + "…"
}

type recordingKey struct{}

// recording collects the exchanges of one sign-in, bounded.
type recording struct {
	mu        sync.Mutex
	exchanges []exchange
}

// record returns a context whose exchanges go to a recording that begins with before.
func record(ctx context.Context, before []exchange) (context.Context, *recording) {
	rec := &recording{exchanges: slices.Clone(before)}
	return context.WithValue(ctx, recordingKey{}, rec), rec
}

func (r *recording) add(e exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.exchanges) < maxExchanges {
		r.exchanges = append(r.exchanges, e)
	}
}

// all returns what was recorded, in the order in which it began.
func (r *recording) all() []exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	sorted := slices.Clone(r.exchanges)
	slices.SortStableFunc(sorted, func(a, b exchange) int { return a.Started.Compare(b.Started) })
	return sorted
}
