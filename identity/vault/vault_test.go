package vault_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

func TestFreshTokensAreAnsweredFromMemory(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		first := p.signIn("k")
		pass(19 * time.Second)
		for range 100 {
			if !same(p.token("k"), first) {
				c.Fatal("Token returns another token, want the first")
			}
		}
		c.wantRefreshes(0)
	})
}

// req 58: past two thirds of its life a token is renewed in the background, and
// no caller waits.
func TestCallersDoNotWaitForAnEarlyRenewal(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		first := p.signIn("k")
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: 5 * time.Second})
		pass(20*time.Second + time.Millisecond)
		began := time.Now()
		for range 10 {
			if !same(p.token("k"), first) || time.Since(began) != 0 {
				c.Fatalf("Token took %v or returned another token, want the live one at once", time.Since(began))
			}
		}
		pass(6 * time.Second)
		if same(p.token("k"), first) {
			c.Error("Token returns the old token, want the successor")
		}
		c.wantRefreshes(1)
	})
}

// req 47, 48: one expiry is one request, however slow the server. I1, I2
func TestOneRenewalForAnyNumberOfCallers(t *testing.T) {
	for _, delay := range []time.Duration{0, 3 * time.Second, 12 * time.Second} {
		inCluster(t, 1, func(c *cluster, p *process) {
			first := p.signIn("k")
			pass(31 * time.Second)
			c.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: delay})
			var wg sync.WaitGroup
			for range 40 {
				wg.Go(func() {
					if token := p.token("k"); same(token, first) {
						c.Error("Token returns the expired token, want the successor")
					}
				})
			}
			wg.Wait()
			c.wantRefreshes(1)
		})
	}
}

// req 50, 53: a caller may leave; the renewal goes on for the others. I3, I10
func TestCallersMayLeave(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		pass(31 * time.Second)
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 4 * time.Second})
		ctx, cancel := context.WithTimeout(c.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := p.vault.Token(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			c.Errorf("Token = %v after %v, want %v after 1 s", err, time.Since(began), context.DeadlineExceeded)
		}
		p.token("k") // joins the renewal that the first caller started
		c.wantRefreshes(1)
	})
}

// req 55, 57: a passing failure costs no session.
func TestFaultsKeepTheEntry(t *testing.T) {
	for name, fault := range map[string]identitytest.Fault{
		"500":            {Status: 500},
		"429":            {Status: 429, RetryAfter: "9"},
		"invalid_client": {Status: 400, Body: []byte(`{"error":"invalid_client"}`)},
		"nonsense":       {Status: 200, ContentType: "text/html", Body: []byte("<html>")},
		"cut":            {LoseRequest: true},
	} {
		inCluster(t, 1, func(c *cluster, p *process) {
			first := p.signIn("k")
			fault.Times, fault.Grant = -1, "refresh_token"
			c.server.Inject(identitytest.EndpointToken, fault)

			pass(21 * time.Second)
			for range 3 { // the old token serves while it lives, and the renewal is not repeated at once
				if !same(p.token("k"), first) {
					c.Errorf("%s: Token returns another token, want the live one", name)
				}
				synctest.Wait()
			}
			if name == "cut" {
				c.wantRefreshes(2) // the request may have been sent: the server is asked once more (req 54)
			} else {
				c.wantRefreshes(1)
			}

			pass(60 * time.Second)
			retryAfter := c.wantUnavailable(p.tokenErr("k"))
			if fault.RetryAfter != "" && retryAfter != 9*time.Second {
				c.Errorf("%s: RetryAfter = %v, want 9 s", name, retryAfter)
			}
			before := c.server.Grants("refresh_token")
			c.wantUnavailable(p.tokenErr("k"))
			c.wantRefreshes(before) // within the pause there are no more requests

			c.server.ClearFaults()
			pass(retryAfter)
			p.token("k")
		})
	}
}

// req 63: during a long outage the server is asked ever more rarely.
func TestPausesGrow(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 503, Times: -1})
		pass(31 * time.Second)
		for range 600 { // a caller each second for ten minutes
			_ = p.tokenErr("k")
			pass(time.Second)
		}
		if n := c.server.Grants("refresh_token"); n < 30 || n > 60 {
			c.Errorf("%d refresh requests in ten minutes, want 30 to 60", n)
		}
	})
}

