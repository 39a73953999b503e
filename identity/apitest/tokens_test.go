package apitest_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

func TestTokensExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := apitest.NewTokens(nil, time.Minute)
		tokens.Add("old", "a")
		<-time.After(time.Minute - 1)
		if owner, ok := tokens.Owner("old"); owner != "a" || !ok {
			t.Errorf("got %q, %v", owner, ok)
		}
		tokens.Add("new", "b")
		<-time.After(1)
		for _, dead := range []string{"old", "unknown", ""} {
			if owner, ok := tokens.Owner(dead); owner != "" || ok {
				t.Errorf("%q is still %q's", dead, owner)
			}
			if owner, ok := tokens.Spend(dead); owner != "" || ok {
				t.Errorf("%q could be spent by %q", dead, owner)
			}
		}
		if owner, ok := tokens.Owner("new"); owner != "b" || !ok {
			t.Errorf("got %q, %v", owner, ok)
		}
		tokens.Clear()
		if _, ok := tokens.Owner("new"); ok {
			t.Error("it is not forgotten")
		}
	})
}

func TestForgetSparesOtherOwners(t *testing.T) {
	tokens := apitest.NewTokens(nil, time.Hour)
	for token, owner := range map[string]string{"a-1": "a", "a-2": "a", "b-1": "b"} {
		tokens.Add(token, owner)
	}
	tokens.Forget("a")
	tokens.Add("a-3", "a")
	for token, want := range map[string]bool{"a-1": false, "a-2": false, "b-1": true, "a-3": true} {
		if _, ok := tokens.Owner(token); ok != want {
			t.Errorf("%s is good: %v", token, ok)
		}
	}
}

func TestTokensAreSpentOnce(t *testing.T) {
	tokens := apitest.NewTokens(time.Now, time.Hour)
	tokens.Add("token", "owner")
	var (
		spent atomic.Int32
		all   sync.WaitGroup
	)
	for range 50 {
		all.Go(func() {
			if owner, ok := tokens.Spend("token"); ok && owner == "owner" {
				spent.Add(1)
			}
		})
	}
	all.Wait()
	if spent.Load() != 1 {
		t.Errorf("spent %d times", spent.Load())
	}
}

// A server keeps at most twice as many tokens as are valid, and sweeps seldom.
func TestTokensAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := apitest.NewTokens(nil, time.Minute)
		for range 10 {
			for range 1000 {
				tokens.Add(apitest.RandomHex(8), "owner")
			}
			<-time.After(time.Minute)
		}
		if n := tokens.Len(); n > 2048 {
			t.Errorf("%d tokens are remembered", n)
		}
	})
}
