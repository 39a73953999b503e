package vault_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// What only an operator can correct is logged once until a renewal succeeds:
// a wrong password of a worker as well as a client that the server refuses.
//
// field 10
func TestAlarmsAreRaisedOnce(t *testing.T) {
	for name, refusal := range map[string]error{
		"a wrong password":      &tokenapi.Error{System: "test", Op: "sign in", Err: tokenapi.ErrBadCredentials, Sent: true},
		"a wrong client secret": &tokenapi.Error{System: "test", Op: "sign in", Err: tokenapi.ErrMisconfigured, Sent: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorker(t, refusal)
			for range 60 {
				_, err := w.vault.Token(t.Context(), "k")
				later, ok := errors.AsType[*vault.UnavailableError](err)
				if !ok || strings.Count(err.Error(), "try again") > 1 {
					t.Fatalf("%s: Token = %v, want an UnavailableError that says once when to try again", name, err)
				}
				<-time.After(later.RetryAfter)
			}
			if got := strings.Count(w.log.String(), "level=ERROR"); got != 1 {
				t.Errorf("%s: %d errors in the log after 60 renewals, want 1:\n%s", name, got, w.log.String())
			}
			w.refusal = nil
			<-time.After(time.Hour)
			if _, err := w.vault.Token(t.Context(), "k"); err != nil {
				t.Fatalf("%s: Token after the correction = %v, want a token", name, err)
			}
			w.refusal = refusal
			<-time.After(2 * time.Minute)
			_, err := w.vault.Token(t.Context(), "k")
			if err == nil {
				t.Fatalf("%s: Token after it failed again = nil, want an error", name)
			}
			if got := strings.Count(w.log.String(), "level=ERROR"); got != 2 {
				t.Errorf("%s: %d errors in the log after it failed again, want 2", name, got)
			}
		})
	}
}

// While a password is refused, the error says for how long the Keeper does not
// try it again, and not only when the vault looks for another one.
//
// field 10
func TestRefusedPasswordSaysThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(t, &tokenapi.Error{System: "test", Op: "sign in", Err: tokenapi.ErrBadCredentials, Sent: true})
		for _, want := range []string{"5m0s", "4m50s"} {
			_, err := w.vault.Token(t.Context(), "k")
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "10s") {
				t.Errorf("Token = %v, want %s for this password and 10s for another", err, want)
			}
			<-time.After(10 * time.Second)
		}
	})
}

// field 10
func TestPutSaysWhatLacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(t, nil)
		token := tokenapi.FirstToken()
		for _, c := range []struct {
			key   string
			entry vault.Entry
			want  []string
		}{
			{"", vault.Entry{Client: "worker", Token: token}, []string{"the key is empty"}},
			{"k", vault.Entry{Client: "worker"}, []string{"Entry.Token is nil"}},
			{"k", vault.Entry{Client: "wrong", Token: token}, []string{`Entry.Client is "wrong"`}},
			{"", vault.Entry{}, []string{"the key is empty", "Entry.Token is nil", `Entry.Client is ""`}},
		} {
			err := w.vault.Put(t.Context(), c.key, c.entry)
			if err == nil || strings.Count(err.Error(), "\n") != len(c.want)-1 {
				t.Errorf("Put(%q, %v) = %v, want %d problems", c.key, c.entry.Client, err, len(c.want))
				continue
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Put(%q, %v) = %v, want %q", c.key, c.entry.Client, err, want)
				}
			}
		}
	})
}

// A worker is a vault with the entry of one Keeper.
type worker struct {
	vault   *vault.Vault
	log     bytes.Buffer
	refusal error // of each sign-in; nil: it succeeds
}

func newWorker(t *testing.T, refusal error) *worker {
	t.Helper()
	w := &worker{refusal: refusal}
	keeper, err := tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System: "test", Account: tokenapi.Account{Login: "me", Password: tokenapi.Fixed("pa55")},
		SignIn: func(context.Context, string, string) (*oauth2.Token, error) {
			return &oauth2.Token{AccessToken: "a", TokenType: "Bearer", Expiry: time.Now().Add(time.Minute)}, w.refusal
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := memstore.New()
	t.Cleanup(func() { _ = s.Close() })
	w.vault, err = vault.New(vault.Config{
		Store: s, Keys: []vault.Key{vault.NewKey("1")}, Refreshers: map[string]vault.Refresher{"worker": keeper},
		Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.vault.Close(context.Background()) })
	if err := w.vault.Put(t.Context(), "k", vault.Entry{Client: "worker", Token: keeper.FirstToken()}); err != nil {
		t.Fatal(err)
	}
	return w
}
