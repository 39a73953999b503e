package traderevolution

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// Config says which back office a [Client] talks to. URL is required; the zero value of each other field is the right one
// for an installation as the vendor's page has it.
type Config struct {
	// URL is the API's, with its port and its path, such as https://sandbox.traderevolution.com:8443/proftrading/rest: the
	// part before /auth/token. A trailing slash is dropped.
	URL string

	// TokenPath, RefreshPath and VerifyPath are joined to URL.
	// Empty: /auth/token, /auth/token/refresh and /external/token/verify.
	TokenPath, RefreshPath, VerifyPath string

	// AccessTokenLifetime and RefreshTokenLifetime are assumed where an answer does not tell them, or tells 0. Zero:
	// 5 minutes and 1 hour, which a known client assumes.
	AccessTokenLifetime, RefreshTokenLifetime time.Duration

	// HTTP says how requests are sent.
	HTTP tokenapi.HTTP
}

// A Client talks to one back office. It is safe for concurrent use.
type Client struct {
	config Config
	peer   httpx.Peer
}

// system is this package, as errors name it.
const system = "traderevolution"

// New returns a Client. Its error joins every problem of the Config. It makes no request.
func New(config Config) (*Client, error) {
	config = config.withDefaults()
	peer, err := httpx.NewPeer(system, config.URL, config.HTTP)
	if err := errors.Join(err, config.check()); err != nil {
		return nil, fmt.Errorf("%s: %w", system, err)
	}
	return &Client{config: config, peer: peer}, nil
}

// Format prints the server's URL, and nothing else of the client.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.Client(%s)", system, c.peer.Base)
}

func (config Config) withDefaults() Config {
	config.TokenPath = cmp.Or(config.TokenPath, "/auth/token")
	config.RefreshPath = cmp.Or(config.RefreshPath, "/auth/token/refresh")
	config.VerifyPath = cmp.Or(config.VerifyPath, "/external/token/verify")
	config.AccessTokenLifetime = cmp.Or(config.AccessTokenLifetime, 5*time.Minute)
	config.RefreshTokenLifetime = cmp.Or(config.RefreshTokenLifetime, time.Hour)
	return config
}

func (config Config) check() error {
	problems := []error{
		httpx.CheckPath("TokenPath", config.TokenPath),
		httpx.CheckPath("RefreshPath", config.RefreshPath),
		httpx.CheckPath("VerifyPath", config.VerifyPath),
	}
	for name, d := range map[string]time.Duration{
		"AccessTokenLifetime": config.AccessTokenLifetime, "RefreshTokenLifetime": config.RefreshTokenLifetime,
	} {
		if d < 0 {
			problems = append(problems, httpx.FieldError(name, errors.New("is negative")))
		}
	}
	return errors.Join(problems...)
}
