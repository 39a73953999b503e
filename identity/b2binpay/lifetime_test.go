package b2binpay_test

import (
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
)

// lives are how long a token's access and refresh token live from now on; 0: not told.
func lives(token *oauth2.Token) (access, refresh time.Duration) {
	access = time.Until(token.Expiry)
	if expiry := clienttest.RefreshExpiry(token); !expiry.IsZero() {
		refresh = time.Until(expiry)
	}
	return access, refresh
}

// What a life is reckoned against: meta.time, the Date header, our own clock. Only the last is harmed by a clock that is wrong.
func TestSkewedClocks(t *testing.T) {
	const access, refreshed, date = 15 * time.Minute, 6 * time.Hour, time.Second
	dropMeta := apitest.Fault{Answer: func(f map[string]any) { delete(f, "meta") }}
	for _, c := range []struct {
		name                   string
		offset                 time.Duration
		omitDate               bool
		signInLess             time.Duration // than the lifetimes, without meta
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
			if a, r := lives(token); a != access || r != refreshed {
				t.Errorf("%s: signed in for %v, %v", c.name, a, r)
			}
			if a, r := lives(refresh(t, client, token)); a != c.refreshAccess || r != c.refresh {
				t.Errorf("%s: refreshed for %v, %v", c.name, a, r)
			}
			server.Inject(b2binpaytest.EndpointToken, dropMeta)
			if a, _ := lives(signIn(t, client)); a != access-c.signInLess {
				t.Errorf("%s: signed in without meta for %v", c.name, a)
			}
		}, allow)
	}
}

// A life begins with the sending of the request, not with the arrival of the answer.
func TestSlowAnswer(t *testing.T) {
	inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
		server.Inject(b2binpaytest.EndpointToken, apitest.Fault{DelayAfter: 40 * time.Second})
		if a, r := lives(signIn(t, client)); a != 15*time.Minute-40*time.Second || r != 6*time.Hour-40*time.Second {
			t.Errorf("got %v, %v", a, r)
		}
	})
}

// A bubble's clock begins at midnight UTC, 1 January 2000.
func TestFormsOfTimes(t *testing.T) {
	const assumed = 77 * time.Second
	for _, c := range []struct {
		expiry          any
		access, refresh time.Duration
	}{
		{"2000-01-01T00:15:00.405243Z", 15*time.Minute + 405243*time.Microsecond, 15*time.Minute + 405243*time.Microsecond},
		{"2000-01-01T00:15:00Z", 15 * time.Minute, 15 * time.Minute},
		{"2000-01-01T00:15:00+00:00", 15 * time.Minute, 15 * time.Minute},
		{"2000-01-01T03:15:00.5+03:00", 15*time.Minute + time.Second/2, 15*time.Minute + time.Second/2},
		{"2000-01-01T00:15:00", 15 * time.Minute, 15 * time.Minute},
		{"2000-01-01T00:15:00.000001", 15*time.Minute + time.Microsecond, 15*time.Minute + time.Microsecond},
		{"2000-01-01T00:00:00.000001Z", time.Microsecond, time.Microsecond},
		{"2000-01-01T00:00:00Z", assumed, 0},
		{"1999-12-31T23:59:59Z", assumed, 0},
		{"0001-01-01T00:00:00Z", assumed, 0},
		{"9999-12-31T23:59:59Z", assumed, 0},
		{"2000-01-01", assumed, 0},
		{"tomorrow", assumed, 0},
		{"", assumed, 0},
		{nil, assumed, 0},
		{946685700, assumed, 0},
		{map[string]any{}, assumed, 0},
	} {
		assume := func(c *b2binpay.Config) { c.DefaultLifetime = assumed }
		inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
			server.Inject(b2binpaytest.EndpointToken, apitest.Fault{Answer: func(f map[string]any) {
				attributes(f)["access_expired_at"], attributes(f)["refresh_expired_at"] = c.expiry, c.expiry
			}})
			if a, r := lives(signIn(t, client)); a != c.access || r != c.refresh {
				t.Errorf("%v: got %v, %v, want %v, %v", c.expiry, a, r, c.access, c.refresh)
			}
		}, assume)
	}
}

// The default is the shortest life that the vendor names.
func TestDefaultLifetime(t *testing.T) {
	inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
		server.Inject(b2binpaytest.EndpointToken, apitest.Fault{Answer: func(f map[string]any) { delete(attributes(f), "access_expired_at") }})
		if a, r := lives(signIn(t, client)); a != time.Minute || r != 6*time.Hour {
			t.Errorf("got %v, %v", a, r)
		}
	})
}
