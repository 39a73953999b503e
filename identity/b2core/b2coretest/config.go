package b2coretest

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// SamplePlatform is B2Trader's platformId in the page's samples, and the only
// platform of a zero Config.
const SamplePlatform = "1"

// Config describes a B2Core. The zero value is that of the page's samples.
type Config struct {
	// AccessTokenLifetime is the life of an access token, the ttl, in whole
	// seconds. Zero: 60 s, as in the page's sample.
	AccessTokenLifetime time.Duration

	// RefreshTokenLifetime is the life of a refresh token, from its own issue,
	// in whole seconds. Zero: 10 h, as in the claims of the page's sample; the
	// real life is unknown.
	RefreshTokenLifetime time.Duration

	// BearerLifetime is the life of the B2Core session's access tokens, in whole
	// seconds. Zero: 10 minutes.
	BearerLifetime time.Duration

	// NumericTTL writes the ttl as a number. False: as a string, like the page.
	NumericTTL bool

	// Host is the host of every answer. Empty: the request's own origin, "the
	// URL to which the request … was sent".
	Host string

	// Platforms lists the platformIds that exist. Nil: SamplePlatform.
	Platforms []string

	// ReuseRefreshTokens lets a refresh token work any number of times. False:
	// once.
	ReuseRefreshTokens bool

	// RefreshFailureStatus is the HTTP status of a refused refresh token, which
	// the page does not tell. Zero: 401.
	RefreshFailureStatus int

	// Now is the clock, safe for concurrent use. Nil: time.Now, which is virtual
	// in a testing/synctest bubble.
	Now func() time.Time
}

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

// check returns every problem, in the order of the fields.
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
