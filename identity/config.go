package identity

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

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

// Config says which server a [Client] talks to, and as which OAuth 2.0 client.
// URL and ClientID are required, and ClientSecret for every client but spa. The
// zero value of each other field fits a usual B2Trader.
type Config struct {
	// URL is B2Trader's, such as https://trader.example.com: the part before
	// /identity, which the npm package calls the URL to IdentityServer. A
	// trailing slash is dropped. New refuses a URL that ends in /identity or in
	// one of the endpoints below it.
	URL string

	// ClientID is one of the Client constants, or another that the server
	// registers.
	ClientID string

	// ClientSecret authenticates the client by HTTP Basic (RFC 6749 section
	// 2.3.1). Zero: a public client. spa must have none; spa_admin, core_ib and
	// lk must have one.
	ClientSecret tokenapi.Secret

	// Scopes are requested at sign-in. Nil: those that the npm package 1.2.0
	// requests for the client.
	Scopes []string

	// RedirectURL is the client's registered redirection endpoint. Nothing
	// needs to listen there: the client reads the code from the redirect and
	// does not follow it. Empty: URL + /identity/sign-in-done.
	RedirectURL string

	// Issuer is the exact issuer of the discovery document and of ID tokens
	// (OIDC Discovery section 4.3). Empty: URL + /identity. A B2Trader behind a
	// proxy announces its internal name, such as
	// http://identity-server/identity/, which must be set here. The error of a
	// mismatch contains the announced name.
	Issuer string

	// JWKSURL is the URL of the signing keys. Empty: the one of the discovery
	// document. If it is set, the client does not fetch the discovery document,
	// which some installations do not publish.
	JWKSURL string

	// SigningAlgorithms are those accepted on ID tokens (RFC 8725 section 3.1).
	// Nil: RS256. None and the HMAC algorithms are not allowed.
	SigningAlgorithms []string

	// RequireLogoutTokenType refuses logout tokens without the header typ
	// logout+jwt. Older IdentityServers, such as the platform's, send JWT;
	// their logout tokens differ from other tokens by the claim events only.
	RequireLogoutTokenType bool

	// SecondFactorPath and SecondFactorBody replace the request of
	// [SignIn.VerifySecondFactor], which no document of the platform describes.
	// Empty: /identity/sign-in; nil: {"verificationCode": code, "provider":
	// provider}.
	SecondFactorPath string
	SecondFactorBody func(code, provider string) any

	// DefaultLifetime is the lifetime of an access token without expires_in.
	// Zero: 30 seconds, the platform's default.
	DefaultLifetime time.Duration

	// ClockSkew is the tolerated difference between the server's clock and ours
	// in the times of ID tokens and logout tokens. A clock of ours that is wrong
	// by up to 25 hours is not part of it: the Date of the server's answers
	// corrects it. Zero: 30 seconds; at most 5 minutes.
	ClockSkew time.Duration

	// HTTP says how requests are sent. A call makes at most three exchanges and
	// follows the redirects between them. A fetch of signing keys serves many
	// calls, so Observe gets it with a context of its own.
	HTTP tokenapi.HTTP
}

// A Client talks to one IdentityServer as one OAuth 2.0 client. It is safe for
// concurrent use.
type Client struct {
	config   Config
	peer     httpx.Peer
	redirect *url.URL
	keys     *keys
}

// New returns a Client. It makes no request. Its error joins every problem of
// the Config, each a *tokenapi.FieldError.
func New(config Config) (*Client, error) {
	p := checkconfig.Problems{Package: system}
	config = config.withDefaults()
	c := &Client{config: config, peer: httpx.ParsePeer(&p, config.URL, config.HTTP)}
	c.check(&p)
	if err := p.Err(); err != nil {
		return nil, err
	}
	c.peer.Clock = new(httpx.Clock)
	c.keys = newKeys(c)
	return c, nil
}

// ID returns the client's identifier.
func (c *Client) ID() string { return c.config.ClientID }

// IsMachine reports whether the client is core_ib or lk, which the platform
// registers for [Client.MachineToMachineSignIn] alone.
func (c *Client) IsMachine() bool { return c.ID() == ClientCoreIB || c.ID() == ClientLK }

// URL returns the server's URL without a trailing slash.
func (c *Client) URL() string { return c.config.URL }

// Issuer returns the required issuer of ID tokens.
func (c *Client) Issuer() string { return c.config.Issuer }

// Scopes returns the scopes that the client requests at sign-in.
func (c *Client) Scopes() []string { return slices.Clone(c.config.Scopes) }

// Format prints the client's identifier and server only, for every verb.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "identity.Client(%s at %s)", c.config.ClientID, c.config.URL)
}

// system is the name of this package in errors.
const system = "identity"

func (c *Client) endpoint(path string) string { return c.config.URL + path }

func (config Config) withDefaults() Config {
	config.URL = strings.TrimRight(config.URL, "/")
	if config.Scopes == nil {
		config.Scopes = defaultScopes(config.ClientID)
	}
	config.RedirectURL = cmp.Or(config.RedirectURL, config.URL+"/identity/sign-in-done")
	config.Issuer = cmp.Or(config.Issuer, config.URL+"/identity")
	config.SecondFactorPath = cmp.Or(config.SecondFactorPath, "/identity/sign-in")
	config.DefaultLifetime = cmp.Or(config.DefaultLifetime, 30*time.Second)
	config.ClockSkew = cmp.Or(config.ClockSkew, 30*time.Second)
	if config.SecondFactorBody == nil {
		config.SecondFactorBody = secondFactorBody
	}
	if config.SigningAlgorithms == nil {
		config.SigningAlgorithms = []string{"RS256"}
	}
	return config
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

// check parses the other URLs and reports every problem of the Config.
func (c *Client) check(p *checkconfig.Problems) {
	config, server := c.config, c.peer.Base
	if server != nil && withEndpoint.MatchString(server.Path) {
		p.Add("URL", "must be the part before /identity, which the client appends, such as https://trader.example.com")
	}
	config.checkClient(p)
	p.Missing("Scopes", len(config.Scopes) == 0)
	p.Scopes("Scopes", config.Scopes)
	if server != nil { // the default of RedirectURL needs it
		c.redirect = p.URLWithQuery("RedirectURL", config.RedirectURL, config.HTTP.InsecureAllowHTTP)
	}
	if config.JWKSURL != "" {
		p.URLWithQuery("JWKSURL", config.JWKSURL, config.HTTP.InsecureAllowHTTP)
	}
	config.checkAlgorithms(p)
	p.Path("SecondFactorPath", config.SecondFactorPath)
	p.Negative("DefaultLifetime", config.DefaultLifetime < 0)
	p.Negative("ClockSkew", config.ClockSkew < 0)
	if config.ClockSkew > 5*time.Minute {
		p.Add("ClockSkew", "is more than 5 minutes")
	}
}

// withEndpoint matches the path of a URL that goes on beyond Config.URL.
var withEndpoint = regexp.MustCompile(`(?i)/identity/*(/(sign-in|sign-out|sign-in-done|connect|\.well-known)(/.*)?)?$`)

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
		if !slices.Contains([]string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519"}, alg) {
			p.Add("SigningAlgorithms", "contains %q, which is not a public-key signature algorithm", alg)
		}
	}
}
