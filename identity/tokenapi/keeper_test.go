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

func (a *asked) signIn(_ context.Context, s tokenapi.Secret) (*oauth2.Token, error) {
	a.steps = append(a.steps, "sign in with "+s.Reveal())
	return &oauth2.Token{AccessToken: "new"}, nil
}

func (a *asked) refresh(_ context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	a.steps = append(a.steps, "refresh "+old.RefreshToken)
	return &oauth2.Token{AccessToken: "newer"}, a.refused
}

func (a *asked) keeper(t *testing.T, change func(*tokenapi.KeeperConfig)) *tokenapi.Keeper {
	t.Helper()
	config := tokenapi.KeeperConfig{Name: "test", Secret: tokenapi.Fixed("pa55"), SignIn: a.signIn, Refresh: a.refresh}
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

// A refresh token that has expired is not worth a request; one that may be good is.
func TestKeeperChooses(t *testing.T) {
	for name, c := range map[string]struct {
		old     func() *oauth2.Token
		change  func(*tokenapi.KeeperConfig)
		refused error
		want    []string
	}{
		"no token yet":           {func() *oauth2.Token { return (*tokenapi.Keeper)(nil).FirstToken() }, nil, nil, []string{"sign in with pa55"}},
		"a refresh token":        {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, nil, nil, []string{"refresh old"}},
		"one that lives":         {func() *oauth2.Token { return expiring(time.Now().Add(time.Second)) }, nil, nil, []string{"refresh old"}},
		"one that has expired":   {func() *oauth2.Token { return expiring(time.Now()) }, nil, nil, []string{"sign in with pa55"}},
		"one that is refused":    {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, nil, tokenapi.ErrGrantRefused, []string{"refresh old", "sign in with pa55"}},
		"an unusable answer":     {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, nil, &tokenapi.Error{Err: tokenapi.ErrUnusableAnswer, StatusCode: 200}, []string{"refresh old", "sign in with pa55"}},
		"an unusable refusal":    {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, nil, &tokenapi.Error{Err: tokenapi.ErrUnusableAnswer, StatusCode: 418}, []string{"refresh old"}},
		"the server is away":     {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, nil, tokenapi.ErrUnavailable, []string{"refresh old"}},
		"no refresh in this API": {func() *oauth2.Token { return &oauth2.Token{RefreshToken: "old"} }, func(c *tokenapi.KeeperConfig) { c.Refresh = nil }, nil, []string{"sign in with pa55"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &asked{refused: c.refused}
			_, err := a.keeper(t, c.change).Refresh(t.Context(), c.old())
			if !slices.Equal(a.steps, c.want) {
				t.Errorf("%s: got %q, want %q", name, a.steps, c.want)
			}
			if errors.Is(c.refused, tokenapi.ErrUnavailable) != errors.Is(err, tokenapi.ErrUnavailable) {
				t.Errorf("%s: got %v", name, err)
			}
		})
	}
}

// A Keeper does not give its account up, whatever its parts say.
func TestKeeperNeverGivesUp(t *testing.T) {
	refusal := &tokenapi.Error{System: "test", Op: "sign in", Err: tokenapi.ErrNotSignedIn}
	for name, change := range map[string]func(*tokenapi.KeeperConfig){
		"the sign-in": func(c *tokenapi.KeeperConfig) {
			c.SignIn = func(context.Context, tokenapi.Secret) (*oauth2.Token, error) { return nil, refusal }
		},
		"the secret": func(c *tokenapi.KeeperConfig) {
			c.Secret = func() (tokenapi.Secret, error) { return tokenapi.Secret{}, refusal }
		},
		"no secret": func(c *tokenapi.KeeperConfig) { c.Secret = tokenapi.Fixed("") },
		"no token at all": func(c *tokenapi.KeeperConfig) {
			c.SignIn = func(context.Context, tokenapi.Secret) (*oauth2.Token, error) { return nil, nil }
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := (&asked{}).keeper(t, change)
			for range 2 { // the second may be a pause
				token, err := k.Refresh(t.Context(), k.FirstToken())
				var refused interface{ GrantRefused() bool }
				if token != nil || err == nil || errors.As(err, &refused) && refused.GrantRefused() {
					t.Errorf("%s: got %v, %v", name, token, err)
				}
			}
		})
	}
}

func TestNewKeeper(t *testing.T) {
	_, err := tokenapi.NewKeeper(tokenapi.KeeperConfig{MaxUses: -1, Pause: 2 * time.Hour})
	for _, want := range []string{"Name", "Secret", "SignIn", "negative", "more than 1h"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	k := (&asked{}).keeper(t, func(c *tokenapi.KeeperConfig) { c.MaxUses = 30 })
	if k.MaxUses() != 30 || fmt.Sprintf("%+v", k) != "tokenapi.Keeper(test)" {
		t.Errorf("got %d uses, %+v", k.MaxUses(), k)
	}
}

func ExampleKeeper() {
	keeper, err := tokenapi.NewKeeper(tokenapi.KeeperConfig{
		Name:   "an API of our own",
		Secret: tokenapi.Fixed("the account's password"),
		SignIn: func(context.Context, tokenapi.Secret) (*oauth2.Token, error) {
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
