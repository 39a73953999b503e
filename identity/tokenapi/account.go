package tokenapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// An Account signs in without a person. Login and Password are required.
type Account struct {
	// Login is the account's name: a login, an e-mail address or a client id.
	Login string

	// Password is called before every sign-in, so a new password needs no
	// restart. [Fixed] returns one that never changes.
	Password func(context.Context) (Secret, error)

	// Pace limits how often the account signs in.
	Pace
}

// A Pace limits the sign-ins of an account. Its zero value fits most accounts.
type Pace struct {
	// Interval is the least time between two sign-ins, successful or not. A
	// sign-in that was not sent does not count. Zero: 10 seconds, which is less
	// than the life of any known platform's access tokens.
	Interval time.Duration

	// Pause is how long a refused password is not tried again, so that the
	// server does not lock the account. It doubles with each refusal, up to an
	// hour. Another password is tried at once. Zero: 5 minutes.
	Pause time.Duration
}

// maxPause bounds Pace.Pause.
const maxPause = time.Hour

func (p Pace) withDefaults() Pace {
	return Pace{cmp.Or(p.Interval, 10*time.Second), cmp.Or(p.Pause, 5*time.Minute)}
}

// Validate joins every problem of the Account, each a *[FieldError]. It returns
// nil if there is none.
func (a Account) Validate() error {
	var p Problems
	a.check(&p)
	return p.Err()
}

// check reports the problems of the Account and of its Pace.
func (a Account) check(p *Problems) {
	p.Struct = "Account"
	p.Missing("Login", a.Login == "")
	p.Missing("Password", a.Password == nil)
	p.Struct = "Pace"
	p.Negative("Interval", a.Interval < 0)
	p.Negative("Pause", a.Pause < 0)
	if a.Pause > maxPause {
		p.Add("Pause", "is more than %v", maxPause)
	}
}

// password returns the account's password. Its errors never have the outcome
// Refused, even if the cause has it: the server was not asked.
func (a Account) password(ctx context.Context, system string) (Secret, error) {
	secret, err := a.Password(ctx)
	kind, sentinel := Misconfigured, ErrMisconfigured
	switch {
	case err == nil && !secret.IsZero():
		return secret, nil
	case err == nil:
		err = errors.New("is empty")
	case ctx.Err() != nil:
		kind, sentinel = NotSent, ErrUnavailable
	}
	e := &Error{System: system, Op: "sign in", Err: fmt.Errorf("%w: Account.Password: %w", sentinel, err)}
	return Secret{}, WithOutcome(e, Outcome{Kind: kind})
}

// Fixed returns a function that always returns the same secret, for fields whose
// secret may change while the program runs, such as [Account].Password. For a
// field that takes a [Secret], see [NewSecret].
func Fixed(secret string) func(context.Context) (Secret, error) {
	s := NewSecret(secret)
	return func(context.Context) (Secret, error) { return s, nil }
}
