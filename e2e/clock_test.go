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
		ready := d.browser().fetch("/readyz")
		if ready.status != http.StatusOK || !strings.Contains(ready.body, "behind the store") {
			t.Errorf("process %d: GET /readyz = %d %s, want 200 that names the clock", n, ready.status, ready.body)
		}
		if !strings.Contains(d.log.String(), "clock differs from the store's") {
			t.Errorf("process %d: no warning of the clock in the log", n)
		}
	}
}
