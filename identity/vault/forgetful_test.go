package vault_test

import (
	"crypto/sha256"
	"encoding/base64"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
)

// A restored record has a lower version than the one that it was restored from.
// A process that knew that one follows it all the same.
func TestRestoredRecordReplacesTheNewerOne(t *testing.T) { // field 20
	inCluster(t, 2, func(c *cluster, p *process) {
		other := c.processes[1]
		p.signIn("k")
		sum := sha256.Sum256([]byte("k"))
		key := "token:" + base64.RawURLEncoding.EncodeToString(sum[:])
		early, err := c.disk.Get(c.Context(), key)
		if err != nil {
			c.Fatal(err)
		}
		for range 3 {
			pass(31 * time.Second)
			p.token("k")
		}
		other.token("k")

		older := memstore.New()
		early.Version = 0
		if _, err := older.Put(c.Context(), early); err != nil {
			c.Fatal(err)
		}
		for _, each := range c.processes {
			each.link.setDeaf(true)
			each.link.Store = older
			each.link.resume()
		}
		p.token("k") // restores the record
		other.token("k")
		pass(31 * time.Second)
		renewed := p.token("k")
		now, err := older.Get(c.Context(), key)
		if err != nil {
			c.Fatal(err)
		}
		other.link.notices <- store.Event{Kind: store.Changed, Key: key, Version: now.Version}
		synctest.Wait()
		reads := other.link.reads
		if got := other.token("k"); !same(got, renewed) {
			c.Error("Token of the other process returns an older token, want the renewed one")
		}
		if n := other.link.reads - reads; n > 2 {
			c.Errorf("reads for the token = %d, want at most 2", n)
		}
		idToken, err := p.vault.IDToken(c.Context(), "k")
		if err != nil || idToken.IsZero() {
			c.Errorf("IDToken = %v, %v, want one", idToken, err)
		}
		c.wantRefreshes(4)
	})
}
