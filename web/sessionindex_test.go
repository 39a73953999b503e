package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
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

// field 30: the names in the store are keyed, and a rotation of the keys loses
// no user and no session.
func TestUsersAcrossARotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := vault.NewKey("first"), vault.NewKey("second")
		kept := &outage{Store: memstore.New()}
		s := newSite(t, func(c *web.Config) { c.Store, c.Keys = kept, []vault.Key{first} })
		before := s.browser()
		before.signIn("trader", "spa").leadsTo("/account")
		for _, r := range kept.written() {
			if strings.HasPrefix(r.Key, "session:") && r.Owner == "" {
				t.Error("a session has no owner")
			}
			for _, prefix := range []string{"session:", "token:", "user:", "group:"} {
				sum := sha256.Sum256([]byte("http://127.0.0.1/identity " + traderID))
				if hash := base64.RawURLEncoding.EncodeToString(sum[:]); r.Owner == prefix+hash || r.Key == prefix+hash {
					t.Errorf("the record %s of the owner %s is named by a hash that one guess confirms", r.Key, r.Owner)
				}
			}
		}
		s.config.Keys = []vault.Key{second, first}
		rotated := s.replica()
		after, admin := rotated.browser(), rotated.browser()
		after.signIn("trader", "spa").leadsTo("/account")
		admin.signIn("admin", "spa_admin").leadsTo("/account")
		if n := strings.Count(admin.get("/admin/sessions").is(200).text(), "trader@example.com"); n != 1 {
			t.Errorf("the administrator sees the user %d times, want once", n)
		}
		after.post("/sign-out/everywhere").leadsTo("/sign-in?done=signed-out-everywhere")
		before.at(rotated).get("/account").leadsTo("/sign-in?done=ended")
	})
}
