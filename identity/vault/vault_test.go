package vault_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

// A house is an IdentityServer, a client of it and a vault, on virtual time.
type house struct {
	*testing.T
	server *identitytest.Server
	client *identity.Client
	store  *memstore.Store
	vault  *vault.Vault

	mu       sync.Mutex
	renewals []vault.Renewal
	revoked  []vault.Entry
}

func inHouse(t *testing.T, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, err := identitytest.New(identitytest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		client, err := identity.New(identity.Config{URL: "https://trader.example.com", ClientID: "spa", Transport: srv.Transport()})
		if err != nil {
			t.Fatal(err)
		}
		h := &house{T: t, server: srv, client: client, store: memstore.New()}
		defer func() { _ = h.store.Close() }()
		h.vault, err = vault.New(vault.Config{
			Store:      h.store,
			Logger:     slog.New(slog.DiscardHandler),
			Keys:       []vault.Key{vault.NewKey("a")},
			Refreshers: map[string]vault.Refresher{"spa": client},
			Revoke: func(_ context.Context, e vault.Entry) {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.revoked = append(h.revoked, e)
			},
			OnRenewal: func(r vault.Renewal) {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.renewals = append(h.renewals, r)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := h.vault.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		f(h)
	})
}

// signIn puts the token of a new sign-in under key.
func (h *house) signIn(key string) *oauth2.Token {
	h.Helper()
	token, err := h.client.Login(h.Context(), "trader@example.com", "trader-password")
	if err != nil {
		h.Fatal(err)
	}
	if err := h.vault.Put(h.Context(), key, vault.Entry{Owner: "trader", Client: "spa", Token: token}); err != nil {
		h.Fatal(err)
	}
	return token
}

func (h *house) token(key string) *oauth2.Token {
	h.Helper()
	token, err := h.vault.Token(h.Context(), key)
	if err != nil {
		h.Fatal(err)
	}
	return token
}

// refreshes checks how many refresh requests the server has got.
func (h *house) refreshes(want int) {
	h.Helper()
	synctest.Wait()
	if n := h.server.Grants("refresh_token"); n != want {
		h.Errorf("the server got %d refresh requests, want %d", n, want)
	}
}

// same reports whether two tokens are one.
func same(a, b *oauth2.Token) bool {
	return a.AccessToken == b.AccessToken && a.RefreshToken == b.RefreshToken
}

func pass(d time.Duration) { <-time.After(d) }

func TestFreshTokensAreAnsweredFromMemory(t *testing.T) {
	inHouse(t, func(h *house) {
		first := h.signIn("k")
		pass(19 * time.Second)
		for range 100 {
			if !same(h.token("k"), first) {
				h.Fatal("another token")
			}
		}
		h.refreshes(0)
	})
}

// req 58: past two thirds of its life a token is renewed in the background; nobody waits.
func TestEarlyRenewalKeepsNobodyWaiting(t *testing.T) {
	inHouse(t, func(h *house) {
		first := h.signIn("k")
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: 5 * time.Second})
		pass(20*time.Second + time.Millisecond)
		began := time.Now()
		for range 10 {
			if !same(h.token("k"), first) || time.Since(began) != 0 {
				h.Fatal("a caller waited, or got another token than the live one")
			}
		}
		pass(6 * time.Second)
		if same(h.token("k"), first) {
			h.Error("the successor is not used")
		}
		h.refreshes(1)
	})
}

// req 47, 48: however slow the server, one expiry is one request. I1, I2
func TestOneRenewalForAnyNumberOfCallers(t *testing.T) {
	for _, delay := range []time.Duration{0, 3 * time.Second, 12 * time.Second} {
		inHouse(t, func(h *house) {
			first := h.signIn("k")
			pass(31 * time.Second)
			h.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: delay})
			var wg sync.WaitGroup
			for range 40 {
				wg.Go(func() {
					if token := h.token("k"); same(token, first) {
						h.Error("the expired token was handed out")
					}
				})
			}
			wg.Wait()
			h.refreshes(1)
		})
	}
}

// req 50, 53: a caller may go; the renewal goes on for the others. I3, I10
func TestCallersMayLeave(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		pass(31 * time.Second)
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 4 * time.Second})
		ctx, cancel := context.WithTimeout(h.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := h.vault.Token(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			h.Errorf("got %v after %v", err, time.Since(began))
		}
		h.token("k") // joins the renewal that the first caller started
		h.refreshes(1)
	})
}

