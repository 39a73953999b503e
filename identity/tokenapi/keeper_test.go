package tokenapi_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// asked records how a Keeper gets its tokens.
type asked struct {
	steps   []string
	refused error // of the next refresh
}

func (a *asked) signIn(_ context.Context, login, password string) (*oauth2.Token, error) {
	a.steps = append(a.steps, "sign in as "+login+" with "+password)
	return &oauth2.Token{AccessToken: "new"}, nil
}

func (a *asked) refresh(_ context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	a.steps = append(a.steps, "refresh "+old.RefreshToken)
	return &oauth2.Token{AccessToken: "newer"}, a.refused
}

func (a *asked) keeper(t *testing.T, change func(*tokenapi.KeeperConfig)) *tokenapi.Keeper {
	t.Helper()
	config := tokenapi.KeeperConfig{
		System: "test", Account: tokenapi.Account{Login: "me", Password: tokenapi.Fixed("pa55")}, SignIn: a.signIn, Refresh: a.refresh,
	}
	if change != nil {
		change(&config)
	}
	k, err := tokenapi.NewKeeper(config)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func expiring(at time.Time) *oauth2.Token {
	return (&oauth2.Token{RefreshToken: "old"}).WithExtra(map[string]any{"refresh_expiry": at})
}

// A Keeper sends a refresh token only if it may be valid.
func TestKeeperChooses(t *testing.T) {
	for name, c := range map[string]struct {
		old     func() *oauth2.Token
		change  func(*tokenapi.KeeperConfig)
		refused error
		want    []string
	}{
		"nothing at all":         {func() *oauth2.Token { return nil }, nil, nil, []string{"sign in as me with pa55"}},
		"no token yet":           {func() *oauth2.Token { return (*tokenapi.Keeper)(nil).FirstToken() }, nil, nil, []string{"sign in as me with pa55"}},
		"a refresh token":        {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, nil, nil, []string{"refresh old"}},
		"one that lives":         {func() *oauth2.Token { return expiring(time.Now().Add(time.Second)) }, nil, nil, []string{"refresh old"}},
		"one that has expired":   {func() *oauth2.Token { return expiring(time.Now()) }, nil, nil, []string{"sign in as me with pa55"}},
		"one that is refused":    {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, nil, tokenapi.ErrGrantRefused, []string{"refresh old", "sign in as me with pa55"}},
		"an unusable answer":     {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, nil, &tokenapi.Error{Err: tokenapi.ErrUnusableAnswer, StatusCode: 200}, []string{"refresh old", "sign in as me with pa55"}},
		"an unusable refusal":    {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, nil, &tokenapi.Error{Err: tokenapi.ErrUnusableAnswer, StatusCode: 418}, []string{"refresh old"}},
		"the server is away":     {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, nil, tokenapi.ErrUnavailable, []string{"refresh old"}},
		"no refresh in this API": {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, func(c *tokenapi.KeeperConfig) { c.Refresh = nil }, nil, []string{"sign in as me with pa55"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &asked{refused: c.refused}
			_, err := a.keeper(t, c.change).Refresh(t.Context(), c.old())
			if !slices.Equal(a.steps, c.want) {
				t.Errorf("%s: got %q, want %q", name, a.steps, c.want)
			}
			if errors.Is(c.refused, tokenapi.ErrUnavailable) != errors.Is(err, tokenapi.ErrUnavailable) {
				t.Errorf("%s: Refresh = %v, want ErrUnavailable only from the refresh", name, err)
			}
		})
	}
}

// A Keeper never returns the outcome Refused, even if its functions do.
func TestKeeperNeverGivesUp(t *testing.T) {
	refusal := &tokenapi.Error{System: "test", Op: "sign in", Err: tokenapi.ErrNotSignedIn}
	for name, change := range map[string]func(*tokenapi.KeeperConfig){
		"the sign-in": func(c *tokenapi.KeeperConfig) {
			c.SignIn = func(context.Context, string, string) (*oauth2.Token, error) { return nil, refusal }
		},
		"the secret": func(c *tokenapi.KeeperConfig) {
			c.Account.Password = func(context.Context) (tokenapi.Secret, error) { return tokenapi.Secret{}, refusal }
		},
		"no secret": func(c *tokenapi.KeeperConfig) { c.Account.Password = tokenapi.Fixed("") },
		"no token at all": func(c *tokenapi.KeeperConfig) {
			c.SignIn = func(context.Context, string, string) (*oauth2.Token, error) { return nil, nil }
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := (&asked{}).keeper(t, change)
			for range 2 { // the second may be a pause
				token, err := k.Refresh(t.Context(), k.FirstToken())
				if token != nil || err == nil || tokenapi.OutcomeOf(err).Kind == tokenapi.Refused {
					t.Errorf("%s: Refresh = %v, %v, want an error that keeps the account", name, token, err)
				}
			}
		})
	}
}

