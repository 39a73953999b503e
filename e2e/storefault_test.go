package e2e

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// TestSignInDuringAStoreFault signs in while the store hangs, and while its
// cluster is down. Both are answered 503, and sign-ins work again afterwards.
func TestSignInDuringAStoreFault(t *testing.T) { // field 43, 65
	t.Parallel()
	t.Run("Hangs", func(t *testing.T) {
		t.Parallel()
		db := startRedis(t)
		signInDuring(t, db.part(), func() { db.process.Signal(t, syscall.SIGSTOP) }, func() { db.process.Signal(t, syscall.SIGCONT) })
	})
	t.Run("ClusterDown", func(t *testing.T) {
		t.Parallel()
		cluster := servers.StartRedisCluster(t)
		signInDuring(t, cluster.URL, func() {
			cluster.FailAfter(t, 2*time.Second)
			cluster.Nodes[1].Kill()
			storetest.Until(t, func() bool {
				return strings.Contains(cluster.Nodes[0].MustDo(t, "CLUSTER", "INFO"), "cluster_state:fail")
			})
		}, func() { cluster.Nodes[1].Start(t) })
	})
}

func signInDuring(t *testing.T, store string, fail, heal func()) {
	t.Helper()
	f := newFleet(t, newSecrets(t), store)
	b := f.browser()
	form := b.open("/sign-in").filled("/sign-in", "Sign in", "email", trader, "password", passwords[trader], "client", "spa")
	fail()
	b.send(form).wantUnavailable()
	heal()
	until(t, "a sign-in", func() bool { return b.send(form).status == http.StatusSeeOther })
	f.wantAlive(b)
}
