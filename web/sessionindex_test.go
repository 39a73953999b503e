package web_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/web"
)

// busy is a store in which another process always writes a user's record first.
type busy struct{ store.Store }

func (b busy) Put(ctx context.Context, r store.Record) (uint64, error) {
	if strings.HasPrefix(r.Key, "user:") {
		return 0, store.ErrConflict
	}
	return b.Store.Put(ctx, r)
}

// A sign-in succeeds although another process writes the same record of the user
// each time.
func TestManySignInsOfOneUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.Store = busy{c.Store} })
		s.browser().signIn("trader", "spa").leadsTo("/account")
	})
}
