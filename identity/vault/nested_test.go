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

// A counter sells tokens of its own to whoever shows the FrontOffice's token of the entry "k", as platforms behind
// B2Core do. It has no refresh tokens.
type counter struct {
	platform http.RoundTripper
	bearer   func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error)
	asked    atomic.Int32
}

// Refresh shows the bearer, and another one if that is refused.
func (c *counter) Refresh(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
	n := c.asked.Add(1)
	var shown *oauth2.Token
	for range 2 {
		var err error
		if shown, err = c.bearer(ctx, shown); err != nil {
			return nil, fmt.Errorf("the counter wants a bearer: %w", err)
		}
		status, err := c.show(ctx, shown)
		switch {
		case err != nil:
			return nil, err
		case status == http.StatusOK:
			return &oauth2.Token{AccessToken: fmt.Sprint("sold-", n), Expiry: time.Now().Add(30 * time.Second)}, nil
		}
	}
	return nil, errors.New("the counter refuses every bearer")
}

func (c *counter) show(ctx context.Context, bearer *oauth2.Token) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://trader.example.com/frontoffice/api/v3/account", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+bearer.AccessToken)
	resp, err := c.platform.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Body.Close()
}

// nest puts an entry of the counter into the first vault, which holds nothing yet, behind that of a sign-in.
func (s *street) nest(withState bool) {
	s.Helper()
	s.signIn(withState)
	e := vault.Entry{Owner: "trader", Client: "counter", Token: &oauth2.Token{Expiry: time.Unix(0, 0)}}
	if err := s.vaults[0].Put(s.Context(), "outer", e); err != nil {
		s.Fatal(err)
	}
}

func (s *street) outer() error { return errOf(s.vaults[0].Token(s.Context(), "outer")) }

// asks checks how often the counter was asked, and how often the IdentityServer.
func (s *street) asks(counter int32, refreshes int) {
	s.Helper()
	if n := s.counters[0].asked.Load(); n != counter {
		s.Errorf("the counter was asked %d times, want %d", n, counter)
	}
	if n := s.server.Grants("refresh_token"); n != refreshes {
		s.Errorf("%d refresh requests, want %d", n, refreshes)
	}
}

// One entry's token is renewed with another's, which is renewed for that if need be.
func TestNestedEntries(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.nest(false)
		for i := range 5 {
			if err := s.outer(); err != nil {
				s.Fatal(err)
			}
			s.asks(int32(i+1), i+1)
			pass(31 * time.Second)
		}
	})
}

// A bearer that the platform refuses is replaced.
func TestNestedBearerIsRefused(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.nest(false)
		s.lives(1, 0)
		pass(time.Second) // an access token of the same second is the same
		s.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized})
		if err := s.outer(); err != nil {
			s.Error(err)
		}
		s.asks(1, 2)
	})
}

// Whatever keeps the inner token from being renewed, the outer entry lives on, and waits as long as the inner one.
func TestNestedOutage(t *testing.T) {
	for name, fault := range map[string]identitytest.Fault{
		"503":            {Status: 503},
		"asks to wait":   {Status: 429, RetryAfter: "9"},
		"invalid_client": {Status: 400, Body: []byte(`{"error":"invalid_client"}`)},
		"cut":            {LoseRequest: true},
		"no way there":   {},
	} {
		inStreet(t, 1, func(s *street) {
			s.nest(false)
			if name == "no way there" {
				s.wires[0].refusals = 3
			}
			fault.Times = -1
			s.fault(fault)
			later, ok := errors.AsType[*vault.UnavailableError](s.outer())
			if !ok || later.RetryAfter < time.Second || fault.RetryAfter != "" && later.RetryAfter != 9*time.Second {
				s.Fatalf("%s: got %v", name, later)
			}
			tried := s.server.Grants("refresh_token")
			if err := s.outer(); err == nil {
				s.Errorf("%s: a token out of nothing", name)
			}
			s.asks(1, tried)
			s.server.ClearFaults()
			pass(later.RetryAfter)
			if err := s.outer(); err != nil {
				s.Errorf("%s: it does not recover: %v", name, err)
			}
			s.asks(2, tried+1)
		})
	}
}

// The log names the client that the server refuses, not the one behind it.
func TestNestedAlarm(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.nest(false)
		s.fault(identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_client"}`)})
		_ = s.outer()
		synctest.Wait()
		if log := s.log.String(); strings.Count(log, "the server refuses this client") != 1 || !strings.Contains(log, "client=spa") {
			s.Errorf("the log says:\n%s", log)
		}
	})
}

// A long outage costs no more requests than if there were the inner entry alone: each is one question at the counter.
func TestNestedPausesGrow(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.nest(false)
		s.fault(identitytest.Fault{Status: 503, Times: -1})
		for range 600 {
			_ = s.outer()
			pass(time.Second)
		}
		n := s.server.Grants("refresh_token")
		if n < 30 || n > 60 {
			s.Errorf("%d refresh requests in ten minutes", n)
		}
		s.asks(int32(n), n)
	})
}

// The inner refresh token was refused, but a resumption may save it yet: that refusal is not the outer entry's.
func TestNestedResumption(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.nest(true)
		s.server.RevokeTokens("trader@example.com")
		s.server.Inject(identitytest.EndpointAuthorize, identitytest.Fault{Status: 503})
		later, ok := errors.AsType[*vault.UnavailableError](s.outer())
		if !ok {
			s.Fatal("the outer entry ended with the inner one alive")
		}
		pass(later.RetryAfter)
		if err := s.outer(); err != nil {
			s.Error(err)
		}
	})
}

// Without the inner entry there is no outer one, and no more calls are made.
func TestNestedEnd(t *testing.T) {
	for name, end := range map[string]func(s *street){
		"refused": func(s *street) { s.server.RevokeTokens("trader@example.com") },
		"deleted": func(s *street) { _, _ = s.vaults[0].Delete(s.Context(), "k") },
	} {
		inStreet(t, 1, func(s *street) {
			s.nest(false)
			end(s)
			for range 3 {
				if err := s.outer(); !errors.Is(err, vault.ErrEnded) {
					s.Errorf("%s: got %v", name, err)
				}
				pass(time.Minute)
			}
			if n := s.counters[0].asked.Load(); n != 1 || s.server.Grants("refresh_token") > 1 {
				s.Errorf("%s: the counter was asked %d times, the server %d", name, n, s.server.Grants("refresh_token"))
			}
		})
	}
}

// The vault closes with a renewal under way that asks the vault itself.
func TestNestedClose(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.nest(false)
		s.lives(1, 0)
		s.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized, DelayAfter: 2 * time.Second})
		waiting := make(chan error)
		go func() { waiting <- s.outer() }()
		pass(time.Second)
		began := time.Now()
		if err := s.vaults[0].Close(s.Context()); err != nil || time.Since(began) != time.Second {
			s.Errorf("closed after %v: %v", time.Since(began), err)
		}
		if _, ok := errors.AsType[*vault.UnavailableError](<-waiting); !ok {
			s.Error("the waiting caller was not told to come again")
		}
		s.asks(1, 1)
	})
}
