package tradevesttest

import (
	"cmp"
	"strings"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// The credentials of a zero Config.
const (
	SampleClientID     = "sample-partner"
	SampleClientSecret = "sample-partner-secret"
)

// Config describes a token endpoint. The zero value is that of the vendor's page,
// with sample credentials.
type Config struct {
	// AccessTokenLifetime is the life of an access token, in whole seconds. Zero:
	// 3600 s, the page's default of expires_in.
	AccessTokenLifetime time.Duration

	// TokenPath is the path of the token endpoint. Empty: /oauth2/token, the
	// page's; the vendor's guide says /connect/token.
	TokenPath string

	// Scope is the exact scope that a token request must have. Empty: any, or
	// none, as on the page; the vendor's guide wants tradevest.api.
	Scope string

	// ClientID and ClientSecret are the partner's. Empty: SampleClientID and
	// SampleClientSecret.
	ClientID, ClientSecret string

	// Now is the clock, safe for concurrent use. Nil: time.Now, which is virtual
	// in a testing/synctest bubble.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	c.AccessTokenLifetime = cmp.Or(c.AccessTokenLifetime, time.Hour)
	c.TokenPath = cmp.Or(c.TokenPath, "/oauth2/token")
	c.ClientID = cmp.Or(c.ClientID, SampleClientID)
	c.ClientSecret = cmp.Or(c.ClientSecret, SampleClientSecret)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// check returns every problem, in the order of the fields.
func (c Config) check() error {
	p := apitest.Problems{Package: "tradevesttest"}
	p.WholeSeconds("AccessTokenLifetime", c.AccessTokenLifetime)
	if c.TokenPath != "" && !strings.HasPrefix(c.TokenPath, "/") {
		p.Add("TokenPath", "does not begin with a slash")
	}
	if c.TokenPath == APIPath {
		p.Add("TokenPath", "is the API's")
	}
	return p.Err()
}
