package b2binpaytest

import (
	"cmp"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// The account of a zero Config.
const (
	SampleLogin    = "sample-key"
	SamplePassword = "sample-secret-of-b2binpay"
)

// Config describes an installation of B2BINPAY. The zero value is the sandbox as
// the vendor's article on tokens shows it.
type Config struct {
	// Login and Password are those of the only account; the article calls them
	// KEY and SECRET. Empty: SampleLogin and SamplePassword.
	Login, Password string

	// AccessTokenLifetime is the life of an access token. Zero: 15 minutes, as in
	// the article's sample; its text says three.
	AccessTokenLifetime time.Duration

	// RefreshTokenLifetime is the life of a refresh token, from its own issue.
	// Zero: 6 hours.
	RefreshTokenLifetime time.Duration

	// MaxUses bounds the requests with one access token; the next gets 401. Zero:
	// no bound. The article allows 30 to 40 and does not say what follows.
	MaxUses int

	// NumericCodes makes the code of an error a number. False: a string.
	NumericCodes bool

	// ID is the data.id of an answer: nil, a string or an int. Nil: null, as in
	// the article; the version 2 pages show "0".
	ID any

	// ClockOffset is added to Now in every time that the server tells, also in
	// the Date header.
	ClockOffset time.Duration

	// OmitDate omits the Date header.
	OmitDate bool

	// Now is the clock, safe for concurrent use. Nil: time.Now, which is virtual
	// in a testing/synctest bubble.
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

// check returns every problem, in the order of the fields.
func (cfg Config) check() error {
	p := apitest.Problems{Package: "b2binpaytest"}
	p.Negative("AccessTokenLifetime", cfg.AccessTokenLifetime < 0)
	p.Negative("RefreshTokenLifetime", cfg.RefreshTokenLifetime < 0)
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
