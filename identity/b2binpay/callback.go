package b2binpay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// What is wrong with a callback, for errors.Is.
var (
	// ErrCallbackMalformed: it is not what the vendor describes, or different decoders would read it differently.
	ErrCallbackMalformed = errors.New("the callback is malformed")
	// ErrCallbackUnsigned: it has no signature, and CallbackConfig does not allow that.
	ErrCallbackUnsigned = errors.New("the callback is not signed")
	// ErrCallbackSignature: its signature is not one of this account.
	ErrCallbackSignature = errors.New("the callback's signature is wrong")
	// ErrCallbackStale: its signature is good, but its time is further from now than CallbackConfig.MaxAge.
	ErrCallbackStale = errors.New("the callback is stale")
)

// CallbackConfig says whose callbacks are verified. Login and Password are required.
type CallbackConfig struct {
	// Login is the API account's, the KEY of the article.
	Login string

	// Password is asked for each callback, so that it can be changed without a restart.
	Password func(context.Context) (tokenapi.Secret, error)

	// AllowUnsigned accepts callbacks without a transfer and without a signature, which the vendor calls "No Transfer". Anybody can
	// send one: take it for a hint to ask the API. One with a transfer must be signed even so.
	AllowUnsigned bool

	// MaxAge is how far the time of a signed callback may be from now, before or after. The vendor does not say for how
	// long it sends a callback again, nor whether with a new time. Zero: any time.
	MaxAge time.Duration

	// OnRefused is called, if set, by the handler with the reason of each answer that is neither next's success
	// nor its failure. The error holds no secret.
	OnRefused func(context.Context, error)

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Callbacks verifies what B2BINPAY posts to a merchant's callback URL. It is safe for concurrent use.
type Callbacks struct{ config CallbackConfig }

// NewCallbacks returns a Callbacks. Its error joins every problem of the CallbackConfig.
func NewCallbacks(config CallbackConfig) (*Callbacks, error) {
	err := httpx.ConfigError("b2binpay: Callbacks",
		httpx.Missing("Login", config.Login == ""),
		httpx.Missing("Password", config.Password == nil),
		httpx.CheckDuration("MaxAge", config.MaxAge),
	)
	if err != nil {
		return nil, err
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	return &Callbacks{config}, nil
}

// Format prints what it is, and nothing of its configuration.
func (*Callbacks) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "b2binpay.Callbacks") }

// A Callback is what B2BINPAY says of a deposit. The signature covers Status, Amount, TrackingID and TimeText; nothing
// proves the identifiers and the rest of Raw. So find the payment by its TrackingID, or ask the API for the deposit.
//
// Callbacks come more than once: a deposit may get several transfers, each transfer passes several statuses, the vendor sends
// again what was not answered with 200, and whoever sees one can replay it. It is a repetition if its TransferID and
// Status have been seen, which catches what is sent again with a new time; or if the four signed values have, which
// catches what is replayed under another identifier.
type Callback struct {
	Signed     bool      // false: a "No Transfer" callback, of which nothing is proven
	Status     string    // the transfer's, an integer: 2 is confirmed; empty without a transfer
	Amount     string    // the transfer's, a decimal number, never rounded; empty without a transfer
	TrackingID string    // what the merchant called the deposit; may be empty
	TimeText   string    // meta.time as it was signed
	Time       time.Time // the same, parsed; zero if an unsigned callback has none
	DepositID  string    // not covered by the signature
	TransferID string    // not covered by the signature; empty without a transfer
	Raw        []byte    // the body
}

// Verify reads a callback's body and checks its signature: HMAC-SHA256 of transfer.status, transfer.amount,
// deposit.tracking_id and meta.time, one after the other as the body spells them (the vendor's help page
// "Verifying B2BINPAY Callback Signatures").
//
// Since nothing separates the four, a signature is good for other ways to cut the same text: with an amount of 1 and a tracking id
// of 500042 it also fits an amount of 15000 and the id 42. Verify insists on a status that is an integer, a decimal amount without
// needless zeros in front, and a time, which leaves few; tracking ids that do not begin with a digit or a dot leave none that
// changes the amount. Compare the amount with the API's before anything is credited.
//
// Errors: ErrCallbackMalformed, ErrCallbackUnsigned, ErrCallbackSignature, ErrCallbackStale; else what Password returns, wrapped, after which
// nothing is known of the callback.
func (c *Callbacks) Verify(ctx context.Context, body []byte) (*Callback, error) {
	cb, err := c.verify(ctx, body)
	if err != nil {
		return nil, fmt.Errorf("b2binpay: verify callback: %w", err)
	}
	return cb, nil
}

func (c *Callbacks) verify(ctx context.Context, body []byte) (*Callback, error) {
	cb, sign, err := readCallback(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCallbackMalformed, err)
	}
	if !cb.Signed {
		if cb.TransferID != "" || !c.config.AllowUnsigned {
			return nil, ErrCallbackUnsigned
		}
		return cb, nil
	}
	password, err := c.config.Password(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the account's password: %w", err)
	case password.IsZero():
		return nil, errors.New("the account's password is empty")
	case !signs(sign, c.config.Login, password.Reveal(), cb.Status+cb.Amount+cb.TrackingID+cb.TimeText):
		return nil, ErrCallbackSignature
	case c.config.MaxAge > 0 && c.config.Now().Sub(cb.Time).Abs() > c.config.MaxAge:
		return nil, ErrCallbackStale
	}
	return cb, nil
}
