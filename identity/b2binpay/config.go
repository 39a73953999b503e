package b2binpay

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// The hosts of the API.
const (
	SandboxURL    = "https://api-sandbox.b2binpay.com" // the article's
	ProductionURL = "https://api.b2binpay.com"         // docs.b2binpay.com, v2
)

// system is this package, as errors name it.
const system = "b2binpay"

// Config says where the API is. The zero value is right for the sandbox.
type Config struct {
	// URL is the API's. A trailing slash is dropped. Empty: SandboxURL.
	URL string

	// TokenPath and RefreshPath are where tokens are obtained and refreshed, below URL. The trailing slash is part of
	// them. Empty: /token/ and /token/refresh/.
	TokenPath, RefreshPath string

	// MaxUses is how many requests an access token is used for at most, which package vault counts: from two thirds of them on, the
	// next token is fetched. Zero: 30, the lower bound of the article's 30 to 40, renewed from the 20th on. Negative: any number.
	MaxUses int

	// DefaultLifetime is assumed for an access token whose life cannot be reckoned from the answer, or would be over already.
	// Zero: one minute, the shortest of the lives that the vendor names.
	DefaultLifetime time.Duration

	// AllowUnsigned accepts the answer of a sign-in that has no meta.sign. False: it is refused. One whose meta.sign is
	// wrong is refused always.
	AllowUnsigned bool

	// OnSuspicious is called, if set, when the server refuses a refresh token that has not expired, as far as is known, in the
	// goroutine of the call and with its context. The vendor's documents say that such a token "must be rendered
	// suspicious": somebody else may have used it. A refresh whose answer was lost looks the same.
	OnSuspicious func(context.Context, *tokenapi.Error)

	// HTTP says how requests are sent.
	HTTP tokenapi.HTTP
}

// A Client obtains and refreshes tokens. It is safe for concurrent use, and is what package vault calls a Refresher.
type Client struct {
	config Config
	peer   httpx.Peer
}

// New returns a Client. Its error joins every problem of the Config. It makes no request.
func New(config Config) (*Client, error) {
	config = config.withDefaults()
	peer, problems := httpx.NewPeer(system, config.URL, config.HTTP)
	if err := httpx.ConfigError(system, append(problems, config.validate()...)...); err != nil {
		return nil, err
	}
	return &Client{config: config, peer: peer}, nil
}

func (config Config) withDefaults() Config {
	config.URL = cmp.Or(config.URL, SandboxURL)
	config.TokenPath = cmp.Or(config.TokenPath, "/token/")
	config.RefreshPath = cmp.Or(config.RefreshPath, "/token/refresh/")
	config.MaxUses = cmp.Or(config.MaxUses, 30)
	config.DefaultLifetime = cmp.Or(config.DefaultLifetime, time.Minute)
	return config
}

func (config Config) validate() []error {
	return []error{
		httpx.CheckPath("TokenPath", config.TokenPath),
		httpx.CheckPath("RefreshPath", config.RefreshPath),
		httpx.CheckDuration("DefaultLifetime", config.DefaultLifetime),
	}
}

// MaxUses returns how many requests an access token is used for, for the vault. Zero: any number.
func (c *Client) MaxUses() int { return max(0, c.config.MaxUses) }

// Format prints where the API is, and nothing else of the Client.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.Client(%s)", system, c.peer.Base)
}
