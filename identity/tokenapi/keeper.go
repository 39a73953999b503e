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

// KeeperConfig says how a [Keeper] gets tokens. System, Account and SignIn are required.
type KeeperConfig struct {
	// System is the package of the client, for errors and printing, such as "b2binpay".
	System string

	// Account is who signs in.
	Account Account

	// SignIn gets tokens by the account's login and password.
	SignIn func(ctx context.Context, login, password string) (*oauth2.Token, error)

	// Refresh gets the successor of a token by its refresh token. Nil: the API has no refresh tokens.
	Refresh func(context.Context, *oauth2.Token) (*oauth2.Token, error)

	// MaxUses is how many requests an access token is good for. Zero: any number.
	MaxUses int

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// A Keeper keeps an account signed in without a person: it renews with the refresh token, and signs in again when there is
// none, it has expired, or it is refused. It is what package vault calls a Refresher, and safe for concurrent use.
//
// To have it live as long as a worker does, put [Keeper.FirstToken] into a vault, with an Until that lies as far ahead, and send
// requests through the vault's Transport. Processes that share the vault's store share one sign-in: they put the entry
// only where there is none. Each counts its own attempts; the vault's lease lets one of them act at a time.
type Keeper struct {
	config KeeperConfig

	mu          sync.Mutex
	notBefore   time.Time // no sign-in before
	refusals    int       // of passwords, in a row
	refused     [32]byte  // the hash of the password refused last
	pausedUntil time.Time // it is not tried before
	spent       [32]byte  // the hash of the refresh token refused last
	last        error     // how the last sign-in failed
}

// NewKeeper returns a Keeper. It makes no request. Its error joins every problem
// of the KeeperConfig and its Account, each a *[FieldError].
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
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Keeper{config: config}, nil
}

// Format prints the system and nothing else.
func (k *Keeper) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "tokenapi.Keeper(%s)", k.config.System)
}

// MaxUses returns the KeeperConfig's, for the vault.
func (k *Keeper) MaxUses() int { return k.config.MaxUses }

// FirstToken returns what to put into a vault at the start, so that the renewal signs in.
func (*Keeper) FirstToken() *oauth2.Token { return FirstToken() }

// Refresh returns the successor of old: by its refresh token, or by signing in where there is none, it has expired, or it is refused.
// It never says that the grant is refused, for that the next sign-in may cure.
//
// Errors: *[PausedError]; ErrMisconfigured with its cause if the account's password cannot be had; else as the KeeperConfig's
// functions.
func (k *Keeper) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	if k.refreshable(old) {
		token, err := k.config.Refresh(ctx, old)
		if !spends(err) {
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
	k.end(hash, err)
	if err == nil && token == nil {
		err = fmt.Errorf("%s: the sign-in brought no token", k.config.System)
	}
	return token, kept(err)
}

// spends reports whether the refresh token is of no more use after err: the
// server refused it, or accepted it with an answer that cannot be used.
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

// refreshable reports whether there is a refresh token that is worth a request: it has not expired, and is not the one that was
// refused last.
func (k *Keeper) refreshable(old *oauth2.Token) bool {
	if k.config.Refresh == nil || old == nil || old.RefreshToken == "" {
		return false
	}
	expiry, known := old.Extra(RefreshExpiry).(time.Time)
	k.mu.Lock()
	defer k.mu.Unlock()
	return (!known || k.config.Now().Before(expiry)) && k.spent != sha256.Sum256([]byte(old.RefreshToken))
}

// spend takes note of a refresh token that is not to be sent again.
func (k *Keeper) spend(old *oauth2.Token) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spent = sha256.Sum256([]byte(old.RefreshToken))
}

// begin permits one sign-in with the password of that hash, or says how long to wait.
func (k *Keeper) begin(password [32]byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.config.Now()
	if wait := k.notBefore.Sub(now); wait > 0 {
		return &PausedError{System: k.config.System, RetryAfter: wait, Err: k.last}
	}
	if wait := k.pausedUntil.Sub(now); wait > 0 && k.refused == password {
		return &PausedError{System: k.config.System, RetryAfter: min(wait, k.config.Account.Interval), Err: k.last} // it may be changed sooner
	}
	k.notBefore = now.Add(k.config.Account.Interval)
	return nil
}

// end takes note of how a sign-in went.
func (k *Keeper) end(password [32]byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch k.last = err; {
	case err == nil:
		k.refusals, k.pausedUntil = 0, time.Time{}
	case errors.Is(err, ErrBadCredentials):
		k.pausedUntil = k.config.Now().Add(min(k.config.Account.Pause<<min(k.refusals, 16), maxPause))
		k.refused = password
		k.refusals++
	case OutcomeOf(err).Kind == NotSent:
		k.notBefore = time.Time{}
	}
}
