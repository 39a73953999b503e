package vault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

// A platform is a Refresher whose tokens are paid for with the token of another
// entry, "k", as those of the platforms behind B2Core. It has no refresh
// tokens.
type platform struct {
	network http.RoundTripper
	bearer  func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error)
	asked   atomic.Int32
}

// Refresh shows the bearer to the platform, and another one if that is refused.
func (p *platform) Refresh(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
	n := p.asked.Add(1)
	var shown *oauth2.Token
	for range 2 {
		var err error
		if shown, err = p.bearer(ctx, shown); err != nil {
			return nil, fmt.Errorf("the platform needs a bearer: %w", err)
		}
		status, err := p.show(ctx, shown)
		switch {
		case err != nil:
			return nil, err
		case status == http.StatusOK:
			return &oauth2.Token{AccessToken: fmt.Sprint("platform-", n), Expiry: time.Now().Add(30 * time.Second)}, nil
		}
	}
	return nil, errors.New("the platform refuses every bearer")
}

func (p *platform) show(ctx context.Context, bearer *oauth2.Token) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://trader.example.com/frontoffice/api/v3/account", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+bearer.AccessToken)
	resp, err := p.network.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Body.Close()
}

// inNest runs f in a process with an expired sign-in under "k", and an entry of
// the platform under "outer" that has no token yet.
func inNest(t *testing.T, withState bool, f func(c *cluster, p *process)) {
	t.Helper()
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signInExpired(withState)
		p.put("outer", "platform", &oauth2.Token{Expiry: time.Unix(0, 0)}, nil)
		f(c, p)
	})
}

// wantAsked checks how often the platform and the IdentityServer were asked.
func (p *process) wantAsked(platform int32, refreshes int) {
	p.Helper()
	p.wantRefreshes(refreshes)
	if n := p.platform.asked.Load(); n != platform {
		p.Errorf("the platform was asked %d times, want %d", n, platform)
	}
}

// The inner entry is renewed if the outer one needs its token.
func TestNestedEntries(t *testing.T) {
	inNest(t, false, func(_ *cluster, p *process) {
		for i := range 5 {
			p.token("outer")
			p.wantAsked(int32(i+1), i+1)
			pass(31 * time.Second)
		}
	})
}

// A bearer that the platform refuses is replaced.
func TestNestedBearerIsRefused(t *testing.T) {
	inNest(t, false, func(c *cluster, p *process) {
		c.wantLiveToken(1, 0)
		pass(time.Second) // access tokens of the same second are equal
		c.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized})
		p.token("outer")
		p.wantAsked(1, 2)
	})
}

// Whatever keeps the inner token from being renewed, the outer entry is kept,
// and waits as long as the inner one.
func TestNestedOutage(t *testing.T) {
	for name, fault := range map[string]identitytest.Fault{
		"503":            {Status: 503},
		"asks to wait":   {Status: 429, RetryAfter: "9"},
		"invalid_client": {Status: 400, Body: []byte(`{"error":"invalid_client"}`)},
		"lost request":   {LoseRequest: true},
		"no connection":  {},
	} {
		inNest(t, false, func(c *cluster, p *process) {
			if name == "no connection" {
				p.network.refusals = 3
			}
			fault.Times = -1
			c.fault(fault)
			retryAfter := c.wantUnavailable(p.tokenErr("outer"))
			if fault.RetryAfter != "" && retryAfter != 9*time.Second {
				c.Errorf("%s: RetryAfter = %v, want 9 s", name, retryAfter)
			}
			refreshes := c.server.Grants("refresh_token")
			c.wantUnavailable(p.tokenErr("outer"))
			p.wantAsked(1, refreshes)
			c.server.ClearFaults()
			pass(retryAfter)
			p.token("outer")
			p.wantAsked(2, refreshes+1)
		})
	}
}

// The log names the client that the server refuses, and not the outer one.
func TestNestedAlarm(t *testing.T) {
	inNest(t, false, func(c *cluster, p *process) {
		c.fault(identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_client"}`)})
		_ = p.tokenErr("outer")
		synctest.Wait()
		if log := c.log.String(); strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "client=spa") {
			c.Errorf("the log is\n%s\nwant one error, of the client spa", log)
		}
	})
}

// A long outage costs as many requests as with the inner entry alone, and each
// costs one call of the platform.
func TestNestedPausesGrow(t *testing.T) {
	inNest(t, false, func(c *cluster, p *process) {
		c.fault(identitytest.Fault{Status: 503, Times: -1})
		for range 600 {
			_ = p.tokenErr("outer")
			pass(time.Second)
		}
		n := c.server.Grants("refresh_token")
		if n < 30 || n > 60 {
			c.Errorf("%d refresh requests in ten minutes, want 30 to 60", n)
		}
		p.wantAsked(int32(n), n)
	})
}

// The inner refresh token is refused, but a resumption may bring tokens: the
// outer entry is kept.
func TestNestedResumption(t *testing.T) {
	inNest(t, true, func(c *cluster, p *process) {
		c.server.RevokeTokens("trader@example.com")
		c.server.Inject(identitytest.EndpointAuthorize, identitytest.Fault{Status: 503})
		pass(c.wantUnavailable(p.tokenErr("outer")))
		p.token("outer")
	})
}

// The outer entry ends with the inner one, and no more calls are made.
func TestNestedEnd(t *testing.T) {
	for name, end := range map[string]func(c *cluster, p *process){
		"refused": func(c *cluster, _ *process) { c.server.RevokeTokens("trader@example.com") },
		"deleted": func(c *cluster, p *process) { _, _ = p.vault.Delete(c.Context(), "k") },
	} {
		t.Run(name, func(t *testing.T) {
			inNest(t, false, func(c *cluster, p *process) {
				end(c, p)
				for range 3 {
					p.wantErr("outer", vault.ErrEnded)
					pass(time.Minute)
				}
				p.wantAsked(1, map[string]int{"refused": 1, "deleted": 0}[name])
			})
		})
	}
}

// The vault closes while a renewal calls the vault itself.
func TestNestedClose(t *testing.T) {
	inNest(t, false, func(c *cluster, p *process) {
		c.wantLiveToken(1, 0)
		c.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized, DelayAfter: 2 * time.Second})
		waiting := make(chan error)
		go func() { waiting <- p.tokenErr("outer") }()
		pass(time.Second)
		began := time.Now()
		if err := p.vault.Close(c.Context()); err != nil || time.Since(began) != time.Second {
			c.Errorf("Close = %v after %v, want no error after 1 s", err, time.Since(began))
		}
		c.wantUnavailable(<-waiting)
		p.wantAsked(1, 1)
	})
}
