package b2binpay

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// The hosts of the API.
const (
	SandboxURL    = "https://api-sandbox.b2binpay.com" // of the article
	ProductionURL = "https://api.b2binpay.com"         // docs.b2binpay.com, v2
)

// system names this package in errors.
const system = "b2binpay"

// Config says where the API is. The zero value suits the sandbox.
type Config struct {
	// URL is the API's. A trailing slash is dropped. Empty: SandboxURL.
	URL string

	// TokenPath and RefreshPath are the paths of the two endpoints, below URL,
	// with their trailing slash. Empty: /token/ and /token/refresh/.
	TokenPath, RefreshPath string

	// MaxUses bounds the requests with one access token. Package vault counts
	// them and renews after two thirds. Zero: 30, the lower bound of the
	// article's 30 to 40, so the vault renews after 20. Negative: no bound.
	MaxUses int

	// DefaultLifetime is the life of an access token if the answer tells none, or
	// one that is over: access_expired_at is a time of a clock, and the clock may be
	// wrong. Zero: one minute, the shortest life that the vendor names.
	DefaultLifetime time.Duration

	// AllowUnsigned accepts the answer of a sign-in without meta.sign. An answer
	// with a wrong meta.sign is never accepted.
	AllowUnsigned bool

	// OnSuspicious, if set, receives the error when the server refuses a refresh
	// token that is not known to have expired. It runs in the goroutine of the
	// call, with its context. The vendor's documents say that such a token "must
	// be rendered suspicious": a thief may have used it. A refresh whose answer
	// was lost looks the same.
	OnSuspicious func(context.Context, *tokenapi.Error)

	// HTTP says how requests are sent.
	HTTP tokenapi.HTTP
}

// A Client obtains and refreshes tokens. It is a vault.Refresher and safe for
// concurrent use.
type Client struct {
	config Config
	peer   httpx.Peer
}

// New returns a Client. Its error joins every problem of the Config, each a
// *tokenapi.FieldError. New makes no request.
func New(config Config) (*Client, error) {
	config.URL = cmp.Or(config.URL, SandboxURL)
	config.TokenPath = cmp.Or(config.TokenPath, "/token/")
	config.RefreshPath = cmp.Or(config.RefreshPath, "/token/refresh/")
	config.MaxUses = cmp.Or(config.MaxUses, 30)
	config.DefaultLifetime = cmp.Or(config.DefaultLifetime, time.Minute)
	p := checkconfig.Problems{Package: system}
	peer := httpx.ParsePeer(&p, config.URL, config.HTTP)
	p.Path("TokenPath", config.TokenPath)
	p.Path("RefreshPath", config.RefreshPath)
	p.Negative("DefaultLifetime", config.DefaultLifetime < 0)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return &Client{config: config, peer: peer}, nil
}

// MaxUses returns the bound of requests with one access token, for the vault.
// Zero: no bound.
func (c *Client) MaxUses() int { return max(0, c.config.MaxUses) }

// Format prints the API's URL and no other part of the Client.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.Client(%s)", system, c.peer.Base)
}
