package b2coretest

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// SamplePlatform is B2Trader's platformId in the page's samples, and the one platform of a
// zero Config.
const SamplePlatform = "1"

// Config describes a B2Core. The zero value is the one of the page's samples.
type Config struct {
	// AccessTokenLifetime is the ttl: how long access tokens are good, in whole seconds. 0 means
	// 60 s, the page's sample.
	AccessTokenLifetime time.Duration

	// RefreshTokenLifetime is how long a refresh token is good, from its own issue. The real
	// one is not known. 0 means 10 h, which is what the claims of the page's sample say.
	RefreshTokenLifetime time.Duration

	// BearerLifetime is how long the access tokens of the B2Core session are good.
	// 0 means 10 minutes.
	BearerLifetime time.Duration

	// NumericTTL writes the ttl as a number. False as the page: a string.
	NumericTTL bool

	// Host is what every answer names as its host. Empty means the request's own origin: "the
	// URL to which the request … was sent".
	Host string

	// Platforms are the platformIds that there are. Nil means SamplePlatform only.
	Platforms []string

	// ReuseRefreshTokens lets a refresh token work as often as it lives. False: once.
	ReuseRefreshTokens bool

	// RefreshFailureStatus is the HTTP status of a refused refresh token, which the page does
	// not tell. 0 means 401.
	RefreshFailureStatus int

	// Now is the clock. Nil means time.Now, which is virtual in a testing/synctest bubble.
	// It must be safe for concurrent use.
	Now func() time.Time
}

// withDefaults fills what zero stands for.
func (c Config) withDefaults() Config {
	c.AccessTokenLifetime = cmp.Or(c.AccessTokenLifetime, time.Minute)
	c.RefreshTokenLifetime = cmp.Or(c.RefreshTokenLifetime, 10*time.Hour)
	c.BearerLifetime = cmp.Or(c.BearerLifetime, 10*time.Minute)
	c.RefreshFailureStatus = cmp.Or(c.RefreshFailureStatus, http.StatusUnauthorized)
	if c.Platforms == nil {
		c.Platforms = []string{SamplePlatform}
	}
	c.Platforms = slices.Clone(c.Platforms)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// check reports every problem, in the order of the fields.
func (c Config) check() error {
	p := apitest.Problems{Package: "b2coretest"}
	p.WholeSeconds("AccessTokenLifetime", c.AccessTokenLifetime)
	p.WholeSeconds("RefreshTokenLifetime", c.RefreshTokenLifetime)
	p.WholeSeconds("BearerLifetime", c.BearerLifetime)
	for i, platform := range c.Platforms {
		if platform == "" || slices.Contains(c.Platforms[:i], platform) {
			p.Add("Platforms", "has %q, which is empty or there twice", platform)
		}
	}
	if s := c.RefreshFailureStatus; s != 0 && (s < 400 || s > 599) {
		p.Add("RefreshFailureStatus", "is %d, which is no failure", s)
	}
	return p.Err()
}
