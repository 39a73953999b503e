package identity

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// The clients that B2Trader registers (npm package, clientId).
const (
	ClientSPA      = "spa"       // the web terminal; public
	ClientSPAAdmin = "spa_admin" // the back office; has a secret
	ClientCoreIB   = "core_ib"   // B2Core, machine-to-machine; has a secret
	ClientLK       = "lk"        // the client cabinet, machine-to-machine; has a secret
)

// Config says which server a [Client] talks to, and as whom. URL and ClientID are required, and
// ClientSecret for every client but spa; the zero value of each other field is the right one for a usual B2Trader.
type Config struct {
	// URL is B2Trader's, such as https://trader.example.com: what the npm package calls the URL to IdentityServer,
	// the part before /identity. A trailing slash is dropped.
	URL string

	// ClientID is one of the Client constants, or another that the server registers.
	ClientID string

	// ClientSecret authenticates the client by HTTP Basic (RFC 6749 section 2.3.1). Zero: a public client.
	// spa must have none; spa_admin, core_ib and lk must have one.
	ClientSecret Secret

	// Scopes are requested at sign-in. Nil: what the npm package 1.2.0 requests for the client.
	Scopes []string

	// RedirectURL is the client's registered redirection endpoint. Nothing needs to listen there: the client reads the
	// code from the redirect and does not follow it. Empty: URL + /identity/sign-in-done.
	RedirectURL string

	// Issuer is the exact value that the discovery document and ID tokens must carry (OIDC Discovery section 4.3).
	// Empty: URL + /identity. A B2Trader that sits behind a proxy announces its internal name, such as
	// http://identity-server/identity/; set that here. The error of a mismatch says what the server announces.
	Issuer string

	// JWKSURL is where the signing keys are. Empty: where the discovery document says. If it is set, the discovery
	// document, which not every installation shows the public, is not asked for.
	JWKSURL string

	// SigningAlgorithms are those accepted on ID tokens (RFC 8725 section 3.1). Nil: RS256.
	// None and the HMAC algorithms are refused.
	SigningAlgorithms []string

	// RequireLogoutTokenType refuses logout tokens whose header does not say that they are such, by typ logout+jwt. Older
	// IdentityServers, the platform's among them, say JWT; what tells their logout tokens apart is the event.
	RequireLogoutTokenType bool

	// SecondFactorPath and SecondFactorBody replace the request of [SignIn.VerifySecondFactor], which no document
	// of the platform describes. Empty: /identity/sign-in; nil: {"verificationCode": code, "provider": provider}.
	SecondFactorPath string
	SecondFactorBody func(code, provider string) any

	// DefaultLifetime is assumed for an access token whose answer has no expires_in. Zero: 30 seconds, the platform's default.
	DefaultLifetime time.Duration

	// ClockSkew is allowed between the server's clock and ours when the times of an ID token are checked.
	// Zero: 30 seconds; at most 5 minutes.
	ClockSkew time.Duration

	// Timeout bounds each HTTP exchange, its answer's body included. A call of this package takes at most three exchanges
	// and the redirects between them. Zero: one minute, for a server that was given a refresh token has spent it, however long
	// it takes to say so; who cannot wait that long ends the context.
	Timeout time.Duration

	// Transport sends the requests. Nil: a clone of http.DefaultTransport that keeps more idle connections to the one host,
	// for a shorter time. TLS settings, such as a private CA, belong here.
	Transport http.RoundTripper

	// Observe, if set, is called after each HTTP exchange, in the goroutine of the call and with its context.
	// An Exchange holds no secrets. Fetches of signing keys, which serve many calls, come with a context of their own.
	Observe func(context.Context, Exchange)

	// Now is the clock. Nil: time.Now.
	Now func() time.Time

	// InsecureAllowHTTP permits http URLs beyond loopback, which hand passwords and tokens to everyone on the way.
	InsecureAllowHTTP bool
}

// A Client talks to one IdentityServer as one OAuth 2.0 client. It is safe for concurrent use.
type Client struct {
	config   Config
	peer     httpx.Peer
	server   *url.URL // Config.URL, parsed
	redirect *url.URL
	keys     *keys
}

// New returns a Client. Its error joins every problem of the Config. It makes no request.
func New(config Config) (*Client, error) {
	c := &Client{config: config.withDefaults()}
	p := checkconfig.Problems{Package: system}
	c.check(&p)
	if err := p.Err(); err != nil {
		return nil, err
	}
	c.peer = httpx.Peer{System: system, HTTP: c.config.http(), Base: c.server}
	c.keys = newKeys(c)
	return c, nil
}

