package e2e

import (
	"net/http"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/store/storetest/servers"
)

// field 12: two processes whose clocks are an hour behind that of a real
// PostgreSQL sign in, renew once per token, and say that their clocks are off.
func TestReplicasWhoseClocksAreOff(t *testing.T) {
	t.Parallel()
	p := servers.StartPostgresAhead(t)
	store := p.URL(p.NewDatabase(t))
	refreshOnce(t, store, 0)
	f := newFleet(t, newSecrets(t), store)
	f.browser().signIn(trader, "spa").want(http.StatusOK, "/account")
	for n, d := range f.demos {
		var ready *page
		until(t, "200 of /readyz", func() bool { // 503 while a busy machine keeps the store's answer waiting
			ready = d.browser().fetch("/readyz")
			return ready.status == http.StatusOK
		})
		if !strings.Contains(ready.body, "behind the store") {
			t.Errorf("process %d: GET /readyz = %s, want that it names the clock", n, ready.body)
		}
		if !strings.Contains(d.log.String(), "clock differs from the store's") {
			t.Errorf("process %d: no warning of the clock in the log", n)
		}
	}
}
