package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
)

// Config says how a [Server] works. Clients and PublicURL are required.
type Config struct {
	// Clients are the clients that users may sign in with, in the order in
	// which the sign-in page offers them. For OnSignIn, set
	// identity.Config.HTTP.Observe to [Observe].
	Clients []*identity.Client

	// Store keeps the sessions and their tokens, sealed with Keys. Processes
	// that share a store share the sessions. To replace a key, put the new one
	// first, and remove the old one after AbsoluteTimeout: no session ends.
	// Both nil: a store in memory and a random key, so that sessions end with
	// the process.
	Store store.Store
	Keys  []vault.Key

	// Records is an open cache of Store, sealed with Keys, that the site shares
	// with the host application, so that the process watches the store once.
	// Close it after the Server. To measure it, open it on [Metrics.Store], and
	// set Store to the same. Nil: the site opens a cache of its own.
	Records *records.Cache

	// PublicURL is the site's own URL as browsers see it, without a path. It
	// must be https, which makes the cookie __Host- and Secure and sends HSTS;
	// http is accepted for loopback.
	PublicURL string

	// InsecureAllowHTTP accepts http in PublicURL, FrontOfficeURL and
	// BackOfficeURL beyond loopback. The network can then read passwords and
	// cookies.
	InsecureAllowHTTP bool

	// FrontOfficeURL and BackOfficeURL are the APIs that the site offers at
	// /api/frontoffice/ and /api/backoffice/, up to the part before /api. With
	// https://trader.example.com/frontoffice, /api/frontoffice/v3/account is
	// its /frontoffice/api/v3/account. Empty: the API is not offered.
	FrontOfficeURL, BackOfficeURL string

	// FrontOffice and BackOffice bound the calls of these APIs.
	FrontOffice, BackOffice Upstream

	// APITransport sends the calls to these APIs, and those of
	// [Session.HTTPClient]. Nil: [NewAPITransport].
	APITransport http.RoundTripper

	// Pages are the pages of the host application. They are in the navigation
	// in this order. See the example of [Page].
	Pages []Page

	// Public are handlers of the host application by path, such as "/assets/",
	// that serve without a session: style sheets and scripts of its pages, for
	// example. Their answers carry the site's security headers, and are not
	// stored unless the handler replaces Cache-Control.
	Public map[string]http.Handler

	// OnSignIn receives the session of each sign-in before the session is
	// stored, so that the host application can keep values in it. The exchanges
	// are those that [Observe] recorded since the password was sent, and the
	// browser's own requests, whose URL is a path alone. They are in the order
	// in which they began, 24 at most. Nil: nothing is recorded.
	OnSignIn func(s *Session, exchanges []tokenapi.Exchange)

	// FrontPage is the page at / for users who are not signed in. Nil: / leads to
	// the sign-in page. It leads users who are signed in to their account page.
	FrontPage *Content

	// SignInAside is shown beside the form of the sign-in page, and
	// SecondFactorAside beside that of the one-time code. Nil: nothing.
	SignInAside, SecondFactorAside templ.Component

	// Brand is the look of the site: its name, logo and colours. The zero value
	// is that of B2Trader identity.
	Brand Brand

	// Texts are the words of the site's own pages and errors. A text that is
	// empty is the English one. Nil: [English].
	Texts *Texts

	// AdministratorRole is the value of the claim "role" that makes a user an
	// administrator, see the package's doc. Empty: "Admin".
	AdministratorRole string

	// IdleTimeout ends a session that is not used. Use is written once a
	// minute, or, if IdleTimeout is under ten minutes, ten times in it; a
	// session may end early by that much. Zero: 15 minutes.
	IdleTimeout time.Duration

	// AbsoluteTimeout ends a session in any case. Zero: 10 hours, the life of
	// IdentityServer's own session. At most 30 days, the life of its refresh
	// tokens.
	AbsoluteTimeout time.Duration

	// MaxSessionsPerUser bounds the sessions of a user, in all browsers,
	// clients and processes. A sign-in beyond it ends the oldest session.
	// Zero: no bound.
	MaxSessionsPerUser int

	// ForgetIdentitySession stops the vault from keeping, sealed, the session
	// at the IdentityServer. If it is kept, a session continues after its
	// refresh token was lost by a crash or a broken connection, and ends when
	// the IdentityServer refuses both; a sign-out ends the session at the
	// IdentityServer, too.
	ForgetIdentitySession bool

	// AttemptsPerAccount bounds the attempts to sign in per minute, for one
	// e-mail from one client address (an IPv6 /64 is one), so that strangers
	// cannot keep a user from signing in. Four times as many are allowed in an
	// hour, and twelve times as many from all addresses together.
	// AttemptsPerAddress bounds those of one address per minute.
	//
	// A browser that has signed in to the account in the last 90 days counts by
	// itself: a cookie exempts it from the bounds of its address and of all
	// addresses. A success gives the account its attempts back, but not the
	// address. An attempt that met an outage does not count. Each process counts
	// by itself. Zero: 5 and 30.
	AttemptsPerAccount, AttemptsPerAddress int

	// HSTSIncludeSubDomains extends Strict-Transport-Security, which an https site
	// sends for two years, to all subdomains of the site's host (RFC 6797 section
	// 6.1.2). Set it if each of them has https: it protects against a forged
	// subdomain that plants cookies.
	HSTSIncludeSubDomains bool

	// TrustedProxies are the proxies whose X-Forwarded-For is trusted. Nil:
	// none.
	TrustedProxies []netip.Prefix

	// Registerer gets the metrics, until Close. The package's doc lists them.
	// Nil: no metrics.
	Registerer prometheus.Registerer

	// Metrics are what Registerer gets, if the host application counts in them,
	// too. A Server does not share them with another one. Nil: [NewMetrics].
	Metrics *Metrics

	// TracerProvider gets spans of the browsers' requests, the API calls, the
	// renewals and, with [TraceTransport], the exchanges with the
	// IdentityServer. No span has a secret. docs/operations.md lists them. Nil:
	// no spans.
	TracerProvider trace.TracerProvider

	// Ready are parts of the host application by name. /readyz is 503 if one
	// returns an error. All checks together take at most 2 seconds, and are made
	// at most once in 5 seconds. Nil: none.
	Ready map[string]func(context.Context) error

	// Logger gets the events and one line for each request, without secrets.
	// API calls that succeed are at debug level. Nil: slog.Default().
	Logger *slog.Logger

	// Now is the clock. Nil: time.Now.
	Now func() time.Time

	clock func() time.Time // Now with its monotonic readings, for the vault
}

