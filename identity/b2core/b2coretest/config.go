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

// The only user of a zero Config. SampleCode is the one-time code of every second
// factor.
const (
	SampleEmail    = "client@example.com"
	SamplePassword = "client-password"
	SampleCode     = "123456"
)

// A User can sign in to B2Core.
type User struct {
	Email, Password string

	// SecondFactors are the providers of the user's one-time codes, such as
	// google and sms. The user chooses one of several. Nil: none.
	SecondFactors []string
}

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

	// SessionRefreshTokenLifetime is the life of the B2Core session's refresh
	// tokens, from their own issue, in whole seconds. Zero: 24 hours.
	SessionRefreshTokenLifetime time.Duration

	// Users can sign in to B2Core. Nil: SampleEmail with SamplePassword and no
	// second factor.
	Users []User

	// Recaptcha makes the wizard ask for a reCAPTCHA, and refuses every sign-in.
	Recaptcha bool

	// WizardMethod is the method of the wizard. Empty: GET.
	WizardMethod string

	// RequireCookies refuses a step without the cookie that the wizard set.
	RequireCookies bool

	// KeepSessionRefreshToken answers a refresh of the session with a null
	// refreshToken, and the old one works on. False: each refresh returns another
	// one, and the old one is refused.
	KeepSessionRefreshToken bool

	// SignInFailureStatus is the HTTP status of a refused password or code, which
	// no page tells. Zero: 422.
	SignInFailureStatus int

	// SignInsPerMinute is how many sign-ins a minute may have. After one too many
	// all get 429 for 10 minutes. Zero: 5, the default of B2Core.
	SignInsPerMinute int

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
	c.SessionRefreshTokenLifetime = cmp.Or(c.SessionRefreshTokenLifetime, 24*time.Hour)
	c.WizardMethod = cmp.Or(c.WizardMethod, http.MethodGet)
	c.SignInFailureStatus = cmp.Or(c.SignInFailureStatus, http.StatusUnprocessableEntity)
	c.SignInsPerMinute = cmp.Or(c.SignInsPerMinute, 5)
	if c.Users == nil {
		c.Users = []User{{Email: SampleEmail, Password: SamplePassword}}
	}
	c.Users = slices.Clone(c.Users)
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
	p.WholeSeconds("SessionRefreshTokenLifetime", c.SessionRefreshTokenLifetime)
	for i, user := range c.Users {
		if user.Email == "" || user.Password == "" || slices.ContainsFunc(c.Users[:i], user.is) {
			p.Add("Users", "has %q, which is empty, has no password or is there twice", user.Email)
		}
	}
	for i, platform := range c.Platforms {
		if platform == "" || slices.Contains(c.Platforms[:i], platform) {
			p.Add("Platforms", "has %q, which is empty or there twice", platform)
		}
	}
	if m := c.WizardMethod; m != "" && m != http.MethodGet && m != http.MethodPost {
		p.Add("WizardMethod", "must be GET or POST")
	}
	checkFailure(&p, "RefreshFailureStatus", c.RefreshFailureStatus)
	checkFailure(&p, "SignInFailureStatus", c.SignInFailureStatus)
	p.Negative("SignInsPerMinute", c.SignInsPerMinute < 0)
	return p.Err()
}

func checkFailure(p *apitest.Problems, field string, status int) {
	if status != 0 && (status < 400 || status > 599) {
		p.Add(field, "is %d, which is no failure", status)
	}
}

// is reports whether both have the same e-mail address.
func (u User) is(other User) bool { return u.Email == other.Email }
