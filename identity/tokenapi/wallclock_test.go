package tokenapi

import (
	"context"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// field 11: the times of all clients have no monotonic reading, which stands
// still while a machine sleeps.
func TestTimesAreOfTheWallClock(t *testing.T) {
	for name, h := range map[string]HTTP{"the default": {}, "a configured clock": {Now: time.Now}} {
		if now := h.WithDefaults().Now(); now != now.Round(0) { // == compares the monotonic reading, too
			t.Errorf("%s: Now = %v, want no monotonic reading", name, now)
		}
	}
	keeper, err := NewKeeper(KeeperConfig{
		System: "test", Account: Account{Login: "l", Password: func(context.Context) (Secret, error) { return Secret{}, nil }}, Now: time.Now,
		SignIn: func(context.Context, string, string) (*oauth2.Token, error) { return nil, nil }, //nolint:nilnil // not called
	})
	if err != nil {
		t.Fatal(err)
	}
	if now := keeper.config.Now(); now != now.Round(0) {
		t.Errorf("a Keeper: Now = %v, want no monotonic reading", now)
	}
}