// maxSession is IdentityServer's absolute lifetime of a refresh token.
const maxSession = 30 * 24 * time.Hour

// secure reports whether browsers reach the site by https.
func (c Config) secure() bool {
	return strings.HasPrefix(c.PublicURL, "https://")
}

// hsts returns the Strict-Transport-Security of the answers; nil: none.
func (c Config) hsts() []string {
	if !c.secure() {
		return nil
	}
	return answer.HSTS(c.HSTSIncludeSubDomains)
}

func (c Config) withDefaults() Config {
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	c.FrontOfficeURL = strings.TrimRight(c.FrontOfficeURL, "/")
	c.BackOfficeURL = strings.TrimRight(c.BackOfficeURL, "/")
	if c.APITransport == nil {
		c.APITransport = NewAPITransport()
	}
	if c.TracerProvider != nil {
		c.APITransport = TraceTransport(c.APITransport)
	}
	c.AdministratorRole = cmp.Or(c.AdministratorRole, "Admin")
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 15*time.Minute)
	c.AbsoluteTimeout = cmp.Or(c.AbsoluteTimeout, 10*time.Hour)
	if c.Store == nil && c.Keys == nil {
		c.Store, c.Keys = memstore.New(), []vault.Key{vault.NewKey("process")}
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	// Times that outlive a request are compared by the wall clock, because the
	// monotonic clock may stand still while the machine sleeps.
	clock := c.Now
	c.clock, c.Now = clock, func() time.Time { return clock().Round(0) }
	return c
}
