package tokenapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// KeeperConfig says how a [Keeper] gets tokens. Name, Secret and SignIn are required.
type KeeperConfig struct {
	// Name is whose account it is, for errors and printing, such as "b2binpay".
	Name string

	// Secret is asked before every sign-in, so that it can be changed without a restart.
	Secret func() (Secret, error)

	// SignIn gets tokens by the secret.
	SignIn func(context.Context, Secret) (*oauth2.Token, error)

	// Refresh gets the successor of a token by its refresh token. Nil: the API has no refresh tokens.
	Refresh func(context.Context, *oauth2.Token) (*oauth2.Token, error)

	// Interval is the least time between two sign-ins, however they end. Zero: 10 seconds, less than the life of any
	// known platform's access tokens.
	Interval time.Duration

	// Pause is how long a secret that was refused is not tried again, so that the account is not locked; it doubles with
	// each refusal, up to an hour. Another secret is tried at once. Zero: 5 minutes.
	Pause time.Duration

	// MaxUses is how many requests an access token is good for. Zero: any number.
	MaxUses int

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// maxPause bounds the doubling of KeeperConfig.Pause.
const maxPause = time.Hour

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
	refusals    int       // of the secret, in a row
	secret      [32]byte  // the hash of the one refused last
	pausedUntil time.Time // it is not tried before
	spent       [32]byte  // the hash of the refresh token refused last
	last        error     // how the last sign-in failed
}

// A PausedError says that a [Keeper] does not sign in just now: it did a moment ago, or its secret was refused.
type PausedError struct {
	Name       string        // the Keeper's
	RetryAfter time.Duration // when to ask again; it may be sooner than the sign-in
	Err        error         // how the last sign-in failed; nil: it did not
}

// Error says why.
func (e *PausedError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: signed in a moment ago: try again in %v", e.Name, e.RetryAfter.Round(time.Millisecond))
	}
	return fmt.Sprintf("%s: waiting before the next sign-in: try again in %v: %v", e.Name, e.RetryAfter.Round(time.Millisecond), e.Err)
}

// Unwrap returns how the last sign-in failed.
func (e *PausedError) Unwrap() error { return e.Err }

// GrantRefused returns false: the next sign-in may bring a token, however the last one ended.
func (e *PausedError) GrantRefused() bool { return false }

// RetryDelay returns RetryAfter.
func (e *PausedError) RetryDelay() time.Duration { return e.RetryAfter }

// NewKeeper returns a Keeper. Its error joins every problem of the KeeperConfig. It makes no request.
func NewKeeper(config KeeperConfig) (*Keeper, error) {
	var problems []error
	for name, missing := range map[string]bool{
		"Name": config.Name == "", "Secret": config.Secret == nil, "SignIn": config.SignIn == nil,
	} {
		if missing {
			problems = append(problems, fmt.Errorf("tokenapi: KeeperConfig.%s is missing", name))
		}
	}
	if config.Interval < 0 || config.Pause < 0 || config.MaxUses < 0 {
		problems = append(problems, errors.New("tokenapi: KeeperConfig.Interval, Pause and MaxUses must not be negative"))
	}
	if config.Pause > maxPause {
		problems = append(problems, fmt.Errorf("tokenapi: KeeperConfig.Pause is more than %v", maxPause))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if config.Interval == 0 {
		config.Interval = 10 * time.Second
	}
	if config.Pause == 0 {
		config.Pause = 5 * time.Minute
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Keeper{config: config}, nil
}

// Format prints the name and nothing else.
func (k *Keeper) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "tokenapi.Keeper(%s)", k.config.Name)
}

// MaxUses returns the KeeperConfig's, for the vault.
func (k *Keeper) MaxUses() int { return k.config.MaxUses }

// FirstToken returns what to put into a vault at the start, so that the renewal signs in.
func (*Keeper) FirstToken() *oauth2.Token { return FirstToken() }

// FirstToken returns a token that has expired and holds nothing: what stands in a vault before there is one, for a client
// whose Refresh then signs in. (An oauth2.Token without an Expiry never expires.)
func FirstToken() *oauth2.Token { return &oauth2.Token{Expiry: time.Unix(0, 0)} }

// Refresh returns the successor of old: by its refresh token, or by signing in where there is none, it has expired, or it is refused.
// It never says that the grant is refused, for that the next sign-in may cure.
//
// Errors: *PausedError; what Secret returns, wrapped; else as the KeeperConfig's functions.
func (k *Keeper) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	refresh := sha256.Sum256([]byte(old.RefreshToken))
	if k.refreshable(old) && !k.isSpent(refresh) {
		token, err := k.config.Refresh(ctx, old)
		if !spends(err) {
			return token, err
		}
		k.spend(refresh)
	}
	secret, err := k.config.Secret()
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: the account's secret: %w", k.config.Name, kept(err))
	case secret.IsZero():
		return nil, fmt.Errorf("%s: the account's secret is empty", k.config.Name)
	}
	hash := sha256.Sum256([]byte(secret.Reveal()))
	if err := k.begin(hash); err != nil {
		return nil, err
	}
	token, err := k.config.SignIn(ctx, secret)
	k.end(hash, err)
	if err == nil && token == nil {
		err = fmt.Errorf("%s: the sign-in brought no token", k.config.Name)
	}
	return token, kept(err)
}

// spends reports whether nothing will come of a refresh token after err: it was refused, or it was taken for an answer that cannot be
// used.
func spends(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return errors.Is(err, ErrGrantRefused) || ok && errors.Is(e, ErrUnusableAnswer) && e.StatusCode/100 == 2
}

// kept hides that an error says GrantRefused: a Keeper never gives its account up.
func kept(err error) error {
	var refused interface{ GrantRefused() bool }
	if errors.As(err, &refused) && refused.GrantRefused() {
		return &keptError{err}
	}
	return err
}

type keptError struct{ err error }

func (e *keptError) Error() string    { return e.err.Error() }
func (e *keptError) Unwrap() error    { return e.err }
func (*keptError) GrantRefused() bool { return false }

// refreshable reports whether there is a refresh token that is worth a request.
func (k *Keeper) refreshable(old *oauth2.Token) bool {
	if k.config.Refresh == nil || old.RefreshToken == "" {
		return false
	}
	expiry, known := old.Extra(RefreshExpiry).(time.Time)
	return !known || k.config.Now().Before(expiry)
}

// isSpent reports whether a refresh token is the one that was refused last, so that it is not sent again for
// as long as no sign-in succeeds.
func (k *Keeper) isSpent(refresh [32]byte) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.spent == refresh
}

func (k *Keeper) spend(refresh [32]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.spent = refresh
}

// begin permits one sign-in with the secret of that hash, or says how long to wait.
func (k *Keeper) begin(secret [32]byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.config.Now()
	if wait := k.notBefore.Sub(now); wait > 0 {
		return &PausedError{Name: k.config.Name, RetryAfter: wait, Err: k.last}
	}
	if wait := k.pausedUntil.Sub(now); wait > 0 && k.secret == secret {
		return &PausedError{Name: k.config.Name, RetryAfter: min(wait, k.config.Interval), Err: k.last} // it may be changed sooner
	}
	k.notBefore = now.Add(k.config.Interval)
	return nil
}

// end takes note of how a sign-in went.
func (k *Keeper) end(secret [32]byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch k.last = err; {
	case err == nil:
		k.refusals, k.pausedUntil = 0, time.Time{}
	case errors.Is(err, ErrBadCredentials):
		k.pausedUntil = k.config.Now().Add(min(k.config.Pause<<min(k.refusals, 16), maxPause))
		k.secret = secret
		k.refusals++
	}
}
