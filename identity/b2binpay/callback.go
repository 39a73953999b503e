package b2binpay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/tokenapi"
)

// Errors of Verify, for errors.Is.
var (
	// ErrCallbackMalformed means that the callback is not what the vendor
	// describes, or that JSON decoders would disagree about it.
	ErrCallbackMalformed = errors.New("the callback is malformed")
	// ErrCallbackUnsigned means that the callback has no signature, which
	// CallbackConfig does not allow.
	ErrCallbackUnsigned = errors.New("the callback is not signed")
	// ErrCallbackSignature means that the signature is not this account's.
	ErrCallbackSignature = errors.New("the callback's signature is wrong")
	// ErrCallbackStale means that the signature is good, but that the time is
	// further from now than CallbackConfig.MaxAge.
	ErrCallbackStale = errors.New("the callback is stale")
)

// CallbackConfig says which account's callbacks to verify. Required are Login
// and Password in version 2, and V3 in version 3.
type CallbackConfig struct {
	// Login is the API account's, the KEY of the article.
	Login string

	// Password returns the account's password. Every callback calls it, so that
	// the password can change without a restart.
	Password func(context.Context) (tokenapi.Secret, error)

	// V3 verifies the callbacks of version 3, in place of Login and Password. Nil:
	// version 2.
	V3 *V3Signature

	// AllowUnsigned accepts callbacks without a transfer and without a signature,
	// which the vendor calls "No Transfer". Such a callback proves nothing: use it
	// as a hint to ask the API. A callback with a transfer must still be signed.
	AllowUnsigned bool

	// MaxAge bounds the difference between the time of a signed callback and now,
	// in either direction. The vendor does not say for how long it repeats a
	// callback, nor whether with a new time. Zero: no bound.
	MaxAge time.Duration

	// OnRefused, if set, receives the error of each callback that the handler
	// refuses without calling next. The error holds no secret.
	OnRefused func(context.Context, error)

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Callbacks verifies the callbacks that B2BINPAY posts to a merchant. It is safe
// for concurrent use.
type Callbacks struct{ config CallbackConfig }

// NewCallbacks returns a Callbacks. Its error joins every problem of the
// CallbackConfig, each a *tokenapi.FieldError.
func NewCallbacks(config CallbackConfig) (*Callbacks, error) {
	p := checkconfig.Problems{Package: "b2binpay", Struct: "CallbackConfig"}
	if config.V3 != nil {
		p.Missing("V3.Secret", config.V3.Secret == nil)
		if config.Login != "" || config.Password != nil {
			p.Add("V3", "is set beside Login or Password, which are version 2's")
		}
		signature := *config.V3
		config.V3 = &signature // the caller may change its own
	} else {
		p.Missing("Login", config.Login == "")
		p.Missing("Password", config.Password == nil)
	}
	p.Negative("MaxAge", config.MaxAge < 0)
	if err := p.Err(); err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Callbacks{config}, nil
}

// Format prints the type and no part of its configuration.
func (*Callbacks) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "b2binpay.Callbacks") }

// A Callback is B2BINPAY's report about a deposit or, in version 3, about a
// payout, which has a PayoutID. The signature covers Status, Amount, TrackingID
// and TimeText, and neither the identifiers nor the rest of Raw. So find the
// payment by its TrackingID, or ask the API for it. Nothing signed tells a payout
// from a deposit: give both tracking ids that differ, so that the callback of a
// payout cannot be sent again as that of a deposit.
//
// Expect a callback more than once: a deposit may get several transfers, a
// transfer passes several statuses, the vendor repeats a callback until it is
// answered with 200, and an attacker may replay it. A callback is a repetition
// if its TransferID and Status were seen before, which detects one sent again
// with a new time; or if the four signed values were, which detects one replayed
// under another identifier.
type Callback struct {
	Signed     bool      // false: a "No Transfer" callback, which proves nothing
	Status     string    // the transfer's, an integer: 2 is confirmed; empty without a transfer
	Amount     string    // the transfer's, a decimal number, never rounded; empty without a transfer
	TrackingID string    // the merchant's name of the deposit; may be empty
	TimeText   string    // meta.time as it was signed
	Time       time.Time // TimeText, parsed; zero if an unsigned callback has none
	DepositID  string    // not covered by the signature; empty for a payout
	PayoutID   string    // not covered by the signature; empty for a deposit
	TransferID string    // not covered by the signature; empty without a transfer
	Raw        []byte    // the body
}

// Verify reads a callback's body and checks its signature: HMAC-SHA256 of
// transfer.status, transfer.amount, deposit.tracking_id and meta.time, one after
// the other as the body spells them (the vendor's help page "Verifying B2BINPAY
// Callback Signatures"). In version 3 V3Signature says what is signed.
//
// Nothing separates the four values, so a signature also fits other cuts of the
// same text: that of the amount 1 and the tracking id 500042 fits the amount
// 15000 and the id 42. Verify requires an integer status, a decimal amount
// without leading zeros, and a time, which leaves few cuts; if tracking ids begin
// with neither a digit nor a dot, no cut changes the amount. Compare the amount
// with the API's before you credit it.
//
// Errors: ErrCallbackMalformed, ErrCallbackUnsigned, ErrCallbackSignature,
// ErrCallbackStale; else the wrapped error of Password or V3Signature.Secret,
// after which the callback is neither good nor bad.
func (c *Callbacks) Verify(ctx context.Context, body []byte) (*Callback, error) {
	cb, err := c.verify(ctx, body)
	if err != nil {
		return nil, fmt.Errorf("b2binpay: verify callback: %w", err)
	}
	return cb, nil
}

func (c *Callbacks) verify(ctx context.Context, body []byte) (*Callback, error) {
	cb, sign, err := readCallback(body, c.config.V3.payoutType())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCallbackMalformed, err)
	}
	if !cb.Signed {
		if cb.TransferID != "" || !c.config.AllowUnsigned {
			return nil, ErrCallbackUnsigned
		}
		return cb, nil
	}
	key, err := c.key(ctx)
	switch {
	case err != nil:
		return nil, err
	case !signs(sign, key, c.message(cb)):
		return nil, ErrCallbackSignature
	case c.config.MaxAge > 0 && c.config.Now().Sub(cb.Time).Abs() > c.config.MaxAge:
		return nil, ErrCallbackStale
	}
	return cb, nil
}

// reveal returns the secret of that name, which must not be empty.
func reveal(ctx context.Context, name string, secret func(context.Context) (tokenapi.Secret, error)) (tokenapi.Secret, error) {
	s, err := secret(ctx)
	switch {
	case err != nil:
		return s, fmt.Errorf("%s: %w", name, err)
	case s.IsZero():
		return s, errors.New(name + " is empty")
	}
	return s, nil
}
