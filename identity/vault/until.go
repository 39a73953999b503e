package vault

import "time"

// defaultLife is IdentityServer's absolute lifetime of a refresh token.
const defaultLife = 30 * 24 * time.Hour

// endOf returns when an entry of a client that is put now, without an Until,
// expires. An entry that no person signs in for would not come back, so it
// stays for a hundred years, which stands for ever: stores want an expiry.
func (v *Vault) endOf(client string, now time.Time) time.Time {
	r, ok := v.config.Refreshers[client].(interface{ Unattended() bool })
	if ok && r.Unattended() {
		return now.AddDate(100, 0, 0)
	}
	return now.Add(defaultLife)
}
