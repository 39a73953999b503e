package web

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// The defaults of Config.AttemptsPerAccount and AttemptsPerAddress, a minute.
const (
	defaultAttemptsPerAccount = 5
	defaultAttemptsPerAddress = 30
)

// signInLimit bounds the attempts to sign in, with a password or with a
// one-time code.
type signInLimit struct {
	perAddress, perAccount *limiter
	now                    func() time.Time
	events                 *eventLog
}

func newSignInLimit(c Config, events *eventLog) *signInLimit {
	return &signInLimit{
		perAddress: newLimiter(c.Now, cmp.Or(c.AttemptsPerAddress, defaultAttemptsPerAddress)),
		perAccount: newLimiter(c.Now, cmp.Or(c.AttemptsPerAccount, defaultAttemptsPerAccount)),
		now:        c.Now,
		events:     events,
	}
}

// take counts an attempt for the client's address, and then for the account. It
// returns a 429 if there was none left.
func (l *signInLimit) take(r *http.Request, email string) error {
	by, wait := "address", l.perAddress.Take(request.AddressKey(request.Of(r.Context()).Address))
	if wait == 0 {
		by, wait = "account", l.perAccount.Take(accountHash(email))
	}
	if wait == 0 {
		return nil
	}
	l.events.record(r.Context(), eventTooManyAttempts, "by", by, "account", accountHash(email))
	until := l.now().Add(wait + time.Second - 1)
	return &answer.Error{
		Status: http.StatusTooManyRequests, Code: "too_many_attempts", RetryAfter: wait,
		Args:    []any{answer.Seconds(wait), until.UTC().Format("15:04:05")},
		Actions: []templates.Link{templates.LinkBackToSignIn},
	}
}

// succeeded gives the account its attempts back, but not the address.
func (l *signInLimit) succeeded(email string) { l.perAccount.Forget(accountHash(email)) }

// accountHash names an account in the log and in the limit. It hides what was
// typed, because people type passwords into the wrong field.
func accountHash(email string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(email))))
	return hex.EncodeToString(sum[:8])
}
