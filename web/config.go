package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/prometheus/client_golang/prometheus"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// Config is what a Server is made of. Clients and PublicURL are required.
type Config struct {
	// Clients are those a user may sign in as, in the order in which the
	// sign-in page offers them. For OnSignIn, set their
	// identity.Config.Observe to [Observe].
	Clients []*identity.Client

	// Store keeps the sessions and their tokens, sealed with Keys; processes that share a store share the sessions. Both
	// nil: a store in memory and a key of its own, so that sessions end with the process. To replace a key, put the new
	// one first and remove the old one after AbsoluteTimeout: nobody is signed out by that.
	Store store.Store
	Keys  []vault.Key

	// PublicURL is the site's own URL as browsers see it, without a path.
	// It must be https, which makes the cookie __Host- and Secure and sends
	// HSTS; http is accepted for loopback only.
	PublicURL string

	// InsecureAllowHTTP accepts http in PublicURL, FrontOfficeURL and
	// BackOfficeURL beyond loopback. Passwords and cookies then cross the
	// network readable to everyone on the way.
	InsecureAllowHTTP bool

	// FrontOfficeURL and BackOfficeURL are the APIs that are offered at
	// /api/frontoffice/ and /api/backoffice/, up to
	// the part that is before /api, such as https://trader.example.com/frontoffice:
	// /api/frontoffice/v3/account is then its /frontoffice/api/v3/account.
	// Empty: that API is not offered.
	FrontOfficeURL, BackOfficeURL string

	// FrontOffice and BackOffice bound what is passed on to these APIs.
	FrontOffice, BackOffice Upstream

	// APITransport sends the calls to these APIs, and those of
	// [Session.HTTPClient]. Nil: [NewAPITransport].
	APITransport http.RoundTripper

	// Pages are the pages of the host application. They are in the navigation in
	// this order. See the example of [Page].
	Pages []Page

	// Public are handlers of the host application by path, such as "/assets/",
	// that serve without a session: style sheets and scripts of its pages, for
	// example. Their answers carry the site's security headers, and are not
	// stored unless the handler replaces Cache-Control.
	Public map[string]http.Handler

	// OnSignIn receives the session of each sign-in before the session is stored,
	// so that the host application can keep values in it. The exchanges are
	// those that [Observe] recorded since the password was sent, and the
	// browser's own requests, whose URL is a path alone. They are in the order
	// in which they began, 24 at most. Nil: nothing is recorded.
	OnSignIn func(s *Session, exchanges []identity.Exchange)

	// SignInAside is shown beside the form of the sign-in page. Nil: nothing.
	SignInAside templ.Component

	// AdministratorRole is the value of the claim "role" that makes a user an
	// administrator, see the package's doc. Empty: "Admin".
	AdministratorRole string

	// IdleTimeout ends a session that is not used. Use is noted once a minute, or, if this is less than ten minutes, ten
	// times in it; the session may end by so much earlier. Zero: 15 minutes.
	IdleTimeout time.Duration

	// AbsoluteTimeout ends a session however much it is used. Zero: 10 hours,
	// which is how long IdentityServer's own session lasts. At most 30 days,
	// which is how long its refresh tokens last.
	AbsoluteTimeout time.Duration

	// MaxSessionsPerUser bounds how many sessions a user has at once, whatever the browser, client or process. Who signs in
	// once more ends the oldest. Zero: any number.
	MaxSessionsPerUser int

	// ForgetIdentitySession stops the session at the IdentityServer from being kept, sealed, beside the tokens. Without it
	// a session whose refresh token was lost, by a crash or a connection cut at the wrong moment, is over, and a sign-out
	// leaves the IdentityServer's session to end by itself. While it is kept, a session is over when both its refresh
	// token and the session at the IdentityServer are refused.
	ForgetIdentitySession bool

	// AttemptsPerAccount and AttemptsPerAddress bound the attempts to sign in
	// per minute, for one e-mail and for one client address (an IPv6 /64 is
	// one). Zero: 5 and 30. A success gives the account its attempts back, not
	// the address.
	AttemptsPerAccount, AttemptsPerAddress int

	// TrustedProxies are believed in what they say in X-Forwarded-For. Nil:
	// nobody is.
	TrustedProxies []netip.Prefix

	// Registerer is shown the metrics, until Close. The package's doc lists them. Nil: nobody is.
	Registerer prometheus.Registerer

	// Logger gets the events and one line per request, without secrets. Calls of
	// an API that succeed are at debug level. Nil: slog.Default().
	Logger *slog.Logger

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// maxSession is IdentityServer's absolute lifetime of a refresh token.
const maxSession = 30 * 24 * time.Hour

// secure reports whether browsers reach the site by https.
func (c Config) secure() bool {
	return strings.HasPrefix(c.PublicURL, "https://")
}

func (c Config) withDefaults() Config {
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	c.FrontOfficeURL = strings.TrimRight(c.FrontOfficeURL, "/")
	c.BackOfficeURL = strings.TrimRight(c.BackOfficeURL, "/")
	if c.APITransport == nil {
		c.APITransport = NewAPITransport()
	}
	if c.AdministratorRole == "" {
		c.AdministratorRole = "Admin"
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = 15 * time.Minute
	}
	if c.AbsoluteTimeout == 0 {
		c.AbsoluteTimeout = 10 * time.Hour
	}
	if c.AttemptsPerAccount == 0 {
		c.AttemptsPerAccount = 5
	}
	if c.AttemptsPerAddress == 0 {
		c.AttemptsPerAddress = 30
	}
	if c.Store == nil && c.Keys == nil {
		c.Store, c.Keys = memstore.New(), []vault.Key{vault.NewKey("process")}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// validate returns every problem of c, joined. Each is a
// *[tokenapi.FieldError].
func (c Config) validate() error {
	var problems []error
	report := func(field, format string, args ...any) {
		problems = append(problems, &tokenapi.FieldError{Field: "Config." + field, Err: fmt.Errorf(format, args...)})
	}
	if len(c.Clients) == 0 {
		report("Clients", "is empty")
	}
	seen := map[string]bool{}
	for i, client := range c.Clients {
		switch {
		case client == nil:
			report(fmt.Sprintf("Clients[%d]", i), "is nil")
		case seen[client.ID()]:
			report(fmt.Sprintf("Clients[%d]", i), "is there twice: %s", client.ID())
		default:
			seen[client.ID()] = true
		}
	}
	problems = append(problems, c.validatePages()...)
	problems = append(problems, c.FrontOffice.validate("FrontOffice")...)
	problems = append(problems, c.BackOffice.validate("BackOffice")...)
	if err := checkURL(c.PublicURL, c.InsecureAllowHTTP); err != nil {
		report("PublicURL", "%w", err)
	} else if u, _ := url.Parse(c.PublicURL); u.Path != "" {
		report("PublicURL", "must have no path")
	}
	for name, raw := range map[string]string{"FrontOfficeURL": c.FrontOfficeURL, "BackOfficeURL": c.BackOfficeURL} {
		if raw == "" {
			continue
		}
		if err := checkURL(raw, c.InsecureAllowHTTP); err != nil {
			report(name, "%w", err)
		}
	}
	switch {
	case c.IdleTimeout < 0:
		report("IdleTimeout", "is negative")
	case c.AbsoluteTimeout >= 0 && c.IdleTimeout > c.AbsoluteTimeout:
		report("IdleTimeout", "is longer than the absolute timeout")
	}
	if c.AbsoluteTimeout < 0 {
		report("AbsoluteTimeout", "is negative")
	} else if c.AbsoluteTimeout > maxSession {
		report("AbsoluteTimeout", "is more than 30 days")
	}
	for name, n := range map[string]int{
		"MaxSessionsPerUser": c.MaxSessionsPerUser, "AttemptsPerAccount": c.AttemptsPerAccount, "AttemptsPerAddress": c.AttemptsPerAddress,
	} {
		if n < 0 {
			report(name, "is negative")
		}
	}
	for i, p := range c.TrustedProxies {
		if !p.IsValid() {
			report(fmt.Sprintf("TrustedProxies[%d]", i), "is not a prefix")
		}
	}
	return errors.Join(problems...)
}

// checkURL accepts https URLs, and http ones for loopback or if insecure,
// with neither query, fragment nor user. Its errors do not repeat raw, which
// may hold a password.
func checkURL(raw string, insecure bool) error {
	if raw == "" {
		return errors.New("is empty")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must be https")
	case u.Hostname() == "":
		return errors.New("has no host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("must have neither user, query nor fragment")
	case u.Scheme == "http" && !insecure && !isLoopback(u.Hostname()):
		return errors.New("must be https beyond loopback, unless InsecureAllowHTTP is set")
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
