package b2binpaytest

import (
	"cmp"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// The sample account, which the zero Config has.
const (
	SampleLogin    = "sample-key"
	SamplePassword = "sample-secret-of-b2binpay"
)

// Config describes the installation that a [Server] imitates. The zero value is the
// sandbox as the vendor's article on tokens shows it.
type Config struct {
	// Login and Password of the one account, which the article calls KEY and SECRET.
	// Empty means the sample account's.
	Login, Password string

	// AccessTokenLifetime is how long access tokens last. 0 means 15 minutes, as in the
	// article's sample; its text says three.
	AccessTokenLifetime time.Duration

	// RefreshTokenLifetime is how long refresh tokens last, counted from their own making.
	// 0 means 6 hours.
	RefreshTokenLifetime time.Duration

	// MaxUses is how many requests an access token is good for; the next is refused with
	// 401. 0 means any number. The article allows 30 to 40 and does not say what follows.
	MaxUses int

	// NumericCodes makes the code of an error a number. False means a string.
	NumericCodes bool

	// ID is the data.id of an answer: nil, a string or an int. Nil means null, as in the
	// article; the v2 pages show "0".
	ID any

	// ClockOffset is how far the server's clock is ahead of Now. It shows in every time that
	// the server names, the Date header included.
	ClockOffset time.Duration

	// OmitDate leaves the Date header out.
	OmitDate bool

	// Now is the clock. Nil means time.Now, which is virtual in a testing/synctest bubble.
	// It must be safe for concurrent use.
	Now func() time.Time
}

func (cfg Config) withDefaults() Config {
	cfg.Login = cmp.Or(cfg.Login, SampleLogin)
	cfg.Password = cmp.Or(cfg.Password, SamplePassword)
	cfg.AccessTokenLifetime = cmp.Or(cfg.AccessTokenLifetime, 15*time.Minute)
	cfg.RefreshTokenLifetime = cmp.Or(cfg.RefreshTokenLifetime, 6*time.Hour)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg
}

// check reports every problem, in the order of the fields.
func (cfg Config) check() error {
	p := apitest.Problems{Package: "b2binpaytest"}
	p.Lifetime("AccessTokenLifetime", cfg.AccessTokenLifetime)
	p.Lifetime("RefreshTokenLifetime", cfg.RefreshTokenLifetime)
	if cfg.MaxUses < 0 {
		p.Add("MaxUses", "is negative")
	}
	switch cfg.ID.(type) {
	case nil, string, int:
	default:
		p.Add("ID", "is a %T, not nil, a string or an int", cfg.ID)
	}
	return p.Err()
}