// A server that asks to wait is not asked before, however long ago the token
// expired.
func TestPausesAreNotForgotten(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		token := p.signIn("k")
		expired := *token
		expired.Expiry = time.Unix(0, 0)
		p.put("k", "spa", &expired, nil)
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 429, RetryAfter: "300"})
		for range 300 {
			c.wantUnavailable(p.tokenErr("k"))
			pass(time.Second)
		}
		c.wantRefreshes(1)
		p.token("k")
	})
}

// req 62: a refused token ends the entry and is not sent again. I8
func TestRefusalEndsTheEntry(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		c.server.RevokeTokens("trader@example.com")
		pass(31 * time.Second)
		for range 5 {
			p.wantErr("k", vault.ErrEnded)
		}
		if _, err := p.vault.Status(c.Context(), "k"); !errors.Is(err, vault.ErrEnded) {
			c.Errorf("Status = %v, want %v", err, vault.ErrEnded)
		}
		c.wantRefreshes(1)
		p.signIn("k") // a new sign-in takes its place
		p.token("k")
	})
}

// req 78: a renewal under way cannot bring a deleted entry back. Its new token is
// revoked. I6
func TestDeleteWinsOverARenewal(t *testing.T) {
	for name, end := range map[string]func(p *process) error{
		"Delete":      func(p *process) error { _, err := p.vault.Delete(p.Context(), "k"); return err },
		"DeleteOwner": func(p *process) error { _, err := p.vault.DeleteOwner(p.Context(), "trader"); return err },
		"Put":         func(p *process) error { p.signIn("k"); _, err := p.vault.Delete(p.Context(), "k"); return err },
	} {
		inCluster(t, 1, func(c *cluster, p *process) {
			p.signIn("k")
			pass(31 * time.Second)
			c.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 5 * time.Second, Grant: "refresh_token"})
			waiting := make(chan error)
			go func() { waiting <- p.tokenErr("k") }()
			synctest.Wait()
			if err := end(p); err != nil {
				c.Fatalf("%s = %v, want no error", name, err)
			}
			began := time.Now()
			if err := <-waiting; !errors.Is(err, vault.ErrNotFound) || name != "Put" && time.Since(began) != 0 {
				c.Errorf("%s: the waiting caller got %v after %v, want %v at once", name, err, time.Since(began), vault.ErrNotFound)
			}
			p.wantErr("k", vault.ErrNotFound)
			pass(6 * time.Second)
			c.wantRevoked(1, 0)
		})
	}
}

func TestDeleteReturnsWhatToRevoke(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		token := p.signIn("k")
		e, err := p.vault.Delete(c.Context(), "k")
		if err != nil || !same(e.Token, token) || e.Owner != "trader" || e.Client != "spa" {
			c.Errorf("Delete = the entry of %q, %v, want the entry that was put", e.Owner, err)
		}
		if _, err := p.vault.Delete(c.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("Delete again = %v, want %v", err, vault.ErrNotFound)
		}
		if _, err := p.vault.Status(c.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("Status = %v, want %v", err, vault.ErrNotFound)
		}
	})
}

// req 83: an owner's entries, and no others.
func TestDeleteOwner(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		for i := range 3 {
			p.signIn(fmt.Sprint("k", i))
		}
		session, err := p.client.Login(c.Context(), "admin@example.com", "admin-password")
		if err != nil {
			c.Fatal(err)
		}
		if err := p.vault.Put(c.Context(), "other", vault.Entry{Owner: "admin", Client: "spa", Token: session.Token}); err != nil {
			c.Fatal(err)
		}
		if n, err := p.vault.DeleteOwner(c.Context(), "trader"); n != 3 || err != nil {
			c.Errorf("DeleteOwner = %d, %v, want 3", n, err)
		}
		if n, _ := p.vault.DeleteOwner(c.Context(), "trader"); n != 0 {
			c.Errorf("DeleteOwner again = %d, want 0", n)
		}
		p.token("other")
	})
}

// req 75: neither use nor renewal keeps an entry past its end.
func TestEntriesEnd(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		token := p.signIn("k")
		until := time.Now().Add(10 * time.Minute)
		if err := p.vault.Put(c.Context(), "k", vault.Entry{Owner: "trader", Client: "spa", Token: token, Until: until}); err != nil {
			c.Fatal(err)
		}
		for time.Now().Before(until) {
			p.token("k")
			pass(15 * time.Second)
		}
		p.wantErr("k", vault.ErrNotFound)
		if n, _ := p.vault.DeleteOwner(c.Context(), "trader"); n != 0 {
			c.Errorf("DeleteOwner = %d after the end, want 0", n)
		}
	})
}

