package e2e

import (
	"net/http"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// TestStandby ends the primary of PostgreSQL, whose name then leads to a
// standby. Sign-ins fail, and /readyz says so, until the standby is promoted. The
// session goes on then.
func TestStandby(t *testing.T) { // field 2
	t.Parallel()
	primary := servers.StartPostgres(t)
	standby := servers.StartStandby(t, primary)
	relay := servers.StartRelay(t, primary.Addr)
	f := newFleet(t, newSecrets(t), strings.Replace(primary.URL("postgres"), primary.Addr, relay.Addr, 1))
	b := f.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	ready := func(want int) {
		t.Helper()
		for _, d := range f.demos {
			until(t, "another answer of /readyz", func() bool { return b.at(d).fetch("/readyz").status == want })
		}
	}
	ready(http.StatusOK)
	written := primary.SQL(t, "postgres", "SELECT pg_current_wal_lsn()")
	storetest.Until(t, func() bool {
		return standby.SQL(t, "postgres", "SELECT pg_last_wal_replay_lsn() >= '"+written+"'") == "t"
	})
	relay.Lead(standby.Addr)
	primary.Kill()
	ready(http.StatusServiceUnavailable)
	standby.Promote(t)
	ready(http.StatusOK)
	f.wantAlive(b)
	f.browser().signIn(admin, "spa").want(http.StatusOK, "/account")
}
