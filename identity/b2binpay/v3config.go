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

// V3SandboxURL is the sandbox of version 3, as one public client has it. The
// vendor gives the URL for production with the keys; it is in no public page.
const V3SandboxURL = "https://v3.api-sandbox.b2binpay.com"

// V3Config says where the API of version 3 is, and for which keys. ClientID and
// ClientSecret are required. The fields marked as inferred have no source at the
// vendor.
type V3Config struct {
	// URL is the API's. A trailing slash is dropped. Empty: V3SandboxURL, inferred.
	URL string

	// TokenPath is the path of the token endpoint, below URL, with its trailing
	// slash. Empty: /token/.
	TokenPath string

	// ClientID is the account's client_id.
	ClientID string

	// ClientSecret returns the account's client_secret. Every sign-in calls it, so
	// that the secret can change without a restart. [tokenapi.Fixed] makes one that
	// never changes.
	ClientSecret func(context.Context) (tokenapi.Secret, error)

	// MaxUses bounds the requests with one access token. Package vault counts them
	// and renews after two thirds. Zero: no bound, inferred from the life of an
	// hour.
	MaxUses int

	// DefaultLifetime is the life of an access token if the answer tells none.
	// Zero: 3,599 seconds, as in the vendor's sample.
	DefaultLifetime time.Duration

	// HTTP says how requests are sent.
	HTTP tokenapi.HTTP
}

// A V3Client obtains the tokens of version 3 for one account. It is safe for
// concurrent use.
type V3Client struct {
	config V3Config
	peer   httpx.Peer
}

// NewV3Client returns a V3Client. Its error joins every problem of the
// V3Config, each a *tokenapi.FieldError. NewV3Client makes no request.
func NewV3Client(config V3Config) (*V3Client, error) {
	config.URL = cmp.Or(config.URL, V3SandboxURL)
	config.TokenPath = cmp.Or(config.TokenPath, "/token/")
	config.DefaultLifetime = cmp.Or(config.DefaultLifetime, 3599*time.Second)
	p := checkconfig.Problems{Package: system, Struct: "V3Config"}
	peer := httpx.ParsePeer(&p, config.URL, config.HTTP)
	p.Path("TokenPath", config.TokenPath)
	p.Missing("ClientID", config.ClientID == "")
	p.Missing("ClientSecret", config.ClientSecret == nil)
	p.Negative("MaxUses", config.MaxUses < 0)
	p.Negative("DefaultLifetime", config.DefaultLifetime < 0)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return &V3Client{config: config, peer: peer}, nil
}

// MaxUses returns V3Config.MaxUses, for the vault.
func (c *V3Client) MaxUses() int { return c.config.MaxUses }

// Format prints the API's URL and no other part of the V3Client.
func (c *V3Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.V3Client(%s)", system, c.peer.Base)
}
