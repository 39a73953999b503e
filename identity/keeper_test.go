package identity_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

const (
	machineEmail    = "machine@example.com"
	machinePassword = "machine-password"
)

// A worker is a machine account whose token is in a vault, on virtual time.
type worker struct {
	*vaulttest.Worker
	server  *identitytest.Server
	machine *tokenapi.Keeper

	mu       sync.Mutex
	password string
	asked    int // how often the password was
}

func (w *worker) setPassword(p string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.password = p
}

func (w *worker) readPassword(context.Context) (tokenapi.Secret, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	if w.password == "" {
		return tokenapi.Secret{}, errors.New("the file is gone")
	}
	return tokenapi.NewSecret(w.password), nil
}

// atWork runs f with a worker that has not signed in yet.
func atWork(t *testing.T, config identitytest.Config, f func(w *worker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, err := identitytest.New(config)
		if err != nil {
			t.Fatal(err)
		}
		w := &worker{server: server, password: machinePassword}
		client, err := identity.New(identity.Config{
			URL: "https://trader.example.com", ClientID: identity.ClientCoreIB, ClientSecret: tokenapi.NewSecret("core_ib-secret"),
			HTTP: tokenapi.HTTP{Transport: server.Transport()},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.machine, err = client.Keeper(tokenapi.Account{Login: machineEmail, Password: w.readPassword})
		if err != nil {
			t.Fatal(err)
		}
		w.Worker = vaulttest.New(t, map[string]vault.Refresher{"core_ib": w.machine}, func() (signIns, renewals int) { return w.signIns(), w.renewals() })
		w.Put("worker", "core_ib", w.machine.FirstToken())
		f(w)
	})
}

func (w *worker) signIns() int  { return w.server.Grants(identitytest.GrantPassword) }
func (w *worker) renewals() int { return w.server.Grants("refresh_token") }

// Seven lifetimes of a refresh token, with access tokens of 30 seconds: one
// sign-in for each lifetime, one renewal every 20 seconds, and always a live
// token. A lifetime is an hour, or with B2TRADER_TEST_LONG=1 a day, which takes
// a minute.
func TestMachineWeek(t *testing.T) {
	life := time.Hour
	if os.Getenv("B2TRADER_TEST_LONG") == "1" {
		life = 24 * time.Hour
	}
	atWork(t, identitytest.Config{RefreshTokenLifetime: life}, func(w *worker) {
		const every, renewal = 5 * time.Second, 20 * time.Second
		for range 7 * life / every {
			w.Works("worker")
			<-time.After(every)
		}
		// A refresh token still works at the very end of its life. The renewal
		// after that is refused, and becomes a sign-in.
		total := int(7 * life / renewal)
		perLife := int(life/renewal) + 1
		w.Counts(1+(total-1)/perLife, total-1)
		if w.server.Count(identitytest.EndpointToken) != w.signIns()+w.renewals() {
			t.Error("got more token requests, want password and refresh_token grants only")
		}
	})
}

// After its refresh token was revoked, the machine signs in again before the
// access token expires.
func TestMachineRevoked(t *testing.T) {
	atWork(t, identitytest.Config{}, func(w *worker) {
		first := w.Works("worker")
		w.server.RevokeTokens(machineEmail)
		<-time.After(21 * time.Second)
		w.Works("worker")
		synctest.Wait()
		if w.Works("worker").AccessToken == first.AccessToken {
			t.Error("got the same access token, want a new one")
		}
		w.Counts(2, 1)
	})
}

// req 23: the password is asked at each sign-in.
func TestMachinePasswordRotated(t *testing.T) {
	config := identitytest.Config{Users: []identitytest.User{
		{ID: "1", Email: machineEmail, Password: "new-password", Nickname: "machine"},
	}}
	atWork(t, config, func(w *worker) {
		_ = w.Waits("worker") // the server has the new password, the worker the old one
		w.setPassword("new-password")
		<-time.After(11 * time.Second)
		w.Works("worker")
		w.Counts(2, 0)
	})
}

// The pauses between tries of a wrong password grow, however often the worker
// asks, so that the server does not lock the account.
func TestMachineWrongPassword(t *testing.T) {
	atWork(t, identitytest.Config{}, func(w *worker) {
		w.setPassword("wrong-password")
		start := time.Now()
		for range int(4 * time.Hour / time.Second) {
			later := w.Waits("worker")
			if !errors.Is(later, tokenapi.ErrBadCredentials) {
				t.Fatalf("got %v, want it to wrap ErrBadCredentials", later)
			}
			if later.RetryAfter > 20*time.Second {
				t.Fatalf("RetryAfter = %v, want at most 20 s, to notice another password", later.RetryAfter)
			}
			<-time.After(time.Second)
		}
		// At 0 s, and after 5, 10, 20, 40, 60, 60 minutes: the eighth would be
		// at 4 h 15.
		if got := w.signIns(); got != 7 {
			t.Errorf("%d attempts in %v, want 7", got, time.Since(start))
		}
		w.setPassword(machinePassword) // which is noticed soon
		<-time.After(11 * time.Second)
		w.Works("worker")
		// After a success it begins again: at once, and after 5 minutes.
		w.setPassword("wrong-password")
		w.server.RevokeTokens(machineEmail)
		<-time.After(31 * time.Second)
		before := w.signIns()
		for range int(6 * time.Minute / time.Second) {
			_ = w.Waits("worker")
			<-time.After(time.Second)
		}
		if got := w.signIns() - before; got != 2 {
			t.Errorf("%d attempts in 6 minutes, want 2", got)
		}
	})
}

// While the server is down the worker has no token and sends few requests.
// Afterwards it recovers.
func TestMachineServerDown(t *testing.T) {
	atWork(t, identitytest.Config{}, func(w *worker) {
		w.Works("worker")
		w.server.RevokeTokens(machineEmail)
		w.server.Inject(identitytest.EndpointToken, identitytest.Fault{Times: -1, Status: 503, Grant: identitytest.GrantPassword})
		<-time.After(31 * time.Second)
		for range 600 {
			_ = w.Waits("worker")
			<-time.After(time.Second)
		}
		if got := w.signIns() - 1; got < 30 || got > 61 {
			t.Errorf("%d attempts in ten minutes, want one in 10 to 20 seconds", got)
		}
		if w.renewals() != 1 {
			t.Errorf("the refused refresh token was sent %d times, want once", w.renewals())
		}
		w.server.ClearFaults()
		<-time.After(21 * time.Second)
		w.Works("worker")
	})
}

// Without the password's file the worker waits and reports the cause.
func TestMachineWithoutPassword(t *testing.T) {
	atWork(t, identitytest.Config{}, func(w *worker) {
		w.setPassword("")
		if later := w.Waits("worker"); later.Err == nil || !contains(later.Error(), "the file is gone") {
			t.Errorf("got %v, want the cause", later)
		}
		w.Counts(0, 0)
		w.setPassword(machinePassword)
		<-time.After(2 * time.Second)
		w.Works("worker")
	})
}

// Concurrent callers cause one sign-in in an interval.
func TestMachineConcurrent(t *testing.T) {
	atWork(t, identitytest.Config{}, func(w *worker) {
		var paused, signedIn int
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				token, err := w.machine.Refresh(w.Context(), w.machine.FirstToken())
				pause, isPause := errors.AsType[*tokenapi.PausedError](err)
				w.mu.Lock()
				defer w.mu.Unlock()
				switch {
				case err == nil && token.AccessToken != "":
					signedIn++
				case isPause && pause.RetryAfter == 10*time.Second && pause.Err == nil:
					paused++
				default:
					t.Errorf("Refresh = %v, want a token or a pause of 10 s", err)
				}
			})
		}
		all.Wait()
		if signedIn != 1 || paused != 19 {
			t.Errorf("%d signed in and %d got a PausedError, want 1 and 19", signedIn, paused)
		}
		w.Counts(1, 0)
	})
}

