package tradevest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// Config says which server a [Client] talks to, and as which partner. ClientID
// and ClientSecret are required. The zero value of each other field follows the
// vendor's page.
type Config struct {
	// URL is the token server's. A trailing slash is dropped. Empty:
	// https://b2b.auth.platform-test.tradevest.ai, the test platform.
	URL string

	// TokenPath is the path of the token endpoint, below URL. Empty:
	// /oauth2/token, the page's; the vendor's newer guide says /connect/token.
	TokenPath string

	// Scopes are requested with each token (RFC 6749 section 3.3). Nil: none, as
	// on the page; the guide wants tradevest.api.
	Scopes []string

	// ClientID is the partner's. The vendor provides it.
	ClientID string

	// ClientSecret returns the partner's secret. Every request calls it, so that
	// the secret can change without a restart. [tokenapi.Fixed] makes one that
	// never changes.
	ClientSecret func(context.Context) (tokenapi.Secret, error)

	// RequestorID is the Requestor-ID that [Client.Transport] adds: the UUID
	// (RFC 9562 section 4) of the natural person who acts. Empty: none.
	RequestorID string

	// DefaultLifetime is the life of an access token whose answer has no
	// expires_in. Zero: an hour, the page's default.
	DefaultLifetime time.Duration

	// HTTP says how requests are sent.
	HTTP tokenapi.HTTP
}

// system names this package in errors.
const system = "tradevest"

// A Client gets access tokens for one partner. It is safe for concurrent use.
type Client struct {
	config Config
	peer   httpx.Peer
}

// New returns a Client. Its error joins every problem of the Config, each a
// *tokenapi.FieldError. New makes no request.
func New(config Config) (*Client, error) {
	config.URL = cmp.Or(config.URL, "https://b2b.auth.platform-test.tradevest.ai")
	config.TokenPath = cmp.Or(config.TokenPath, "/oauth2/token")
	config.DefaultLifetime = cmp.Or(config.DefaultLifetime, time.Hour)
	config.Scopes = slices.Clone(config.Scopes)
	p := checkconfig.Problems{Package: system}
	peer := httpx.ParsePeer(&p, config.URL, config.HTTP)
	p.Path("TokenPath", config.TokenPath)
	p.Scopes("Scopes", config.Scopes)
	p.Missing("ClientID", config.ClientID == "")
	p.Missing("ClientSecret", config.ClientSecret == nil)
	if config.RequestorID != "" && !uuid.MatchString(config.RequestorID) {
		p.Add("RequestorID", "is not a UUID (RFC 9562 section 4)")
	}
	p.Negative("DefaultLifetime", config.DefaultLifetime < 0)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return &Client{config: config, peer: peer}, nil
}

// Format prints the server's URL and no other part of the Client.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.Client(%s)", system, c.peer.Base)
}