// oauth2 is made for each use, so that no printed Client holds the secret in the clear.
func (c *Client) oauth2() *oauth2.Config {
	style := oauth2.AuthStyleInHeader
	if c.config.ClientSecret.IsZero() {
		style = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID:     c.config.ClientID,
		ClientSecret: c.config.ClientSecret.Reveal(),
		Endpoint: oauth2.Endpoint{
			AuthURL:   c.endpoint("/identity/connect/authorize"),
			TokenURL:  c.endpoint("/identity/connect/token"),
			AuthStyle: style,
		},
		RedirectURL: c.config.RedirectURL,
		Scopes:      c.config.Scopes,
	}
}

// ID returns the client's identifier.
func (c *Client) ID() string { return c.config.ClientID }

// URL returns the server's, without a trailing slash.
func (c *Client) URL() string { return c.config.URL }

// Issuer returns the issuer that ID tokens must carry.
func (c *Client) Issuer() string { return c.config.Issuer }

// Scopes returns what the client requests at sign-in.
func (c *Client) Scopes() []string { return slices.Clone(c.config.Scopes) }

// Format prints the client's identifier and server, and nothing else of it.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "identity.Client(%s at %s)", c.config.ClientID, c.config.URL)
}

// system is this package, as errors name it.
const system = "identity"

// http is the part of config that is about sending.
func (config Config) http() tokenapi.HTTP {
	return tokenapi.HTTP{
		Timeout: config.Timeout, Transport: config.Transport, Observe: config.Observe, Now: config.Now, InsecureAllowHTTP: config.InsecureAllowHTTP,
	}
}

func (c *Client) endpoint(path string) string { return c.config.URL + path }

func (config Config) withDefaults() Config {
	config.URL = strings.TrimRight(config.URL, "/")
	if config.Scopes == nil {
		config.Scopes = defaultScopes(config.ClientID)
	}
	setDefault(&config.RedirectURL, config.URL+"/identity/sign-in-done")
	setDefault(&config.Issuer, config.URL+"/identity")
	setDefault(&config.SecondFactorPath, "/identity/sign-in")
	setDefault(&config.DefaultLifetime, 30*time.Second)
	setDefault(&config.ClockSkew, 30*time.Second)
	if config.SecondFactorBody == nil {
		config.SecondFactorBody = secondFactorBody
	}
	if config.SigningAlgorithms == nil {
		config.SigningAlgorithms = []string{"RS256"}
	}
	h := config.http().WithDefaults()
	config.Timeout, config.Transport, config.Now = h.Timeout, h.Transport, h.Now
	return config
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// defaultScopes are the npm package's, in its order.
func defaultScopes(clientID string) []string {
	switch clientID {
	case ClientSPAAdmin:
		return []string{"openid", "offline_access", "FrontOffice", "BackOffice"}
	case ClientCoreIB:
		return []string{"openid", "offline_access", "BackOffice"}
	default:
		return []string{"openid", "offline_access", "FrontOffice"}
	}
}

// check parses the URLs and reports every problem of the Config.
func (c *Client) check(p *checkconfig.Problems) {
	config := c.config
	c.server = p.URL("URL", config.URL, config.InsecureAllowHTTP)
	config.checkClient(p)
	p.Missing("Scopes", len(config.Scopes) == 0)
	p.Scopes("Scopes", config.Scopes)
	if c.server != nil { // the default of RedirectURL needs it
		c.redirect = config.parseURL(p, "RedirectURL", config.RedirectURL)
	}
	if config.JWKSURL != "" {
		config.parseURL(p, "JWKSURL", config.JWKSURL)
	}
	config.checkAlgorithms(p)
	p.Path("SecondFactorPath", config.SecondFactorPath)
	p.Negative("DefaultLifetime", config.DefaultLifetime < 0)
	p.Negative("ClockSkew", config.ClockSkew < 0)
	if config.ClockSkew > 5*time.Minute {
		p.Add("ClockSkew", "is more than 5 minutes")
	}
	p.Negative("Timeout", config.Timeout < 0)
}

// parseURL parses the URL of a field, which may have a query.
func (config Config) parseURL(p *checkconfig.Problems, field, raw string) *url.URL {
	u, err := checkconfig.ParseURL(raw, config.InsecureAllowHTTP)
	p.Check(field, err)
	return u
}

func (config Config) checkClient(p *checkconfig.Problems) {
	p.Missing("ClientID", config.ClientID == "")
	switch config.ClientID {
	case ClientSPA:
		if !config.ClientSecret.IsZero() {
			p.Add("ClientSecret", "must be empty: spa is a public client")
		}
	case ClientSPAAdmin, ClientCoreIB, ClientLK:
		if config.ClientSecret.IsZero() {
			p.Add("ClientSecret", "is missing: %s has one", config.ClientID)
		}
	}
}

func (config Config) checkAlgorithms(p *checkconfig.Problems) {
	p.Missing("SigningAlgorithms", len(config.SigningAlgorithms) == 0)
	for _, alg := range config.SigningAlgorithms {
		if !slices.Contains([]string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"}, alg) {
			p.Add("SigningAlgorithms", "contains %q, which is not a public-key signature algorithm", alg)
		}
	}
}
