package traderevolutiontest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// The server's only user.
const (
	SampleLogin    = "backoffice"
	SamplePassword = "backoffice-password"
)

// OTTAnswer says how the server answers a verification. The vendor's page says
// both that "the response will contain the user login" and that "a new pair of
// tokens will be received"; and that the response "will indicate that the token
// is not valid" and that "standard errors are returned".
type OTTAnswer string

// The answers, for a valid token and for any other.
const (
	AnswerLogin       OTTAnswer = "login"        // {"login", "valid": true}, or {"valid": false}
	AnswerExpiredFlag OTTAnswer = "expired flag" // {"isExpired": false, "login"}, or {"isExpired": true}, like a sibling of the endpoint
	AnswerTokens      OTTAnswer = "tokens"       // a pair of tokens, or an error
	AnswerBoth        OTTAnswer = "both"         // {"login", "valid": true} and a pair of tokens, or an error
)

// Config describes a back office. The zero value is the vendor's sandbox.
type Config struct {
	// Prefix is the path before the API's paths. Empty: /proftrading/rest. A
	// slash alone: none.
	Prefix string

	// AccessTokenLifetime is the life of an access token, in whole seconds. Zero:
	// 300 s.
	AccessTokenLifetime time.Duration

	// RefreshTokenLifetime is the life of a refresh token, in whole seconds.
	// Zero: 3600 s.
	RefreshTokenLifetime time.Duration

	// OTTLifetime is the life of a one-time token. Zero: 30 s.
	OTTLifetime time.Duration

	// ReuseRefreshTokens lets a refresh token work any number of times. False:
	// once.
	ReuseRefreshTokens bool

	// OTTAnswer is the answer of a verification. Empty: AnswerLogin.
	OTTAnswer OTTAnswer

	// Now is the clock, safe for concurrent use. Nil: time.Now.
	Now func() time.Time
}

// check returns every problem, in the order of the fields.
func (cfg Config) check() error {
	p := apitest.Problems{Package: "traderevolutiontest"}
	if cfg.Prefix != "" && !strings.HasPrefix(cfg.Prefix, "/") {
		p.Add("Prefix", "does not begin with a slash")
	}
	p.WholeSeconds("AccessTokenLifetime", cfg.AccessTokenLifetime)
	p.WholeSeconds("RefreshTokenLifetime", cfg.RefreshTokenLifetime)
	p.Negative("OTTLifetime", cfg.OTTLifetime < 0)
	if !slices.Contains([]OTTAnswer{"", AnswerLogin, AnswerExpiredFlag, AnswerTokens, AnswerBoth}, cfg.OTTAnswer) {
		p.Add("OTTAnswer", "is none of the constants")
	}
	return p.Err()
}

func (cfg Config) withDefaults() Config {
	cfg.Prefix = strings.TrimRight(cmp.Or(cfg.Prefix, "/proftrading/rest"), "/")
	cfg.AccessTokenLifetime = cmp.Or(cfg.AccessTokenLifetime, 300*time.Second)
	cfg.RefreshTokenLifetime = cmp.Or(cfg.RefreshTokenLifetime, 3600*time.Second)
	cfg.OTTLifetime = cmp.Or(cfg.OTTLifetime, 30*time.Second)
	cfg.OTTAnswer = cmp.Or(cfg.OTTAnswer, AnswerLogin)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg
}
