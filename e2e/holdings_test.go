package e2e

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

// newOffice is a fleet whose processes offer all five systems, and a machine.
func newOffice(t *testing.T, store string) *fleet {
	t.Helper()
	file, _ := startFour(t, &guard{})
	return newFleet(t, store, "-spa-admin-secret-file", secretFile(t, "spa_admin-secret"), "-core-ib-secret-file", secretFile(t, "core_ib-secret"),
		"-machine-email", machine, "-machine-password-file", secretFile(t, passwords[machine]), "-platforms-file", file)
}

// desk waits until a process says of a system whether it is signed in: it is told in a moment.
func (f *fleet) desk(b *browser, d *demo, s system, signedIn bool) desk {
	f.t.Helper()
	var at desk
	until(f.t, "what the process says of "+s.name, func() bool {
		at = desk{b.at(d).open("/platforms"), s}
		return strings.Contains(at.text(at.card("")), "Not signed in") != signedIn
	})
	return at.signedIn(signedIn)
}

// The accounts that sign in without a person are signed in by all processes or by none, whichever is asked, also after all were restarted.
func TestReplicasShareHoldings(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, start func(testing.TB) *database) {
		f := newOffice(t, start(t).part())
		b := f.browser()
		b.signIn(admin, "spa_admin").want(http.StatusOK, "/account")
		for _, s := range systems() {
			f.desk(b, f.demos[0], s, false).press("sign-in").says("Signed in to " + s.name + ".")
			f.desk(b, f.demos[1], s, true).press("use").says("200 OK", s.answer, "Renewed not yet")
		}
		for n := range f.demos {
			f.demos[n].stop()
		}
		for n := range f.demos {
			f.restart(n)
		}
		for _, s := range systems() {
			f.desk(b, f.demos[0], s, true).press("use").says("200 OK", s.answer)
			f.desk(b, f.demos[1], s, true).press("sign-out").says("Signed out of " + s.name + ".")
			f.desk(b, f.demos[0], s, false)
		}
		f.wantGrants("password", 1)
	})
}

// Of two sign-ins at once, at two processes, one is kept and the other one ends.
func TestReplicasSignInAtOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, start func(testing.TB) *database) {
		f := newOffice(t, start(t).part())
		b := f.browser()
		b.signIn(admin, "spa_admin").want(http.StatusOK, "/account")
		var forms []request
		for _, d := range f.demos {
			forms = append(forms, b.at(d).open("/machine").filled("/machine", "Sign in", "client", "core_ib"))
		}
		var all sync.WaitGroup
		for _, form := range forms {
			all.Go(func() {
				if p, err := b.try(form); err != nil || p.status != http.StatusSeeOther {
					t.Errorf("a sign-in failed: %v", err)
				}
			})
		}
		all.Wait()
		f.wantGrants("password", 2)
		f.wantCount(identitytest.EndpointSignOut, 1)
		for _, d := range f.demos {
			until(t, "the sign-in at each", func() bool { return b.at(d).open("/machine").doc().Find("button[value=renew]").Length() == 1 })
			b.at(d).open("/machine").submit("/machine", "Renew", "client", "core_ib").want(http.StatusOK, "/machine", "is live", "Signed in")
		}
	})
}