// A PausedError wraps the last error but does not have its outcome: no request
// was made.
func TestPausedErrorSpeaksForItself(t *testing.T) {
	for _, last := range []error{tokenapi.ErrBadCredentials, tokenapi.ErrNotSignedIn, tokenapi.ErrMisconfigured, tokenapi.ErrUnavailable} {
		paused := &tokenapi.PausedError{System: "test", RetryAfter: time.Second, Err: &tokenapi.Error{Err: last, Sent: true}}
		if !errors.Is(paused, tokenapi.ErrUnavailable) || !errors.Is(paused, last) || tokenapi.OutcomeOf(paused) != (tokenapi.Outcome{RetryAfter: time.Second}) {
			t.Errorf("OutcomeOf(%v) = %+v, want transient with 1 s", paused, tokenapi.OutcomeOf(paused))
		}
	}
	k := (&asked{}).keeper(t, nil)
	if _, err := k.Refresh(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	_, err := k.Refresh(t.Context(), nil)
	if got, ok := errors.AsType[*tokenapi.PausedError](err); !ok || got.RetryAfter <= 0 || got.RetryAfter > 10*time.Second || got.Err != nil {
		t.Errorf("Refresh at once = %v, want a PausedError of 10 s", err)
	}
}

// A sign-in that was not sent may be repeated at once.
func TestKeeperRepeatsWhatWasNotSent(t *testing.T) {
	for sent, want := range map[bool]int{false: 3, true: 1} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			k := (&asked{}).keeper(t, func(c *tokenapi.KeeperConfig) {
				c.SignIn = func(context.Context, string, string) (*oauth2.Token, error) {
					tries++
					return nil, &tokenapi.Error{Err: tokenapi.ErrUnavailable, Sent: sent}
				}
			})
			for range 3 {
				if _, err := k.Refresh(t.Context(), nil); !errors.Is(err, tokenapi.ErrUnavailable) {
					t.Errorf("Refresh = %v, want ErrUnavailable", err)
				}
			}
			if tries != want {
				t.Errorf("sent %v: %d tries, want %d", sent, tries, want)
			}
		})
	}
}

