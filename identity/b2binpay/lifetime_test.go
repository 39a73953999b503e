package b2binpay_test

import (
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
)

// A life counts from meta.time, the Date header or our clock. A wrong clock at
// the server matters only to the last.
func TestSkewedClocks(t *testing.T) {
	const access, refreshed, date = 15 * time.Minute, 6 * time.Hour, time.Second
	dropMeta := apitest.Fault{Answer: func(f map[string]any) { delete(f, "meta") }}
	for _, c := range []struct {
		name                   string
		offset                 time.Duration
		omitDate               bool
		signInLess             time.Duration // subtracted from the lives without meta
		refreshAccess, refresh time.Duration
	}{
		{"right", 0, false, date, access - date, refreshed - date},
		{"ahead", 3 * time.Hour, false, date, access - date, refreshed - date},
		{"behind", -1000 * time.Hour, false, date, access - date, refreshed - date},
		{"right, no Date", 0, true, 0, access, refreshed},
		{"ahead, no Date", time.Hour, true, -time.Hour, access + time.Hour, refreshed + time.Hour},
		{"behind, no Date", -time.Hour, true, access - time.Minute, time.Minute, refreshed - time.Hour},
		{"far behind, no Date", -10 * time.Hour, true, access - time.Minute, time.Minute, 0},
	} {
		server := b2binpaytest.Config{ClockOffset: c.offset, OmitDate: c.omitDate}
		allow := func(c *b2binpay.Config) { c.AllowUnsigned = true }
		inBubble(t, server, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
			token := signIn(t, client)
			if a, r := clienttest.Lives(token); a != access || r != refreshed {
				t.Errorf("%s: a sign-in gives %v and %v, want %v and %v", c.name, a, r, access, refreshed)
			}
			if a, r := clienttest.Lives(refresh(t, client, token)); a != c.refreshAccess || r != c.refresh {
				t.Errorf("%s: a refresh gives %v and %v, want %v and %v", c.name, a, r, c.refreshAccess, c.refresh)
			}
			server.Inject(b2binpaytest.EndpointToken, dropMeta)
			if a, _ := clienttest.Lives(signIn(t, client)); a != access-c.signInLess {
				t.Errorf("%s: a sign-in without meta gives %v, want %v", c.name, a, access-c.signInLess)
			}
		}, allow)
	}
}

// The Config's default counts where the answer has no life.
func TestDefaultLifetime(t *testing.T) {
	inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
		server.Inject(b2binpaytest.EndpointToken, apitest.Fault{Answer: func(f map[string]any) { delete(attributes(f), "access_expired_at") }})
		if a, r := clienttest.Lives(signIn(t, client)); a != 77*time.Second || r != 6*time.Hour {
			t.Errorf("the tokens live %v and %v, want 77 s and 6 h", a, r)
		}
	}, func(c *b2binpay.Config) { c.DefaultLifetime = 77 * time.Second })
}
