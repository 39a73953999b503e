package web_test

import (
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

const officeCall = "/api/backoffice/v1/users"

// field 21: the client with the scope BackOffice, and the BackOffice API, are for
// administrators. A refused sign-in leaves no token and no session.
func TestBackOfficeIsForAdministrators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		b := s.browser()
		b.signIn("trader", "spa_admin").is(403, "Only administrators")
		if b.session() != "" {
			t.Error("the browser has a session, want none")
		}
		pass(time.Second)
		if n := s.identity.Count(identitytest.EndpointSignOut); n != 1 {
			t.Errorf("sign-outs at the IdentityServer = %d, want 1", n)
		}
		b.signIn("trader", "spa").leadsTo("/account")
		b.call(officeCall).is(403)
		b.call("/api/frontoffice/v3/account").is(200)
		b.signIn("trader", "spa_admin").is(403) // the session stays as it was
		b.get("/session").is(200, `"client":"spa"`)
		admin := s.browser()
		admin.signIn("admin", "spa").leadsTo("/account")
		admin.call(officeCall).is(403)
		admin.signIn("admin", "spa_admin").leadsTo("/account")
		admin.call(officeCall).is(200)
	})
}

// field 21: an option opens the client and the API, and another closes an API.
func TestUsersOfAnAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) {
			c.BackOffice.Users, c.FrontOffice.Users = web.AllUsers, web.AdministratorsOnly
		})
		b := s.browser()
		b.signIn("trader", "spa_admin").leadsTo("/account")
		b.call(officeCall).is(200)
		b.call("/api/frontoffice/v3/account").is(403)
	})
}

// A call that the API refuses is repeated only if the renewed token may call it.
func TestRoleIsReadBeforeARepetition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &refuser{}
		s := newSite(t, func(c *web.Config) { c.APITransport = handlerTransport(f.serve) })
		b := s.browser()
		b.signIn("admin", "spa_admin").leadsTo("/account")
		s.identity.SetRole("admin@example.com", "")
		pass(10 * time.Second) // the token is not young any more, nor due
		b.call(officeCall).is(403)
		if len(f.tokens) != 1 {
			t.Errorf("the API got %d calls, want 1", len(f.tokens))
		}
	})
}

// field 22: a role that is taken away at the IdentityServer is gone with the next
// renewal: on pages, in API calls, in open streams and for pages of the host, at
// each replica. A renewal without an ID token changes nothing.
func TestRoleIsReadFromEachRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, quietly)
		other := s.replica()
		b := s.browser()
		b.signIn("admin", "spa_admin").leadsTo("/account")
		streams := []<-chan time.Time{b.stream("/api/backoffice/prices"), b.at(other).stream("/api/backoffice/prices")}
		pass(time.Second)

		s.identity.SetRole("admin@example.com", "")
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{
			Grant: "refresh_token", Answer: func(fields map[string]any) { delete(fields, "id_token") },
		})
		pass(31 * time.Second)
		b.call(officeCall).is(200) // renewed without an ID token
		b.get("/admin/sessions").is(200)

		pass(31 * time.Second)
		renewed := time.Now()
		b.call(officeCall).is(403)
		for i, over := range streams {
			if took := (<-over).Sub(renewed); took > time.Second {
				t.Errorf("stream %d ended %v after the renewal, want at most a second", i, took)
			}
		}
		for _, at := range []*browser{b, b.at(other)} {
			at.call(officeCall).is(403)
			at.get("/admin/sessions").is(403)
			at.get("/office").is(403)
			at.get("/session").is(200, `"administrator":false`)
			if a := at.get("/flow").is(200); a.doc().Find(`nav a[href="/office"]`).Length() != 0 {
				t.Error("the navigation offers the page of administrators")
			}
		}

		s.identity.SetRole("admin@example.com", "Admin") // and back
		pass(31 * time.Second)
		b.call("/api/frontoffice/v3/account").is(200)
		b.get("/admin/sessions").is(200)
		b.at(other).call(officeCall).is(200)
	})
}
