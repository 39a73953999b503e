package tradevesttest

import (
	"cmp"
	"strings"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// The credentials of a server that was given none.
const (
	SampleClientID     = "sample-partner"
	SampleClientSecret = "sample-partner-secret"
)

// Config describes the installation that a [Server] imitates. The zero value is the vendor's page, with sample credentials.
type Config struct {
	// AccessTokenLifetime is how long access tokens last, in whole seconds. 0 means 3600 s, the page's default of expires_in.
	AccessTokenLifetime time.Duration

	// TokenPath is where the token endpoint is. Empty means /oauth2/token, the page's; the vendor's guide says
	// /connect/token.
	TokenPath string

	// Scope is what token requests must ask for, to the letter. Empty means that scope is not looked at, for the page does not
	// have it; the vendor's guide wants tradevest.api.
	Scope string

	// ClientID and ClientSecret are the partner's. Empty means SampleClientID and SampleClientSecret.
	ClientID, ClientSecret string

	// Now is the clock. Nil means time.Now, which is virtual in a testing/synctest bubble. It must be safe for concurrent use.
	Now func() time.Time
}

// withDefaults fills what zero stands for.
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

// check reports every problem, in the order of the fields.
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