func TestStatus(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		issued := time.Now()
		pass(31 * time.Second)
		if s, err := p.vault.Status(c.Context(), "k"); err != nil || s.Renewals != 0 || !s.Issued.Equal(issued) || s.Expiry.Sub(issued) != 30*time.Second {
			c.Errorf("Status = %+v, %v, want no renewal, and 30 s from %v on", s, err, issued)
		}
		c.wantRefreshes(0) // Status renews nothing
		p.token("k")
		s, err := p.vault.Status(c.Context(), "k")
		if err != nil || s.Renewals != 1 || s.Scope != "openid FrontOffice offline_access" || s.Owner != "trader" || s.Client != "spa" {
			c.Errorf("Status = %+v, %v, want one renewal and what was put", s, err)
		}
	})
}

// req 131: Close waits for a renewal under way and starts none.
func TestClose(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		pass(21 * time.Second)
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 5 * time.Second})
		p.token("k")
		began := time.Now()
		if err := p.vault.Close(c.Context()); err != nil || time.Since(began) != 5*time.Second {
			c.Errorf("Close = %v after %v, want no error after 5 s", err, time.Since(began))
		}
		pass(time.Minute)
		c.wantUnavailable(p.tokenErr("k"))
		c.wantRefreshes(1)
	})
}

func TestCloseGivesUp(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		pass(21 * time.Second)
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: time.Hour})
		p.token("k")
		ctx, cancel := context.WithTimeout(c.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		if err := p.vault.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 2*time.Second {
			c.Errorf("Close = %v after %v, want %v after 2 s", err, time.Since(began), context.DeadlineExceeded)
		}
	})
}

func TestPutRefusesIncompleteEntries(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		token := p.signIn("k")
		for key, e := range map[string]vault.Entry{
			"":  {Client: "spa", Token: token},
			"a": {Client: "spa"},
			"b": {Client: "another", Token: token},
		} {
			if err := p.vault.Put(c.Context(), key, e); err == nil {
				c.Errorf("Put(%q, client %q, token %v) = nil, want an error", key, e.Client, e.Token != nil)
			}
		}
	})
}

func TestNewReportsEveryProblem(t *testing.T) {
	_, err := vault.New(vault.Config{Refreshers: map[string]vault.Refresher{"spa": nil}, Timeout: -1})
	var got []string
	for _, problem := range strings.Split(fmt.Sprint(err), "\n") {
		_, field, _ := strings.Cut(problem, "Config.")
		got = append(got, strings.Fields(field)[0])
	}
	if want := []string{`Refreshers["spa"]`, "Timeout", "Store", "Keys"}; !slices.Equal(got, want) {
		t.Errorf("New = %v, want problems of %q", err, want)
	}
	if _, ok := errors.AsType[*tokenapi.FieldError](err); !ok {
		t.Errorf("New = %v, want a FieldError", err)
	}
}

// Vaults and other parts of a process can share one watch of the store.
func TestSharedRecords(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		cache, err := records.Open(records.Config{Store: p.link, Keys: []vault.Key{c.key}})
		if err != nil {
			c.Fatal(err)
		}
		defer cache.Close()
		sharing := c.start(func(config *vault.Config) {
			config.Store, config.Keys, config.Records = nil, nil, cache
		})
		token := p.signIn("k")
		if got := sharing.token("k"); !same(got, token) {
			c.Error("Token through shared records returns another token, want the one that was put")
		}
		if err := sharing.vault.Close(c.Context()); err != nil {
			c.Fatal(err)
		}
		kind := records.NewKind(cache, "other:", records.JSON[string]())
		if _, err := kind.Get(c.Context(), kind.ID("none")); !records.Absent(err) {
			c.Errorf("Get after the vault is closed = %v, want an open cache", err)
		}
	})
}

// A token that never expires is never renewed.
func TestTokensWithoutExpiry(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.put("k", "spa", &oauth2.Token{AccessToken: "a"}, nil)
		pass(100 * time.Hour)
		p.token("k")
		c.wantRefreshes(0)
	})
}