// req 55, 57: a fault of the moment costs no session.
func TestFaultsKeepTheEntry(t *testing.T) {
	for name, fault := range map[string]identitytest.Fault{
		"500":            {Status: 500},
		"429":            {Status: 429, RetryAfter: "9"},
		"invalid_client": {Status: 400, Body: []byte(`{"error":"invalid_client"}`)},
		"nonsense":       {Status: 200, ContentType: "text/html", Body: []byte("<html>")},
		"cut":            {LoseRequest: true},
	} {
		inHouse(t, func(h *house) {
			first := h.signIn("k")
			fault.Times, fault.Grant = -1, "refresh_token"
			h.server.Inject(identitytest.EndpointToken, fault)

			pass(21 * time.Second)
			for range 3 { // the old token serves while it lives, and the failure is not repeated at once
				if !same(h.token("k"), first) {
					h.Errorf("%s: another token", name)
				}
				synctest.Wait()
			}
			if name == "cut" {
				h.refreshes(2) // it may have been sent: the server is asked once more (req 54)
			} else {
				h.refreshes(1)
			}

			pass(60 * time.Second)
			_, err := h.vault.Token(h.Context(), "k")
			unavailable, ok := errors.AsType[*vault.UnavailableError](err)
			if !ok || unavailable.RetryAfter < time.Second || unavailable.Unwrap() == nil {
				h.Fatalf("%s: got %v", name, err)
			}
			if fault.RetryAfter != "" && unavailable.RetryAfter != 9*time.Second {
				h.Errorf("%s: RetryAfter is %v", name, unavailable.RetryAfter)
			}
			before := h.server.Grants("refresh_token")
			if _, err := h.vault.Token(h.Context(), "k"); err == nil || h.server.Grants("refresh_token") != before {
				h.Errorf("%s: tried again within the pause: %v", name, err)
			}

			h.server.ClearFaults()
			pass(unavailable.RetryAfter)
			h.token("k")
		})
	}
}

// req 63: a server that stays away is not asked ever faster.
func TestPausesGrow(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 503, Times: -1})
		pass(31 * time.Second)
		for range 600 { // a caller each second for ten minutes
			_, _ = h.vault.Token(h.Context(), "k")
			pass(time.Second)
		}
		if n := h.server.Grants("refresh_token"); n < 30 || n > 60 {
			h.Errorf("%d refresh requests in ten minutes", n)
		}
	})
}

// However long ago a token expired, a server that asks to wait is not asked before.
func TestPausesAreNotForgotten(t *testing.T) {
	inHouse(t, func(h *house) {
		token := h.signIn("k")
		expired := *token
		expired.Expiry = time.Unix(0, 0)
		if err := h.vault.Put(h.Context(), "k", vault.Entry{Owner: "trader", Client: "spa", Token: &expired}); err != nil {
			h.Fatal(err)
		}
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 429, RetryAfter: "300"})
		for range 300 {
			if _, err := h.vault.Token(h.Context(), "k"); err == nil {
				h.Fatal("a token within the pause")
			}
			pass(time.Second)
		}
		h.refreshes(1)
		h.token("k")
	})
}

// req 62: a refused token ends the entry, and is not sent again. I8
func TestRefusalEndsTheEntry(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		h.server.RevokeTokens("trader@example.com")
		pass(31 * time.Second)
		for range 5 {
			if _, err := h.vault.Token(h.Context(), "k"); !errors.Is(err, vault.ErrEnded) {
				h.Errorf("got %v", err)
			}
		}
		if _, err := h.vault.Status(h.Context(), "k"); !errors.Is(err, vault.ErrEnded) {
			h.Errorf("Status: %v", err)
		}
		h.refreshes(1)
		h.signIn("k") // a new sign-in takes the place
		h.token("k")
	})
}

// req 78: a renewal under way cannot bring a deleted entry back; what it yields is revoked. I6
func TestDeleteWinsOverARenewal(t *testing.T) {
	for name, end := range map[string]func(h *house) error{
		"Delete":      func(h *house) error { _, err := h.vault.Delete(h.Context(), "k"); return err },
		"DeleteOwner": func(h *house) error { _, err := h.vault.DeleteOwner(h.Context(), "trader"); return err },
		"Put":         func(h *house) error { h.signIn("k"); _, err := h.vault.Delete(h.Context(), "k"); return err },
	} {
		inHouse(t, func(h *house) {
			h.signIn("k")
			pass(31 * time.Second)
			h.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 5 * time.Second, Grant: "refresh_token"})
			waiting := make(chan error)
			go func() { _, err := h.vault.Token(h.Context(), "k"); waiting <- err }()
			synctest.Wait()
			if err := end(h); err != nil {
				h.Fatalf("%s: %v", name, err)
			}
			began := time.Now()
			if err := <-waiting; !errors.Is(err, vault.ErrNotFound) || name != "Put" && time.Since(began) != 0 {
				h.Errorf("%s: the waiting caller got %v, after %v", name, err, time.Since(began))
			}
			if _, err := h.vault.Token(h.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
				h.Errorf("%s: afterwards: %v", name, err)
			}
			pass(6 * time.Second)
			synctest.Wait()
			if len(h.revoked) != 1 || h.revoked[0].Token.RefreshToken == "" {
				h.Errorf("%s: %d tokens were revoked", name, len(h.revoked))
			}
		})
	}
}

