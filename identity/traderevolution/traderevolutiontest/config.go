package traderevolutiontest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// The one user of the server.
const (
	SampleLogin    = "backoffice"
	SamplePassword = "backoffice-password"
)

// OTTAnswer says how the server answers the verification of a one-time token, of which the vendor's page says both that
// "the response will contain the user login" and that "a new pair of tokens will be received"; and that the response
// "will indicate that the token is not valid", and that "standard errors are returned".
type OTTAnswer string

// The ways to answer, for a token that is valid and for one that is not.
const (
	AnswerLogin       OTTAnswer = "login"        // {"login", "valid": true}, or {"valid": false}
	AnswerExpiredFlag OTTAnswer = "expired flag" // {"isExpired": false, "login"}, or {"isExpired": true}, as a sibling of the endpoint
	AnswerTokens      OTTAnswer = "tokens"       // a pair of tokens, or an error
	AnswerBoth        OTTAnswer = "both"         // {"login", "valid": true} and a pair of tokens, or an error
)

// Config describes the installation. The zero value is the vendor's sandbox, as far as it is known.
type Config struct {
	// Prefix is the path that the API's own begin with. Empty means /proftrading/rest, and / none.
	Prefix string

	// AccessTokenLifetime is how long access tokens last, in whole seconds. 0 means 300 s.
	AccessTokenLifetime time.Duration

	// RefreshTokenLifetime is how long refresh tokens last, in whole seconds. 0 means 3600 s.
	RefreshTokenLifetime time.Duration

	// OTTLifetime is how long one-time tokens last. 0 means 30 s.
	OTTLifetime time.Duration

	// ReuseRefreshTokens leaves a refresh token as it is when it was used. False: it works once.
	ReuseRefreshTokens bool

	// OTTAnswer is the answer of a verification. Empty means AnswerLogin.
	OTTAnswer OTTAnswer

	// Now is the clock. Nil means time.Now. It must be safe for concurrent use.
	Now func() time.Time
}

// check reports every problem, in the order of the fields.
func (cfg Config) check() error {
	p := apitest.Problems{Package: "traderevolutiontest"}
	if cfg.Prefix != "" && !strings.HasPrefix(cfg.Prefix, "/") {
		p.Add("Prefix", "does not begin with a slash")
	}
	p.WholeSeconds("AccessTokenLifetime", cfg.AccessTokenLifetime)
	p.WholeSeconds("RefreshTokenLifetime", cfg.RefreshTokenLifetime)
	p.Lifetime("OTTLifetime", cfg.OTTLifetime)
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
