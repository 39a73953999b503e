package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// MachineConfig says which account a [Machine] is. Client, Email and Password are required.
type MachineConfig struct {
	// Client is core_ib, lk, or another that has a secret and the password grant.
	Client *Client

	// Email is the account's.
	Email string

	// Password is asked before every sign-in, so that it can be changed without a restart.
	Password func() (Secret, error)

	// Interval is the least time between two sign-ins, however they end. Zero: 10 seconds, less than the life of the
	// platform's access tokens.
	Interval time.Duration

	// Pause is how long a password that was refused is not tried again, so that the account is not locked; it doubles with
	// each refusal, up to an hour. Another password is tried at once. Zero: 5 minutes.
	Pause time.Duration

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// maxPause bounds the doubling of MachineConfig.Pause.
const maxPause = time.Hour

// A Machine keeps an account signed in without a person, by [Client.MachineToMachineSignIn], whose warning it inherits: it renews with
// the refresh token, and signs in again when there is none or it is refused. It is what package vault calls a Refresher,
// and safe for concurrent use.
//
// To have it live as long as a worker does, put [Machine.FirstToken] into a vault, with an Until that lies as far ahead, and send
// requests through the vault's Transport. Processes that share the vault's store share one sign-in: they put the entry
// only where there is none. Each counts its own attempts; the vault's lease lets one of them act at a time.
type Machine struct {
	config MachineConfig

	mu          sync.Mutex
	notBefore   time.Time // no sign-in before
	refusals    int       // of the password, in a row
	password    [32]byte  // the hash of the one refused last
	pausedUntil time.Time // it is not tried before
	spent       [32]byte  // the hash of the refresh token refused last
	last        error     // how the last sign-in failed
}

// A PausedError says that a [Machine] does not sign in just now: it did a moment ago, or its password was refused.
type PausedError struct {
	RetryAfter time.Duration // when to ask again; it may be sooner than the sign-in
	Err        error         // how the last sign-in failed; nil: it did not
}

// Error says why.
func (e *PausedError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("identity: the machine signed in a moment ago: ask again in %v", e.RetryAfter)
	}
	return fmt.Sprintf("identity: the machine waits before it signs in again: ask in %v: %v", e.RetryAfter, e.Err)
}

// Unwrap returns how the last sign-in failed.
func (e *PausedError) Unwrap() error { return e.Err }

// RetryDelay returns RetryAfter.
func (e *PausedError) RetryDelay() time.Duration { return e.RetryAfter }

// NewMachine returns a Machine. Its error joins every problem of the MachineConfig. It makes no request.
func NewMachine(config MachineConfig) (*Machine, error) {
	var problems []error
	if config.Client == nil {
		problems = append(problems, errors.New("identity: MachineConfig.Client is nil"))
	} else if config.Client.config.ClientSecret.IsZero() {
		problems = append(problems, errors.New("identity: MachineConfig.Client has no secret"))
	}
	if config.Email == "" {
		problems = append(problems, errors.New("identity: MachineConfig.Email is empty"))
	}
	if config.Password == nil {
		problems = append(problems, errors.New("identity: MachineConfig.Password is nil"))
	}
	if config.Interval < 0 || config.Pause < 0 {
		problems = append(problems, errors.New("identity: MachineConfig.Interval and Pause must not be negative"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	setDefault(&config.Interval, 10*time.Second)
	setDefault(&config.Pause, 5*time.Minute)
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Machine{config: config}, nil
}

// Format prints the client and nothing else.
func (m *Machine) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "identity.Machine(%s)", m.config.Client.ID())
}

// FirstToken returns what to put into a vault at the start: a token that has expired and holds nothing, so
// that its renewal signs in. (An oauth2.Token without an Expiry never expires.)
func (*Machine) FirstToken() *oauth2.Token { return &oauth2.Token{Expiry: time.Unix(0, 0)} }

// Refresh returns the successor of old: by its refresh token, or by signing in where there is none or it is refused.
// It never says that the grant is refused, for that the next sign-in may cure.
//
// Errors: *PausedError; what Password returns, wrapped; else as [Client.Refresh] and [Client.MachineToMachineSignIn].
func (m *Machine) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	refresh := sha256.Sum256([]byte(old.RefreshToken))
	if old.RefreshToken != "" && !m.isSpent(refresh) {
		token, err := m.config.Client.Refresh(ctx, old)
		if !errors.Is(err, ErrGrantRefused) {
			return token, err
		}
		m.spend(refresh)
	}
	password, err := m.config.Password()
	if err != nil {
		return nil, fmt.Errorf("identity: the machine's password: %w", err)
	}
	hash := sha256.Sum256([]byte(password.Reveal()))
	if err := m.begin(hash); err != nil {
		return nil, err
	}
	token, err := m.config.Client.MachineToMachineSignIn(ctx, m.config.Email, password.Reveal())
	m.end(hash, err)
	return token, err
}

// isSpent reports whether a refresh token is the one that was refused last, so that it is not sent again for
// as long as no sign-in succeeds.
func (m *Machine) isSpent(refresh [32]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spent == refresh
}

func (m *Machine) spend(refresh [32]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.spent = refresh
}

// begin permits one sign-in with the password of that hash, or says how long to wait.
func (m *Machine) begin(password [32]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.config.Now()
	if wait := m.notBefore.Sub(now); wait > 0 {
		return &PausedError{RetryAfter: wait, Err: m.last}
	}
	if wait := m.pausedUntil.Sub(now); wait > 0 && m.password == password {
		return &PausedError{RetryAfter: min(wait, m.config.Interval), Err: m.last} // it may be changed sooner
	}
	m.notBefore = now.Add(m.config.Interval)
	return nil
}

// end takes note of how a sign-in went.
func (m *Machine) end(password [32]byte, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch m.last = err; {
	case err == nil:
		m.refusals, m.pausedUntil = 0, time.Time{}
	case errors.Is(err, ErrBadCredentials):
		m.pausedUntil = m.config.Now().Add(min(m.config.Pause<<min(m.refusals, 16), maxPause))
		m.password = password
		m.refusals++
	}
}
