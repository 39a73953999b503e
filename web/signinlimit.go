package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
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

// An account has slower limits beside AttemptsPerAccount, in multiples of it, an
// hour. One address cannot use up those of all addresses.
const (
	hourlyPerPlace     = 4
	hourlyAllAddresses = 3 * hourlyPerPlace
)

// signInLimit bounds the attempts to sign in, with a password or with a
// one-time code. Its counts are this process's.
//
// An account is counted together with where the attempt comes from, its place:
// the client's address, or a browser that has signed in to the account before.
// Strangers can therefore use up their own attempts only. A limit over all
// addresses slows down guessing from many; known browsers are exempt from it,
// and from the limit of their address.
type signInLimit struct {
	perAddress    *limiter
	perPlace      *limiter // an account at a place, a minute
	perPlaceHour  *limiter
	allAddresses  *limiter // an account
	knownBrowsers *knownBrowsers
	accounts      accountNames
	now           func() time.Time
	clock         func(time.Time) string // a time of day, for people
	events        *eventLog
}

func newSignInLimit(s *site) *signInLimit {
	c := s.config
	perAccount := cmp.Or(c.AttemptsPerAccount, defaultAttemptsPerAccount)
	return &signInLimit{
		perAddress:    newLimiter(c.Now, cmp.Or(c.AttemptsPerAddress, defaultAttemptsPerAddress), time.Minute),
		perPlace:      newLimiter(c.Now, perAccount, time.Minute),
		perPlaceHour:  newLimiter(c.Now, hourlyPerPlace*perAccount, time.Hour),
		allAddresses:  newLimiter(c.Now, hourlyAllAddresses*perAccount, time.Hour),
		knownBrowsers: newKnownBrowsers(c.Keys, c.secure(), c.Now),
		accounts:      s.accounts,
		now:           c.Now,
		clock:         s.texts.Formats.Clock,
		events:        s.events,
	}
}

// countedAttempt is an attempt that was counted.
type countedAttempt struct {
	limit  *signInLimit
	counts []count
	place  string // with the account
}

// count is one limit that an attempt was counted under.
type count struct {
	by      string
	limiter *limiter
	key     string
}

// take counts an attempt. It returns a 429 if there was none left.
func (l *signInLimit) take(r *http.Request, email string) (*countedAttempt, error) {
	account := l.accounts.Of(email)
	address := request.AddressKey(request.Of(r.Context()).Address)
	a := &countedAttempt{limit: l, place: account + " at " + address}
	known := l.knownBrowsers.Of(r, email)
	if known != "" {
		a.place = account + " in " + known
	}
	counts := []count{{"account", l.perPlace, a.place}, {"account", l.perPlaceHour, a.place}}
	if known == "" {
		counts = append([]count{{"address", l.perAddress, address}}, counts...)
		counts = append(counts, count{"account", l.allAddresses, account})
	}
	for _, c := range counts {
		if wait := c.limiter.Take(c.key); wait > 0 {
			return nil, l.refuse(r, email, c.by, wait)
		}
		a.counts = append(a.counts, c)
	}
	return a, nil
}

func (l *signInLimit) refuse(r *http.Request, email, by string, wait time.Duration) error {
	l.events.record(r.Context(), eventTooManyAttempts, "by", by, "account", l.accounts.Of(email))
	until := l.now().Add(wait + time.Second - 1)
	return &answer.Error{
		Status: http.StatusTooManyRequests, Code: "too_many_attempts", RetryAfter: wait,
		Args:    []any{answer.Seconds(wait), l.clock(until.UTC())},
		Actions: []templates.Action{templates.ActionBackToSignIn},
	}
}

// accepted notes that the password or code was right, which is no guess: it does
// not count for the account as a whole.
func (a *countedAttempt) accepted() {
	for _, c := range a.counts {
		if c.limiter == a.limit.allAddresses {
			c.limiter.GiveBack(c.key)
		}
	}
	a.counts = slices.DeleteFunc(a.counts, func(c count) bool { return c.limiter == a.limit.allAddresses })
}

// succeeded gives the account its attempts at this place back, but not the
// address, and marks the browser as a known one.
func (a *countedAttempt) succeeded(w http.ResponseWriter, r *http.Request, email string) {
	a.limit.perPlace.Forget(a.place)
	a.limit.perPlaceHour.Forget(a.place)
	a.limit.knownBrowsers.Remember(w, r, email)
}

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
	if e, ok := errors.AsType[*tokenapi.Error](err); ok {
		return errors.Is(e, tokenapi.ErrUnavailable) && (e.StatusCode == 0 || e.StatusCode >= http.StatusInternalServerError)
	}
	_, store := errors.AsType[*session.StoreError](err)
	_, vaultStore := errors.AsType[*vault.UnavailableError](err)
	return store || vaultStore
}

// answered reports whether err is of an answer of the IdentityServer with a
// status.
func answered(err error, status int) bool {
	e, ok := errors.AsType[*tokenapi.Error](err)
	return ok && e.StatusCode == status
}
