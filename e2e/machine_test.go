package e2e

import (
	"net/http"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// req 22, 23: an administrator signs machines in, renews and signs out, by their own client only.
func TestMachine(t *testing.T) {
	t.Parallel()
	for client, scopes := range map[string]string{"core_ib": "openid BackOffice offline_access", "lk": "openid FrontOffice offline_access"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{})
			b := w.browser()
			p := b.signIn(admin, "spa_admin").follow("Machine-to-machine").want(http.StatusOK, "/machine", "core_ib", "lk", machine)
			p = p.submit("/machine", "Sign in", "client", client).
				want(http.StatusOK, "/machine", client+" is signed in.", scopes, "Renewed not yet")
			w.wantGrants("password", 1)
			w.clock.advance(life)
			p = p.submit("/machine", "Renew", "client", client).want(http.StatusOK, "/machine", "is live", "Renewed once")
			w.wantGrants("refresh_token", 1)
			p.submit("/machine", "sign-out", "client", client).want(http.StatusOK, "/machine", client+" is signed out.", "Not signed in")
			for _, r := range w.provider.Requests(identitytest.EndpointToken) {
				if id, secret, ok := (&http.Request{Header: r.Header}).BasicAuth(); r.Form.Get("grant_type") != "authorization_code" && (!ok || id != client || secret != client+"-secret") {
					t.Errorf("a token request of client %q", id)
				}
			}
			if requests := w.provider.Requests(identitytest.EndpointSignOut); len(requests) != 1 || requests[0].Status != http.StatusOK {
				t.Errorf("%d sign-outs at the server", len(requests))
			}
		})
	}
}

// A trader is refused, by page and by form; so is an administrator's account
// under a client without the scope, and nobody is asked for a password.
func TestMachineIsForAdministrators(t *testing.T) {
	t.Parallel()
	for _, who := range []struct{ email, client string }{{trader, "spa"}, {trader, "spa_admin"}, {admin, "spa"}} {
		t.Run(who.email+" by "+who.client, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{})
			form := adminsForm(w)
			b := w.browser()
			account := b.signIn(who.email, who.client)
			if account.doc().Find(`a[href="/machine"]`).Length() != 0 {
				t.Error("the navigation offers the page")
			}
			b.open("/machine").want(http.StatusForbidden, "/machine", "for administrators").follow("To your account").want(http.StatusOK, "/account")
			b.navigate(form).want(http.StatusForbidden, "/machine", "for administrators")
			w.wantGrants("password", 0)
		})
	}
	t.Run("nobody", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, setup{})
		form := adminsForm(w)
		b := w.browser()
		b.open("/machine").want(http.StatusOK, "/sign-in")
		b.navigate(form).want(http.StatusUnauthorized, "/machine")
		w.wantGrants("password", 0)
	})
}

// adminsForm is the sign-in of a machine, as an administrator's page sends it.
func adminsForm(w *world) request {
	w.t.Helper()
	return w.browser().signIn(admin, "spa_admin").follow("Machine-to-machine").filled("/machine", "Sign in", "client", "core_ib")
}

// What goes wrong with a machine is said beside it, and the page stays.
func TestMachineFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	p := b.signIn(admin, "spa_admin").follow("Machine-to-machine")
	w.provider.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_grant","error_description":"invalid_username_or_password"}`)})
	p = p.submit("/machine", "Sign in", "client", "lk").
		want(http.StatusUnprocessableEntity, "/machine", "does not accept this e-mail and password")
	w.provider.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 500})
	p = p.submit("/machine", "Sign in", "client", "lk").want(http.StatusServiceUnavailable, "/machine", "cannot be reached")
	p = p.submit("/machine", "Sign in", "client", "lk").want(http.StatusOK, "/machine", "lk is signed in.")
	w.provider.RevokeTokens(machine)
	w.clock.advance(life)
	p = p.submit("/machine", "Renew", "client", "lk").want(http.StatusConflict, "/machine", "Sign in again")
	b.open("/account").want(http.StatusOK, "/account") // the administrator's own session is another matter
	w.clock.advance(time.Second)
	p.submit("/machine", "Sign in", "client", "lk").want(http.StatusOK, "/machine", "lk is signed in.")
}
