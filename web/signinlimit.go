package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
	"b2trader.identity.auth/web/internal/session"
)

// The defaults of Config.AttemptsPerAccount and AttemptsPerAddress, a minute.
const (
	defaultAttemptsPerAccount = 5
	defaultAttemptsPerAddress = 30
)

// signInLimit bounds the attempts to sign in, with a password or with a
// one-time code. Its counts are this process's.
type signInLimit struct {
	perAddress, perAccount *limiter
	now                    func() time.Time
	events                 *eventLog
}

func newSignInLimit(c Config, events *eventLog) *signInLimit {
	return &signInLimit{
		perAddress: newLimiter(c.Now, cmp.Or(c.AttemptsPerAddress, defaultAttemptsPerAddress), time.Minute),
		perAccount: newLimiter(c.Now, cmp.Or(c.AttemptsPerAccount, defaultAttemptsPerAccount), time.Minute),
		now:        c.Now,
		events:     events,
	}
}

// countedAttempt is an attempt that was counted.
type countedAttempt struct {
	counts []count
}

// count is one limit that an attempt was counted under.
type count struct {
	by      string
	limiter *limiter
	key     string
}

// take counts an attempt for the client's address, and then for the account. It
// returns a 429 if there was none left.
func (l *signInLimit) take(r *http.Request, email string) (*countedAttempt, error) {
	counts := []count{
		{"address", l.perAddress, request.AddressKey(request.Of(r.Context()).Address)},
		{"account", l.perAccount, accountHash(email)},
	}
	for _, c := range counts {
		if wait := c.limiter.Take(c.key); wait > 0 {
			return nil, l.refuse(r, email, c.by, wait)
		}
	}
	return &countedAttempt{counts}, nil
}

func (l *signInLimit) refuse(r *http.Request, email, by string, wait time.Duration) error {
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

// settle gives the attempt back if err says that nothing judged it, because the
// IdentityServer or the store was away. It returns err.
func (a *countedAttempt) settle(ctx context.Context, err error) error {
	if isAway(ctx, err) {
		a.giveBack()
	}
	return err
}

func (a *countedAttempt) giveBack() {
	for _, c := range a.counts {
		c.limiter.GiveBack(c.key)
	}
}

// isAway reports whether err says that the IdentityServer (no answer, or 5xx) or
// the store was away. If the browser hung up it is not known, and counts.
func isAway(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	if e, ok := errors.AsType[*identity.Error](err); ok {
		return errors.Is(e, identity.ErrUnavailable) && (e.StatusCode == 0 || e.StatusCode >= http.StatusInternalServerError)
	}
	_, store := errors.AsType[*session.StoreError](err)
	_, vaultStore := errors.AsType[*vault.UnavailableError](err)
	return store || vaultStore
}

// answered reports whether err is of an answer of the IdentityServer with a
// status.
func answered(err error, status int) bool {
	e, ok := errors.AsType[*identity.Error](err)
	return ok && e.StatusCode == status
}

// accountHash names an account in the log and in the limit. It hides what was
// typed, because people type passwords into the wrong field.
func accountHash(email string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(email))))
	return hex.EncodeToString(sum[:8])
}