func TestDeleteReturnsWhatToRevoke(t *testing.T) {
	inHouse(t, func(h *house) {
		token := h.signIn("k")
		e, err := h.vault.Delete(h.Context(), "k")
		if err != nil || !same(e.Token, token) || e.Owner != "trader" || e.Client != "spa" {
			h.Errorf("got %v, %v", e.Owner, err)
		}
		if _, err := h.vault.Delete(h.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
			h.Errorf("again: %v", err)
		}
		if _, err := h.vault.Status(h.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
			h.Errorf("Status: %v", err)
		}
	})
}

// req 83: an owner's entries, and no others.
func TestDeleteOwner(t *testing.T) {
	inHouse(t, func(h *house) {
		for i := range 3 {
			h.signIn(fmt.Sprint("k", i))
		}
		token, err := h.client.Login(h.Context(), "admin@example.com", "admin-password")
		if err != nil {
			h.Fatal(err)
		}
		if err := h.vault.Put(h.Context(), "other", vault.Entry{Owner: "admin", Client: "spa", Token: token}); err != nil {
			h.Fatal(err)
		}
		if n, err := h.vault.DeleteOwner(h.Context(), "trader"); n != 3 || err != nil {
			h.Errorf("ended %d, %v", n, err)
		}
		if n, _ := h.vault.DeleteOwner(h.Context(), "trader"); n != 0 {
			h.Errorf("ended %d more", n)
		}
		h.token("other")
	})
}

// req 75: neither use nor renewal keeps an entry past its end.
func TestEntriesEnd(t *testing.T) {
	inHouse(t, func(h *house) {
		token := h.signIn("k")
		until := time.Now().Add(10 * time.Minute)
		if err := h.vault.Put(h.Context(), "k", vault.Entry{Owner: "trader", Client: "spa", Token: token, Until: until}); err != nil {
			h.Fatal(err)
		}
		for time.Now().Before(until) {
			h.token("k")
			pass(15 * time.Second)
		}
		if _, err := h.vault.Token(h.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
			h.Errorf("got %v", err)
		}
		if n, _ := h.vault.DeleteOwner(h.Context(), "trader"); n != 0 {
			h.Error("its owner is still listed")
		}
	})
}

func TestStatus(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		issued := time.Now()
		pass(31 * time.Second)
		if s, err := h.vault.Status(h.Context(), "k"); err != nil || s.Renewals != 0 || !s.Issued.Equal(issued) || s.Expiry.Sub(issued) != 30*time.Second {
			h.Errorf("got %+v, %v", s, err)
		}
		h.refreshes(0) // Status renews nothing
		h.token("k")
		s, err := h.vault.Status(h.Context(), "k")
		if err != nil || s.Renewals != 1 || s.Scope != "openid FrontOffice offline_access" || s.Owner != "trader" || s.Client != "spa" {
			h.Errorf("got %+v, %v", s, err)
		}
		synctest.Wait()
		if r := h.renewals; len(r) != 1 || r[0].Result != vault.Renewed || r[0].Err != nil || r[0].Owner != "trader" {
			h.Errorf("got %+v", r)
		}
	})
}

// req 131: a renewal under way is waited for, and none is started.
func TestClose(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		pass(21 * time.Second)
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 5 * time.Second})
		h.token("k")
		began := time.Now()
		if err := h.vault.Close(h.Context()); err != nil || time.Since(began) != 5*time.Second {
			h.Errorf("closed after %v: %v", time.Since(began), err)
		}
		pass(time.Minute)
		if _, err := h.vault.Token(h.Context(), "k"); err == nil {
			h.Error("a closed vault renewed a token")
		}
		h.refreshes(1)
	})
}

func TestCloseGivesUp(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		pass(21 * time.Second)
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: time.Hour})
		h.token("k")
		ctx, cancel := context.WithTimeout(h.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		if err := h.vault.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 2*time.Second {
			h.Errorf("closed after %v: %v", time.Since(began), err)
		}
	})
}

func TestPutRefusesWhatItCannotKeep(t *testing.T) {
	inHouse(t, func(h *house) {
		token := h.signIn("k")
		for key, e := range map[string]vault.Entry{
			"":  {Client: "spa", Token: token},
			"a": {Client: "spa"},
			"b": {Client: "another", Token: token},
		} {
			if err := h.vault.Put(h.Context(), key, e); err == nil {
				h.Errorf("%q was put", key)
			}
		}
	})
}

func TestNewReportsEveryProblem(t *testing.T) {
	_, err := vault.New(vault.Config{Refreshers: map[string]vault.Refresher{"spa": nil}, Timeout: -1})
	if err == nil || len(strings.Split(err.Error(), "\n")) != 4 {
		t.Errorf("got %v", err)
	}
	if _, err := vault.New(vault.Config{}); err == nil {
		t.Error("a vault without refreshers was made")
	}
}

// A token that never expires is never renewed.
func TestTokensWithoutExpiry(t *testing.T) {
	inHouse(t, func(h *house) {
		if err := h.vault.Put(h.Context(), "k", vault.Entry{Client: "spa", Token: &oauth2.Token{AccessToken: "a"}}); err != nil {
			h.Fatal(err)
		}
		pass(100 * time.Hour)
		h.token("k")
		h.refreshes(0)
	})
}
