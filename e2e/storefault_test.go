package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
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

// TestFullStore ends sessions while the store's memory is full: by each of the
// ways that a user has, and by the IdentityServer. Others go on, also beyond the
// end of their tokens. field 33
func TestFullStore(t *testing.T) {
	t.Parallel()
	db := servers.StartRedis(t)
	f := newFleet(t, newSecrets(t), db.URL(0))
	var all, old []*browser
	for i, email := range []string{trader, trader, trader, admin, admin, machine} {
		b := f.browser().at(f.demos[i%2])
		b.signIn(email, "spa").want(http.StatusOK, "/account")
		all, old = append(all, b), append(old, b.clone())
	}
	pressed := func(b *browser, path, action, button string) request { return b.open(path).filled(action, button) }
	presses := []request{
		pressed(all[0], "/account", "/sign-out", "Sign out"),
		pressed(all[1], "/sessions", "/sessions/end-others", "End all others"),
		pressed(all[3], "/sessions", "/sign-out/everywhere", "Sign out everywhere"),
	}
	expired := f.expired()
	db.MustDo(t, "CONFIG", "SET", "maxmemory-policy", "noeviction")
	db.MustDo(t, "CONFIG", "SET", "maxmemory", "1")
	f.wantAlive(all[1])
	f.wantAlive(expired)
	f.wantGrants("refresh_token", 1)
	for i, b := range []*browser{all[0], all[1], all[3]} {
		if p := b.send(presses[i]); p.status != http.StatusSeeOther {
			t.Errorf("POST %s at a full store = %d, want 303", presses[i].url.Path, p.status)
		}
	}
	order := f.server.SignLogoutToken(identitytest.LogoutToken{Issuer: f.server.URL() + "/identity", Client: "spa", Subject: users()[3].ID})
	p := all[5].send(request{method: http.MethodPost, url: all[5].resolve(all[5].base, "/backchannel-logout"), form: url.Values{"logout_token": {order}}})
	if p.status != http.StatusOK {
		t.Errorf("POST /backchannel-logout at a full store = %d %s, want 200", p.status, p.body)
	}
	for i, b := range old {
		if i != 1 {
			f.wantEnded(b)
		}
	}
	f.wantAlive(all[1])
}