// field 64: a sign-in waits as long as the server asked for, whatever asks for it.
func TestKeeperObeysRetryAfter(t *testing.T) {
	busy := func(after time.Duration) error {
		return &tokenapi.Error{Err: tokenapi.ErrUnavailable, Sent: true, StatusCode: 429, RetryAfter: after}
	}
	for name, c := range map[string]struct {
		asked, want time.Duration
		old         *oauth2.Token
	}{
		"a sign-in":        {time.Minute, time.Minute, nil},
		"a refresh":        {time.Minute, time.Minute, &oauth2.Token{RefreshToken: "old"}},
		"less than a Pace": {time.Second, 10 * time.Second, nil},
		"a day":            {24 * time.Hour, 5 * time.Minute, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &asked{refused: busy(c.asked)}
			refusal := busy(c.asked)
			k := a.keeper(t, func(config *tokenapi.KeeperConfig) {
				config.SignIn = func(context.Context, string, string) (*oauth2.Token, error) {
					return &oauth2.Token{AccessToken: "new"}, refusal
				}
			})
			if _, err := k.Refresh(t.Context(), c.old); !errors.Is(err, refusal) && !errors.Is(err, a.refused) {
				t.Fatalf("%s: Refresh = %v, want the server's answer", name, err)
			}
			refusal = nil
			<-time.After(c.want - time.Second)
			_, err := k.Refresh(t.Context(), k.FirstToken())
			if paused, ok := errors.AsType[*tokenapi.PausedError](err); !ok || paused.RetryAfter != time.Second || !strings.Contains(err.Error(), "try again in 1s; the last one failed") {
				t.Errorf("%s: Refresh a second too early = %v, want a PausedError of 1 s with its cause", name, err)
			}
			<-time.After(time.Second)
			if _, err := k.Refresh(t.Context(), k.FirstToken()); err != nil {
				t.Errorf("%s: Refresh in time = %v, want a token", name, err)
			}
		})
	}
}

// field 11: a clock that is set back prolongs no pause.
func TestKeeperOutlastsAClockThatIsSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var back time.Duration
		a := &asked{}
		k := a.keeper(t, func(c *tokenapi.KeeperConfig) {
			c.Now = func() time.Time { return time.Now().Add(-back) }
			c.SignIn = func(ctx context.Context, login, password string) (*oauth2.Token, error) {
				_, err := a.signIn(ctx, login, password)
				return nil, errors.Join(err, tokenapi.ErrBadCredentials)
			}
		})
		_, err := k.Refresh(t.Context(), nil)
		if !errors.Is(err, tokenapi.ErrBadCredentials) {
			t.Fatalf("Refresh = %v, want ErrBadCredentials", err)
		}
		back = time.Hour
		if _, err = k.Refresh(t.Context(), nil); errors.Is(err, tokenapi.ErrUnavailable) || len(a.steps) != 2 {
			t.Errorf("Refresh after the clock was set back = %v after %d sign-ins, want a second one", err, len(a.steps))
		}
		if _, err = k.Refresh(t.Context(), nil); !errors.Is(err, tokenapi.ErrUnavailable) || len(a.steps) != 2 {
			t.Errorf("Refresh at once = %v after %d sign-ins, want a pause", err, len(a.steps))
		}
	})
}

// A failing Account.Password is a misconfiguration, unless the context ended.
func TestKeeperWithoutPassword(t *testing.T) {
	gone := errors.New("the file is gone")
	k := (&asked{}).keeper(t, func(c *tokenapi.KeeperConfig) {
		c.Account.Password = func(ctx context.Context) (tokenapi.Secret, error) {
			if err := ctx.Err(); err != nil {
				return tokenapi.Secret{}, err
			}
			return tokenapi.Secret{}, gone
		}
	})
	_, err := k.Refresh(t.Context(), nil)
	if !errors.Is(err, tokenapi.ErrMisconfigured) || !errors.Is(err, gone) || tokenapi.OutcomeOf(err).Kind != tokenapi.Misconfigured {
		t.Errorf("Refresh = %v, want it misconfigured, with its cause", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	_, err = k.Refresh(ended, nil)
	if !errors.Is(err, tokenapi.ErrUnavailable) || !errors.Is(err, context.Canceled) || tokenapi.OutcomeOf(err).Kind != tokenapi.NotSent {
		t.Errorf("Refresh with an ended context = %v, want it not sent", err)
	}
}

// A refused password is tried after 5 minutes, then after 10, another at once.
func TestKeeperPausesRefusedPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		password, tries := "wrong", 0
		k := (&asked{}).keeper(t, func(c *tokenapi.KeeperConfig) {
			c.Account.Password = func(context.Context) (tokenapi.Secret, error) { return tokenapi.NewSecret(password), nil }
			c.SignIn = func(_ context.Context, _, p string) (*oauth2.Token, error) {
				if tries++; p == "wrong" {
					return nil, &tokenapi.Error{Op: "sign in", Err: tokenapi.ErrBadCredentials, Sent: true}
				}
				return &oauth2.Token{}, nil
			}
		})
		began := time.Now()
		for _, want := range []time.Duration{0, 5 * time.Minute, 15 * time.Minute} {
			for before := tries; tries == before; <-time.After(time.Second) {
				_, err := k.Refresh(t.Context(), nil)
				paused, ok := errors.AsType[*tokenapi.PausedError](err)
				if tries != before && (ok || time.Since(began).Truncate(10*time.Second) != want) {
					t.Fatalf("try %d after %v, want it after %v", tries, time.Since(began), want)
				}
				if ok && (paused.RetryAfter > 10*time.Second || !strings.HasPrefix(paused.Error(), "test: ")) {
					t.Fatalf("Refresh = %v, want at most 10 s to wait", err)
				}
			}
		}
		password = "right"
		<-time.After(10 * time.Second)
		if _, err := k.Refresh(t.Context(), nil); err != nil {
			t.Errorf("Refresh with another password = %v, want a token", err)
		}
		if _, err := k.Refresh(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "try again in 10s") {
			t.Errorf("Refresh at once = %v, want a PausedError of 10 s", err)
		}
	})
}

