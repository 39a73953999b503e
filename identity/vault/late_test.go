package vault_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

// A slowRefresher issues tokens that live for a while from the moment they are
// asked for, and takes its time.
type slowRefresher struct {
	life, takes time.Duration
	calls       int
}

func (r *slowRefresher) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	r.calls++
	token := &oauth2.Token{AccessToken: "next", RefreshToken: "r", Expiry: time.Now().Add(r.life)}
	pass(r.takes)
	return token, nil
}

// useFor calls Token once in a while. A token that it returns must be alive.
func (p *process) useFor(every, during time.Duration) (served, unavailable int) {
	p.Helper()
	for began := time.Now(); time.Since(began) < during; pass(every) {
		token, err := p.vault.Token(p.Context(), "k")
		switch {
		case err != nil:
			p.wantUnavailable(err)
			unavailable++
		case time.Until(token.Expiry) <= 0:
			p.Fatalf("Token expired %v ago, want a live one or an UnavailableError", -time.Until(token.Expiry))
		default:
			served++
		}
	}
	return served, unavailable
}

// field 8: tokens without a lifetime are an alarm. The next renewal waits as
// after a failure.
func TestTokensWithoutALifetime(t *testing.T) {
	for _, life := range []time.Duration{0, -time.Second, -time.Hour, 300 * time.Millisecond} {
		ours := &slowRefresher{life: life, takes: 400 * time.Millisecond}
		withRefresher(t, ours, func(c *cluster, p *process) {
			served, _ := p.useFor(10*time.Millisecond, 2*time.Second)
			if served != 0 || ours.calls > 3 {
				c.Errorf("life %v: %d tokens, %d requests in 2 s, want none and at most 3", life, served, ours.calls)
			}
			p.useFor(100*time.Millisecond, time.Minute)
			if ours.calls > 9 {
				c.Errorf("life %v: %d requests in a minute, want at most 9", life, ours.calls)
			}
			if !strings.Contains(c.log.String(), "level=ERROR") {
				c.Errorf("life %v: no ERROR in the log", life)
			}
			ours.life = time.Minute
			pass(time.Minute)
			p.token("k")
		})
	}
}

// field 46: a token that comes too late is never handed out, and its age counts
// from its own start.
func TestLateTokens(t *testing.T) {
	ours := &slowRefresher{life: 12 * time.Second, takes: 13 * time.Second}
	withRefresher(t, ours, func(c *cluster, p *process) {
		if served, unavailable := p.useFor(time.Second, 2*time.Minute); served > 0 || unavailable == 0 {
			c.Errorf("%d tokens and %d times unavailable, want no token", served, unavailable)
		}
		ours.takes = 7 * time.Second
		pass(20 * time.Second)
		p.token("k")
		status, err := p.vault.Status(c.Context(), "k")
		if err != nil || status.Age != 7*time.Second {
			c.Errorf("the age of a token that took 7 s = %v, %v, want 7s", status.Age, err)
		}
		served, unavailable := p.useFor(time.Second, 2*time.Minute)
		if served < 4*unavailable {
			c.Errorf("%d tokens and %d times unavailable, want mostly tokens", served, unavailable)
		}
	})
}

// field 11: the wall clock of a machine that slept went on, and its monotonic
// clock did not. Later the wall clock is set back.
func TestMachineThatSleeps(t *testing.T) {
	real := time.Now() // times in a bubble have no monotonic reading
	synctest.Test(t, func(t *testing.T) {
		var asleep, setBack atomic.Int64
		began := time.Now()
		now := func() time.Time {
			monotonic := real.Add(time.Since(began) - time.Duration(asleep.Load()))
			return onWall(monotonic, time.Duration(asleep.Load()-setBack.Load()))
		}
		tokens := 0
		refresher := refresherFunc(func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
			tokens++
			return &oauth2.Token{AccessToken: "next", Expiry: now().Add(5 * time.Minute)}, nil
		})
		disk := memstore.New()
		v, err := vault.New(vault.Config{
			Store: disk, Keys: []vault.Key{vault.NewKey("k")}, Refreshers: map[string]vault.Refresher{"ours": refresher},
			Logger: slog.New(slog.DiscardHandler), Now: now,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = v.Close(context.Background()); _ = disk.Close() }()
		token := &oauth2.Token{AccessToken: "first", Expiry: now().Add(5 * time.Minute)}
		if err := v.Put(t.Context(), "k", vault.Entry{Client: "ours", Token: token}); err != nil {
			t.Fatal(err)
		}
		asleep.Store(int64(time.Hour))
		pass(time.Hour)
		got, err := v.Token(t.Context(), "k")
		if err != nil || got.AccessToken != "next" || tokens != 1 {
			t.Errorf("Token after the machine slept for an hour = %v after %d renewals, want the successor", err, tokens)
		}
		if got != nil && got.Expiry != got.Expiry.Round(0) {
			t.Error("the token's Expiry has a monotonic reading, want none")
		}
		setBack.Store(int64(time.Hour))
		pass(6 * time.Minute)
		if _, err := v.Token(t.Context(), "k"); err != nil || tokens != 2 {
			t.Errorf("Token after the wall clock was set back = %v after %d renewals, want the second", err, tokens)
		}
	})
}

// onWall returns t with another wall clock and the same monotonic reading. Only
// a conversion makes such a time.
func onWall(t time.Time, ahead time.Duration) time.Time {
	wall := (*uint64)(unsafe.Pointer(&t)) // package time: seconds above 30 bits of nanoseconds
	*wall += uint64(ahead/time.Second) << 30
	return t
}

// field 13: after a kill of the process that renews, at any moment, the session
// is alive within 6 s, by its State or its refresh token.
func TestKilledWhileRenewing(t *testing.T) {
	for _, after := range []time.Duration{time.Millisecond, 1300 * time.Millisecond, 1400 * time.Millisecond, 3 * time.Second, 5 * time.Second, 11900 * time.Millisecond} {
		inCluster(t, 2, func(c *cluster, p *process) {
			p.signInExpired(true)
			c.fault(identitytest.Fault{DelayAfter: 12 * time.Second})
			go func() { _ = p.tokenErr("k") }()
			pass(after)
			p.link.cut(errCut)
			killed := time.Now()
			c.processes[1].token("k")
			if took := time.Since(killed); took > 6*time.Second {
				c.Errorf("killed after %v: alive again after %v, want within 6s", after, took)
			}
			c.wantRequests(2, 1)
			p.link.cut(nil)
		})
	}
}
