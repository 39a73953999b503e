package vault_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// refresherFunc is a function as a Refresher.
type refresherFunc func(context.Context, *oauth2.Token) (*oauth2.Token, error)

func (f refresherFunc) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	return f(ctx, old)
}

// A fakeRefresher counts its calls and returns err, or else a token.
type fakeRefresher struct {
	err   error
	calls int
}

func (r *fakeRefresher) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	r.calls++
	if r.err != nil {
		return nil, r.err
	}
	return &oauth2.Token{AccessToken: "next", Expiry: time.Now().Add(time.Minute)}, nil
}

// expired is a token that needs a renewal.
var expired = &oauth2.Token{Expiry: time.Unix(0, 0)}

// withRefresher runs f in a process with an expired entry "k" of the client
// "ours", which r renews.
func withRefresher(t *testing.T, r vault.Refresher, f func(c *cluster, p *process)) {
	t.Helper()
	inCluster(t, 1, func(c *cluster, _ *process) {
		p := c.start(func(config *vault.Config) { config.Refreshers = map[string]vault.Refresher{"ours": r} })
		p.put("k", "ours", expired, nil)
		f(c, p)
	})
}

// One Refresher can tell the entries apart that it serves.
func TestEntryKey(t *testing.T) {
	var got string
	refresher := refresherFunc(func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
		got = vault.EntryKey(ctx)
		return &oauth2.Token{AccessToken: "next", Expiry: time.Now().Add(time.Minute)}, nil
	})
	withRefresher(t, refresher, func(c *cluster, p *process) {
		p.put("another", "ours", expired, nil)
		for _, want := range []string{"k", "another"} {
			if p.token(want); got != want {
				c.Errorf("EntryKey = %q in the renewal of %q", got, want)
			}
		}
		if got := vault.EntryKey(c.Context()); got != "" {
			c.Errorf("EntryKey of another context = %q, want none", got)
		}
	})
}

// A process without a Refresher for an entry leaves it to the processes that
// have one.
func TestUnknownClient(t *testing.T) {
	ours := &fakeRefresher{}
	withRefresher(t, ours, func(c *cluster, p *process) {
		c.wantUnavailable(c.processes[0].tokenErr("k"))
		if token := p.token("k"); token.AccessToken != "next" || ours.calls != 1 {
			c.Errorf("Token = %q after %d requests, want next after 1", token.AccessToken, ours.calls)
		}
	})
}

// notSentFor is the error of a request that was not sent, because a delay was
// asked for.
func notSentFor(delay time.Duration) error {
	return tokenapi.WithOutcome(errors.New("not now"), tokenapi.Outcome{Kind: tokenapi.NotSent, RetryAfter: delay})
}

// A request that was not sent is repeated at once, unless a delay was asked
// for.
func TestNotSentWithADelay(t *testing.T) {
	for delay, want := range map[time.Duration]int{0: 3, 5 * time.Second: 1} {
		ours := &fakeRefresher{err: notSentFor(delay)}
		withRefresher(t, ours, func(c *cluster, p *process) {
			if c.wantUnavailable(p.tokenErr("k")); ours.calls != want {
				c.Errorf("asked to wait %v: %d requests, want %d", delay, ours.calls, want)
			}
		})
	}
}

// A server that asks for a day is asked again after five minutes, and at once
// for another token.
func TestPausesAreBounded(t *testing.T) {
	ours := &fakeRefresher{err: notSentFor(24 * time.Hour)}
	withRefresher(t, ours, func(c *cluster, p *process) {
		if retryAfter := c.wantUnavailable(p.tokenErr("k")); retryAfter != 5*time.Minute {
			c.Errorf("RetryAfter = %v, want 5 min", retryAfter)
		}
		ours.err = nil
		p.put("k", "ours", expired, nil)
		p.token("k")
	})
}
