package identity

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
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

// A Machine keeps an account signed in without a person, by [Client.MachineToMachineSignIn], whose warning it inherits. Its methods
// are in the documentation of [tokenapi.Keeper].
type Machine = tokenapi.Keeper

// A PausedError says that a [Machine] does not sign in just now: it did a moment ago, or its password was refused.
type PausedError = tokenapi.PausedError

// NewMachine returns a Machine. Its error joins every problem of the MachineConfig. It makes no request.
func NewMachine(config MachineConfig) (*Machine, error) {
	var problems []error
	switch {
	case config.Client == nil:
		problems = append(problems, errors.New("identity: MachineConfig.Client is nil"))
	case config.Client.config.ClientSecret.IsZero():
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
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		Name:   "identity",
		Secret: config.Password,
		SignIn: func(ctx context.Context, password Secret) (*oauth2.Token, error) {
			return config.Client.MachineToMachineSignIn(ctx, config.Email, password.Reveal())
		},
		Refresh:  config.Client.Refresh,
		Interval: config.Interval,
		Pause:    config.Pause,
		Now:      config.Now,
	})
}