func TestNewKeeper(t *testing.T) {
	_, err := tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System: "test", Account: tokenapi.Account{Pace: tokenapi.Pace{Interval: -1, Pause: 2 * time.Hour}}, MaxUses: -1,
	})
	want := `test: Keeper: Account.Login is missing
test: Keeper: Account.Password is missing
test: Keeper: Pace.Interval is negative
test: Keeper: Pace.Pause is more than 1h0m0s
test: Keeper: KeeperConfig.SignIn is missing
test: Keeper: KeeperConfig.MaxUses is negative`
	if err == nil || err.Error() != want {
		t.Errorf("NewKeeper = %v, want %s", err, want)
	}
	if field, ok := errors.AsType[*tokenapi.FieldError](err); !ok || field.Field != "Account.Login" {
		t.Errorf("first field = %v, want Account.Login", field)
	}
	_, err = tokenapi.NewKeeper(tokenapi.KeeperConfig{Account: tokenapi.Account{Pace: tokenapi.Pace{Pause: -1}}})
	for _, want := range []string{"tokenapi: Keeper: KeeperConfig.System is missing", "Pace.Pause is negative"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	k := (&asked{}).keeper(t, func(c *tokenapi.KeeperConfig) { c.MaxUses = 30 })
	if k.MaxUses() != 30 || fmt.Sprintf("%+v", k) != "tokenapi.Keeper(test)" {
		t.Errorf("got %d uses and %+v, want 30 and tokenapi.Keeper(test)", k.MaxUses(), k)
	}
}

func TestValidate(t *testing.T) {
	if err := (tokenapi.Account{Login: "me", Password: tokenapi.Fixed("pa55")}).Validate(); err != nil {
		t.Errorf("Validate() = %v, want nil", err)
	}
	field, ok := errors.AsType[*tokenapi.FieldError]((tokenapi.Account{Login: "me"}).Validate())
	if !ok || field.Field != "Account.Password" || !tokenapi.IsLoopback("::1") || tokenapi.IsLoopback("example.com") {
		t.Errorf("Validate() without a password = %v, want Account.Password", field)
	}
}

func ExampleKeeper() {
	keeper, err := tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System:  "an API of our own",
		Account: tokenapi.Account{Login: "worker", Password: tokenapi.Fixed("the account's password")},
		SignIn: func(context.Context, string, string) (*oauth2.Token, error) {
			return &oauth2.Token{AccessToken: "first"}, nil
		},
	})
	if err != nil {
		panic(err)
	}
	token, err := keeper.Refresh(context.Background(), keeper.FirstToken())
	fmt.Println(token.AccessToken, err)
	// Output: first <nil>
}
