package b2coretest

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// SamplePlatform is B2Trader's platformId in the page's samples, and the one platform of a
// zero Config.
const SamplePlatform = "1"

// Config describes a B2Core. The zero value is the one of the page's samples.
type Config struct {
	// TokenLifetime is the ttl: how long access tokens are good, in whole seconds. 0 means
	// 60 s, the page's sample.
	TokenLifetime time.Duration

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
	c.TokenLifetime = cmp.Or(c.TokenLifetime, time.Minute)
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

func (c Config) check() error {
	var problems []error
	for name, d := range map[string]time.Duration{
		"TokenLifetime": c.TokenLifetime, "RefreshTokenLifetime": c.RefreshTokenLifetime, "BearerLifetime": c.BearerLifetime,
	} {
		if d < 0 || d%time.Second != 0 {
			problems = append(problems, fmt.Errorf("b2coretest: Config.%s is not a whole number of seconds", name))
		}
	}
	seen := map[string]bool{}
	for _, platform := range c.Platforms {
		if platform == "" || seen[platform] {
			problems = append(problems, fmt.Errorf("b2coretest: Config.Platforms: %q is empty, or there twice", platform))
		}
		seen[platform] = true
	}
	if s := c.RefreshFailureStatus; s != 0 && (s < 400 || s > 599) {
		problems = append(problems, fmt.Errorf("b2coretest: Config.RefreshFailureStatus %d is no failure", s))
	}
	return errors.Join(problems...)
}
