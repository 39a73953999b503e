package b2binpay

import (
	"cmp"
	"context"
	"errors"

	"b2trader.identity.auth/identity/tokenapi"
)

// V3Signature says how version 3 signs callbacks, which it sends about deposits
// and payouts. Secret is required. The vendor publishes no formula: the defaults
// of the other fields are inferred, as each of them says.
type V3Signature struct {
	// Secret returns the account's callback secret, which is another value than
	// its client_secret. Every callback calls it, so that the secret can change
	// without a restart.
	Secret func(context.Context) (tokenapi.Secret, error)

	// Key makes the key of the HMAC-SHA256 from the secret. Nil: the bytes of the
	// secret, inferred from one public client.
	Key func(secret tokenapi.Secret) []byte

	// Message makes the signed text of a callback. Nil: Status, Amount, TrackingID
	// and TimeText, one after the other, as in version 2; inferred from one public
	// client.
	Message func(*Callback) string

	// PayoutType is the data.type of a callback about a payout. Empty: payout,
	// inferred from the name of the API's resource.
	PayoutType string
}

// payoutType returns the data.type of a payout, or "" in version 2, whose
// callbacks are about deposits only.
func (v *V3Signature) payoutType() string {
	if v == nil {
		return ""
	}
	return cmp.Or(v.PayoutType, "payout")
}

// key returns the key of a signature.
func (c *Callbacks) key(ctx context.Context) ([]byte, error) {
	if v := c.config.V3; v != nil {
		secret, err := reveal(ctx, "the callback secret", v.Secret)
		if err != nil || v.Key == nil {
			return []byte(secret.Reveal()), err
		}
		if key := v.Key(secret); len(key) > 0 {
			return key, nil
		}
		return nil, errors.New("V3Signature.Key returned no key") // anyone can sign with none
	}
	password, err := reveal(ctx, "the account's password", c.config.Password)
	return accountKey(c.config.Login, password.Reveal()), err
}

// message returns the signed text of a callback.
func (c *Callbacks) message(cb *Callback) string {
	if v := c.config.V3; v != nil && v.Message != nil {
		return v.Message(cb)
	}
	return cb.Status + cb.Amount + cb.TrackingID + cb.TimeText
}
