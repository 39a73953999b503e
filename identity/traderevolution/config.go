package traderevolution

import (
	"cmp"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// Config says which back office a [Client] talks to. URL is required. The zero
// value of each other field suits an installation like that of the vendor's page.
type Config struct {
	// URL is the API's, without /auth/token, such as
	// https://sandbox.traderevolution.com:8443/proftrading/rest. A trailing slash
	// is dropped.
	URL string

	// TokenPath, RefreshPath and VerifyPath are paths below URL. Empty:
	// /auth/token, /auth/token/refresh and /external/token/verify.
	TokenPath, RefreshPath, VerifyPath string

	// DefaultLifetime and DefaultRefreshLifetime are the lives of an access token
	// and a refresh token whose answer has no accessTokenLifeTime or
	// refreshTokenLifeTime, or 0. Zero: 5 minutes and 1 hour, as in a known
	// client.
	DefaultLifetime, DefaultRefreshLifetime time.Duration

	// HTTP says how requests are sent.
	HTTP tokenapi.HTTP
}

// A Client talks to one back office. It is safe for concurrent use.
type Client struct {
	config Config
	peer   httpx.Peer
}

// system names this package in errors.
const system = "traderevolution"

// New returns a Client. Its error joins every problem of the Config, each a
// *tokenapi.FieldError. New makes no request.
func New(config Config) (*Client, error) {
	config.TokenPath = cmp.Or(config.TokenPath, "/auth/token")
	config.RefreshPath = cmp.Or(config.RefreshPath, "/auth/token/refresh")
	config.VerifyPath = cmp.Or(config.VerifyPath, "/external/token/verify")
	config.DefaultLifetime = cmp.Or(config.DefaultLifetime, 5*time.Minute)
	config.DefaultRefreshLifetime = cmp.Or(config.DefaultRefreshLifetime, time.Hour)
	p := checkconfig.Problems{Package: system}
	peer := httpx.ParsePeer(&p, config.URL, config.HTTP)
	p.Path("TokenPath", config.TokenPath)
	p.Path("RefreshPath", config.RefreshPath)
	p.Path("VerifyPath", config.VerifyPath)
	p.Negative("DefaultLifetime", config.DefaultLifetime < 0)
	p.Negative("DefaultRefreshLifetime", config.DefaultRefreshLifetime < 0)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return &Client{config: config, peer: peer}, nil
}

// Format prints the server's URL and no other part of the Client.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.Client(%s)", system, c.peer.Base)
}
