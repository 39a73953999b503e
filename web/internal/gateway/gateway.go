// Package gateway passes API calls on to the APIs, with the bearer of the
// session that each call belongs to.
//
// A call passes these checks before anything is sent: its path ([apiTarget]),
// its method, the proof of its origin ([Gateway.proveOrigin]), its session, its
// body and the number of calls under way. Every call ends with its session, in
// whatever process that ends; a renewal of the token does not end it. An answer
// that turns out to be a stream or a websocket is counted apart. The websockets of
// hubs have paths of their own (hub.go).
package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// Config is what [New] needs. All fields are required.
type Config struct {
	SiteURL   string // the site's own URL, as browsers see it
	Upstreams []Upstream
	Transport http.RoundTripper // sends the calls
	Vault     *vault.Vault
	Sessions  Sessions
	Metrics   func(upstream string) Metrics
	Answers   *answer.Answers
	Logger    *slog.Logger
	Now       func() time.Time // by which sessions end
}

// Upstream is one API.
type Upstream struct {
	Name   string // its place below /api/
	URL    string // up to the part before /api, without a slash at its end
	Limits Limits

	// Admits reports whether the newest token under a key of the vault may call
	// the API. Its errors are those of Vault.Status. Nil: each may.
	Admits func(ctx context.Context, vaultKey string) (bool, error)
}

// Sessions is what the gateway needs to know of sessions.
type Sessions interface {
	// Find returns the session that r belongs to. If use is true, the call is
	// use of the session. Errors: answer.ErrNoSession, or one that says nothing
	// of the session, as its store failed.
	Find(r *http.Request, use bool) (Caller, error)

	// CheckAgain returns the session as it is now. Its errors are those of Find.
	CheckAgain(ctx context.Context, c Caller) (Caller, error)

	// Ends returns the ways in which the session ends. Its errors are those of
	// Find.
	Ends(ctx context.Context, c Caller) (Ends, error)

	// Forget ends the session, whose entry in the vault has ended.
	Forget(ctx context.Context, c Caller) error
}

// Caller is the session that a call belongs to.
type Caller struct {
	ID         string    // its name in the log and in the count of its streams
	User       string    // whose session it is
	IdentityID string    // of the session at the IdentityServer; empty: unknown
	VaultKey   string    // of its tokens
	Group      string    // the user's sessions that end together
	Until      time.Time // when it ends unless it is used
}

// Ends are the ways in which a session ends, each a channel that is closed then.
type Ends struct {
	Session, Group, Here <-chan struct{} // alone; with all of the user; for this process only
	Stop                 func()          // ends the wait for them
}

// Metrics counts the calls that are passed on to one API.
type Metrics interface {
	Answered(status int)         // 0: no answer
	Took(duration time.Duration) // until the answer was passed on
}

// Gateway passes API calls on.
type Gateway struct {
	config   Config
	origin   string // of the site, as browsers write it
	apis     map[string]*api
	others   *api // all servers that are no API: it counts their calls
	streams  *streams
	watchdog watchdog
	bearers  bearers
}

// api is one API below /api/.
type api struct {
	*Gateway
	name          string
	limits        Limits
	admits        func(ctx context.Context, vaultKey string) (bool, error) // nil: all are
	allow         string                                                   // the methods, for the header Allow
	headers       map[string]bool                                          // of requests, that are passed on
	answerHeaders map[string]bool                                          // of answers

	prefix          string // on this site, such as /api/frontoffice/
	base            *url.URL
	basePath        string // on the API's host, such as /frontoffice/api/
	escapedBasePath string

	metrics    Metrics
	webSockets httputil.ReverseProxy
	calls      atomic.Int64 // under way, without streams
	places     places
}

// New returns a Gateway. It leaves out an Upstream whose URL is empty or cannot
// be parsed: the caller has checked the URLs.
func New(config Config) *Gateway {
	g := &Gateway{config: config, origin: siteOrigin(config.SiteURL), apis: make(map[string]*api), streams: newStreams()}
	g.others = &api{Gateway: g, name: "other", limits: Limits{}.withDefaults()}
	for _, u := range config.Upstreams {
		g.add(u)
	}
	return g
}

func (g *Gateway) add(u Upstream) {
	base, err := url.Parse(u.URL)
	if u.URL == "" || err != nil {
		return
	}
	limits := u.Limits.withDefaults()
	a := &api{
		Gateway: g, name: u.Name, limits: limits, admits: u.Admits,
		allow:   strings.Join(limits.Methods, ", "),
		headers: headerSet(usualHeaders, limits.RequestHeaders), answerHeaders: headerSet(usualAnswerHeaders, limits.ResponseHeaders),
		prefix: request.APIPrefix + u.Name + "/", base: base,
		basePath: base.Path + request.APIPrefix, escapedBasePath: base.EscapedPath() + request.APIPrefix,
		metrics: g.config.Metrics(u.Name), webSockets: webSocketProxy(g.config.Logger),
	}
	g.apis[u.Name] = a
}

// Or answers requests for an API, and leaves the others to next. It comes
// before http.ServeMux, which would answer an unclean path with a redirect.
func (g *Gateway) Or(next http.Handler) http.Handler {
	call := g.config.Answers.Page(g.serve)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if request.ForAPI(r) {
			call.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// EndStreams ends all event streams and websockets, and those that open later.
func (g *Gateway) EndStreams() { g.streams.endAll() }