func TestKeeperNeedsAnAccount(t *testing.T) {
	client := func(id, secret string) *identity.Client {
		c, err := identity.New(identity.Config{URL: "https://trader.example.com", ClientID: id, ClientSecret: tokenapi.NewSecret(secret)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	_, err := client(identity.ClientCoreIB, "5ecret").Keeper(tokenapi.Account{Pace: tokenapi.Pace{Interval: -1}})
	want := "identity: Keeper: Account.Login is missing\nidentity: Keeper: Account.Password is missing\nidentity: Keeper: Pace.Interval is negative"
	if err == nil || err.Error() != want {
		t.Errorf("Keeper = %v, want %s", err, want)
	}
	_, err = client(identity.ClientSPA, "").Keeper(tokenapi.Account{Login: machineEmail, Password: tokenapi.Fixed(machinePassword)})
	if err == nil || err.Error() != "identity: Keeper: Config.ClientSecret is missing" {
		t.Errorf("Keeper of spa = %v, want a problem of ClientSecret", err)
	}
}

// req 123
func TestKeeperHidesSecrets(t *testing.T) {
	atWork(t, identitytest.Config{}, func(w *worker) {
		token := w.Works("worker")
		_, err := w.machine.Refresh(w.Context(), w.machine.FirstToken())
		if err == nil {
			t.Fatal("a second sign-in at once succeeded, want a PausedError")
		}
		for _, v := range []any{w.machine, err} {
			clienttest.Hides(t, v, machinePassword, "core_ib-secret", token.AccessToken, token.RefreshToken)
		}
	})
}
