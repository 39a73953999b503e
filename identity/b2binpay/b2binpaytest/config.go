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

// The account of version 3, if a Config names no other.
const (
	SampleClientID       = "sample-client-of-b2binpay"
	SampleClientSecret   = "sample-client-secret-of-b2binpay"
	SampleCallbackSecret = "sample-callback-secret-of-b2binpay"
)

// Config describes an installation of B2BINPAY. The zero value is the sandbox of
// version 2 as the vendor's article on tokens shows it.
type Config struct {
	// Version is the API's: 2 or 3. Zero: 2.
	Version int

	// ClientID, ClientSecret and CallbackSecret are those of version 3's only
	// account. Empty: SampleClientID, SampleClientSecret and SampleCallbackSecret.
	ClientID, ClientSecret, CallbackSecret string

	// Login and Password are those of version 2's only account; the article calls them
	// KEY and SECRET. Empty: SampleLogin and SamplePassword.
	Login, Password string

	// AccessTokenLifetime is the life of an access token. Zero: 15 minutes, as in
	// the article's sample, whose text says three, and 3,599 seconds in version 3.
	AccessTokenLifetime time.Duration

	// RefreshTokenLifetime is the life of a refresh token, from its own issue.
	// Zero: 6 hours. Version 3 has none.
	RefreshTokenLifetime time.Duration

	// MaxUses bounds the requests with one access token; the next gets 401. Zero:
	// no bound. The article allows 30 to 40 and does not say what follows.
	MaxUses int

	// NumericCodes makes the code of an error a number. False: a string.
	NumericCodes bool

	// ID is the data.id of an answer: nil, a string or an int. Nil: null, as in
	// the article, and "0" in version 3; the version 2 pages show "0" too.
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
	cfg.ClientID = cmp.Or(cfg.ClientID, SampleClientID)
	cfg.ClientSecret = cmp.Or(cfg.ClientSecret, SampleClientSecret)
	cfg.CallbackSecret = cmp.Or(cfg.CallbackSecret, SampleCallbackSecret)
	if cfg.Version == 3 {
		cfg.AccessTokenLifetime = cmp.Or(cfg.AccessTokenLifetime, 3599*time.Second)
		if cfg.ID == nil {
			cfg.ID = "0"
		}
	}
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
	if cfg.Version != 0 && cfg.Version != 2 && cfg.Version != 3 {
		p.Add("Version", "is %d, not 2 or 3", cfg.Version)
	}
	p.Negative("AccessTokenLifetime", cfg.AccessTokenLifetime < 0)
	p.Negative("RefreshTokenLifetime", cfg.RefreshTokenLifetime < 0)
	p.Negative("MaxUses", cfg.MaxUses < 0)
	switch cfg.ID.(type) {
	case nil, string, int:
	default:
		p.Add("ID", "is a %T, not nil, a string or an int", cfg.ID)
	}
	return p.Err()
}
