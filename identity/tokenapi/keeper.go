package tokenapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// KeeperConfig says how a [Keeper] gets tokens. System, Account and SignIn are
// required.
type KeeperConfig struct {
	// System is the package of the client, for errors and printing, such as
	// "b2binpay".
	System string

	// Account is the account that signs in.
	Account Account

	// SignIn returns tokens for the account's login and password.
	SignIn func(ctx context.Context, login, password string) (*oauth2.Token, error)

	// Refresh returns the successor of a token, by its refresh token. Nil: the
	// API has no refresh tokens.
	Refresh func(context.Context, *oauth2.Token) (*oauth2.Token, error)

	// MaxUses is how many requests an access token may be used for. Zero: any
	// number.
	MaxUses int

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// A Keeper keeps an account signed in without a person. It renews by the
// refresh token, and signs in again if there is none, it has expired, or the
// server refuses it. A Keeper is a Refresher of package vault and safe for
// concurrent use.
//
// A worker puts [Keeper.FirstToken] into a vault, where the entry stays until it
// is deleted, and sends requests through the vault's Transport. Processes that
// share the vault's store share the sign-in; each puts the entry only if there
// is none. The vault's lease lets one process sign in at a time, but each
// process counts its own attempts for the Pace.
type Keeper struct {
	config KeeperConfig

	mu       sync.Mutex
	next     pause    // before the next sign-in
	refusals int      // of passwords, in a row
	refused  [32]byte // the hash of the password refused last
	paused   pause    // of the refused password
	spent    [32]byte // the hash of the refresh token refused last
	last     error    // of the last sign-in, or of a refresh that asked for a delay
}

// NewKeeper returns a Keeper. It makes no request. Its error joins every
// problem of the KeeperConfig and its Account, each a *[FieldError].
func NewKeeper(config KeeperConfig) (*Keeper, error) {
	p := Problems{Package: cmp.Or(config.System, "tokenapi") + ": Keeper"}
	config.Account.check(&p)
	p.Struct = "KeeperConfig"
	p.Missing("System", config.System == "")
	p.Missing("SignIn", config.SignIn == nil)
	p.Negative("MaxUses", config.MaxUses < 0)
	if err := p.Err(); err != nil {
		return nil, err
	}
	config.Account.Pace = config.Account.withDefaults()
	config.Now = wallClock(config.Now)
	return &Keeper{config: config}, nil
}

// Format prints the system only, for every verb.
func (k *Keeper) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "tokenapi.Keeper(%s)", k.config.System)
}

// MaxUses returns KeeperConfig.MaxUses, for the vault.
func (k *Keeper) MaxUses() int { return k.config.MaxUses }

// Unattended reports true: a vault's entry needs no person and never ends by
// itself.
func (*Keeper) Unattended() bool { return true }

// FirstToken returns the token to put into a vault at the start: its renewal
// signs in.
func (*Keeper) FirstToken() *oauth2.Token { return FirstToken() }

// Refresh returns the successor of old: by its refresh token, or by a sign-in
// if there is none, it has expired, or the server refuses it.
//
// Errors: *[PausedError]; ErrBadCredentials, which says how long the password is
// not tried again; ErrMisconfigured with its cause if Account.Password fails;
// otherwise those of the KeeperConfig's functions. None has the outcome
// [Refused], because the next sign-in may succeed.
func (k *Keeper) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	if k.refreshable(old) {
		token, err := k.config.Refresh(ctx, old)
		if !spends(err) {
			k.obey(err)
			return token, err
		}
		k.spend(old)
	}
	password, err := k.config.Account.password(ctx, k.config.System)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(password.Reveal()))
	if err := k.begin(hash); err != nil {
		return nil, err
	}
	token, err := k.config.SignIn(ctx, k.config.Account.Login, password.Reveal())
	if pause := k.end(hash, err); pause > 0 {
		err = &refusedPassword{err, pause, min(pause, k.config.Account.Interval)}
	}
	if err == nil && token == nil {
		err = fmt.Errorf("%s: KeeperConfig.SignIn returned no token", k.config.System)
	}
	return token, kept(err)
}

// spends reports whether err means that the refresh token is used up: the server
// refused it, or accepted it with an answer that cannot be used.
func spends(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return OutcomeOf(err).Kind == Refused || errors.Is(err, ErrGrantRefused) || ok && errors.Is(e, ErrUnusableAnswer) && e.StatusCode/100 == 2
}

// kept turns the outcome Refused into Transient: a later sign-in may succeed.
func kept(err error) error {
	if o := OutcomeOf(err); o.Kind == Refused {
		return WithOutcome(err, Outcome{RetryAfter: o.RetryAfter})
	}
	return err
}

// refreshable reports whether old has a refresh token that is worth a request:
// it has not expired and is not the one refused last.
func (k *Keeper) refreshable(old *oauth2.Token) bool {
	if k.config.Refresh == nil || old == nil || old.RefreshToken == "" {
		return false
	}
	expiry, known := old.Extra(RefreshExpiry).(time.Time)
	k.mu.Lock()
	defer k.mu.Unlock()
	return (!known || k.config.Now().Before(expiry)) && k.spent != sha256.Sum256([]byte(old.RefreshToken))
}

// spend remembers the refresh token of old, which is not sent again.
func (k *Keeper) spend(old *oauth2.Token) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spent = sha256.Sum256([]byte(old.RefreshToken))
}

// begin permits one sign-in with the password of that hash, or returns a
// PausedError.
func (k *Keeper) begin(password [32]byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.config.Now()
	var refused time.Duration
	if k.refused == password {
		refused = k.paused.left(now)
	}
	wait := k.next.left(now)
	if wait == 0 {
		wait = min(refused, k.config.Account.Interval) // the password may change sooner
	}
	if wait > 0 {
		return &PausedError{System: k.config.System, RetryAfter: wait, Refused: refused, Err: k.last}
	}
	k.next = pause{now, now.Add(k.config.Account.Interval)}
	return nil
}

// maxRetryAfter bounds the delay that a server may ask for, as package vault
// does.
const maxRetryAfter = 5 * time.Minute

// obey puts the next sign-in off, if err asks for a delay: a person may ask for
// the sign-in before a vault would.
func (k *Keeper) obey(err error) {
	asked := min(OutcomeOf(err).RetryAfter, maxRetryAfter)
	if err == nil || asked <= 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = err
	if now := k.config.Now(); asked > k.next.left(now) {
		k.next = pause{now, now.Add(asked)}
	}
}

// end remembers the result of a sign-in. It returns how long the password is not
// tried again, or 0.
func (k *Keeper) end(password [32]byte, err error) (wait time.Duration) {
	defer k.obey(err)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch k.last = err; {
	case err == nil:
		k.refusals, k.paused = 0, pause{}
	case errors.Is(err, ErrBadCredentials):
		wait = min(k.config.Account.Pause<<min(k.refusals, 16), maxPause)
		now := k.config.Now()
		k.paused = pause{now, now.Add(wait)}
		k.refused = password
		k.refusals++
	case OutcomeOf(err).Kind == NotSent:
		k.next = pause{}
	}
	return wait
}

// A pause lasts from one time until another. A clock that is set back ends it,
// because it would last longer otherwise.
type pause struct{ from, until time.Time }

// left returns how long the pause still lasts.
func (p pause) left(now time.Time) time.Duration {
	if now.Before(p.from) {
		return 0
	}
	return max(0, p.until.Sub(now))
}
