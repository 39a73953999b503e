package web_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web"
)

// ids are those of the sessions on a sessions page, in its order.
func (a *answer) ids() []string {
	a.t.Helper()
	var ids []string
	for _, node := range a.doc().Find(`input[name="session"]`).EachIter() {
		id, _ := node.Attr("value")
		ids = append(ids, id)
	}
	return ids
}

// with is a browser that says what it is.
func (b *browser) with(userAgent string) *browser {
	b.header.Set("User-Agent", userAgent)
	return b
}

const (
	onLinux  = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	onIPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"
)

// req 82, 85
func TestSessionsPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.BackOffice.Users = web.AllUsers })
		elsewhere := s.replica()
		here, there, third, other := s.browser().with(onLinux), elsewhere.browser().with(onIPhone), s.browser().with("curl/8"), s.browser()
		here.get("/sessions").leadsTo("/sign-in?return_to=%2Fsessions")
		other.signIn("admin", "spa").leadsTo("/account")
		third.signIn("trader", "spa").leadsTo("/account")
		pass(time.Second)
		there.signIn("trader", "spa_admin").leadsTo("/account")
		pass(time.Second)
		here.signIn("trader", "spa").leadsTo("/account")
		synctest.Wait()
		page := here.get("/sessions").is(200, "Firefox on Linux", "Safari on iPhone", "curl/8", "192.0.2.1", "Back office", "This session")
		ids := page.ids()
		if len(ids) != 3 || page.doc().Find(".session").First().Find(".chip-good").Length() != 1 {
			t.Fatalf("%d sessions, or the newest is not this one", len(ids))
		}
		if strings.Contains(page.body, here.session()) {
			t.Error("the page tells the cookie")
		}
		// The session that asks comes first, also if it is the oldest. field 9
		oldest := third.get("/sessions").is(200, "just now").doc().Find(".session").First()
		if oldest.Find(".chip-good").Length() != 1 || !strings.Contains(oldest.Text(), "curl/8") {
			t.Errorf("the first session of the oldest one's page is %q, want curl/8", oldest.Text())
		}

		other.post("/sessions/end", "session", ids[1]).leadsTo("/sessions") // another user's
		there.get("/session").is(200)
		here.post("/sessions/end", "session", ids[1]).leadsTo("/sessions")
		synctest.Wait()
		there.get("/session").is(401) // req 77: in the other process, at once
		here.get("/sessions").is(200, "The session has ended.")
		here.post("/sessions/end", "session", ids[1]).leadsTo("/sessions")
		here.get("/sessions").is(200, templates.English.Notices.SessionEndedBefore)
		if n := s.identity.Count(identitytest.EndpointSignOut); n != 1 {
			t.Errorf("%d remote sign-outs, want one", n)
		}
		third.get("/session").is(200)
		here.post("/sessions/end-others").leadsTo("/sessions")
		third.get("/session").is(401)
		other.get("/session").is(200)
		if ids := here.get("/sessions").is(200).ids(); len(ids) != 1 {
			t.Errorf("%d sessions are left", len(ids))
		}
		here.post("/sessions/end", "session", ids[0]).leadsTo("/sign-in?done=signed-out")
		here.get("/session").is(401)
	})
}

// req 83
func TestAdminSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		elsewhere := s.replica()
		trader, again, admin := s.browser(), elsewhere.browser(), s.browser()
		trader.signIn("trader", "spa").leadsTo("/account")
		again.signIn("trader", "spa").leadsTo("/account")
		for _, path := range []string{"/admin/sessions", "/admin/sessions?subject=x"} {
			trader.get(path).is(403, "for administrators")
		}
		trader.post("/admin/sessions/end", "subject", "x").is(403)
		trader.post("/admin/sessions", "search", "admin@example.com").is(403)

		admin.signIn("admin", "spa_admin").leadsTo("/account")
		synctest.Wait()
		admin.get("/account").is(200, `href="/admin/sessions"`)
		admin.get("/admin/sessions").is(200, "trader@example.com", "admin@example.com")
		admin.post("/admin/sessions", "search", "nobody@example.com").is(422, "No recent sign-in matches nobody@example.com")
		admin.get("/admin/sessions?subject=nobody").is(404)
		admin.get("/admin/sessions?from=65").is(400)
		admin.get("/admin/sessions?from=64").is(200, templates.English.Users.None)
		admin.post("/admin/sessions/end", "subject", "nobody").is(400)
		to := admin.post("/admin/sessions", "search", " Trader@Example.com").header.Get("Location")
		if to != "/admin/sessions?subject=10e3bfcf-56f7-421d-84ea-1700209ae121" {
			t.Fatalf("the search leads to %q", to)
		}
		ids := admin.get(to).is(200, "trader@example.com").ids()
		if len(ids) != 2 {
			t.Fatalf("%d sessions", len(ids))
		}
		subject := strings.TrimPrefix(to, "/admin/sessions?subject=")
		admin.post("/admin/sessions/end", "subject", subject, "session", ids[0]).leadsTo(to)
		admin.get(to).is(200, "One session has ended.")
		admin.post("/admin/sessions/end", "subject", subject).leadsTo(to)
		synctest.Wait()
		trader.get("/session").is(401)
		again.get("/session").is(401)
		admin.get(to).is(200, templates.English.Sessions.None)
		if !strings.Contains(s.log.String(), `"msg":"administrator ends sessions"`) { // req 122
			t.Error("it is not logged")
		}
		if n := s.identity.Count(identitytest.EndpointSignOut); n != 2 {
			t.Errorf("%d remote sign-outs, want 2", n)
		}
	})
}

// req 84
func TestMaxSessionsPerUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.MaxSessionsPerUser = 2; c.AttemptsPerAccount = 10 })
		elsewhere := s.replica()
		first, second, third, other := s.browser(), elsewhere.browser(), s.browser(), s.browser()
		other.signIn("admin", "spa").leadsTo("/account")
		for _, b := range []*browser{first, second, third} {
			b.signIn("trader", "spa").leadsTo("/account")
			pass(time.Second)
		}
		first.get("/session").is(401)
		second.get("/session").is(200)
		third.get("/session").is(200)
		other.get("/session").is(200)
		third.get("/sessions").is(200, "2 of at most 2")
		third.signIn("trader", "spa").leadsTo("/account") // in place of its own, which counts until it has ended
		pass(time.Second)
		if ids := third.get("/sessions").ids(); len(ids) > 2 {
			t.Errorf("%d sessions", len(ids))
		}
	})
}

// req 77, 81: a session outlives its process and moves between processes; its end does, too.
func TestSessionsMoveBetweenProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		b := s.browser()
		b.signIn("admin", "spa_admin").leadsTo("/account")
		if err := s.web.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		one, two := s.replica(), s.replica()
		for range 5 { // req 47: with a renewal each time, too
			b.at(one).get("/account").is(200, "admin@example.com")
			b.at(two).get("/account").is(200, "admin@example.com")
			pass(31 * time.Second)
		}
		if n := s.identity.Grants("refresh_token"); n > 5 {
			t.Errorf("%d renewals", n)
		}
		cookie := b.session()
		b.at(one).post("/sign-out").leadsTo("/sign-in?done=signed-out")
		synctest.Wait()
		for _, p := range []*site{one, two} {
			old := p.browser()
			old.setSession(cookie)
			old.get("/session").is(401)
		}
	})
}

// What a sign-in with real tokens leaves in the store, by kind of record.
func TestRecordSizes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.Store = &outage{Store: c.Store} })
		s.browser().with(onIPhone).signIn("admin", "spa_admin").leadsTo("/account")
		sizes := map[string]int{}
		for _, r := range s.config.Store.(*outage).written() {
			kind, _, _ := strings.Cut(r.Key, ":")
			sizes[kind] = len(r.Key) + len(r.Owner) + len(r.Value)
		}
		t.Logf("bytes of key, owner and value: %v", sizes)
		for kind, most := range map[string]int{"session": 4 << 10, "token": 6 << 10, "link": 256, "user": 512, "mail": 384} {
			if sizes[kind] == 0 || sizes[kind] > most {
				t.Errorf("%s: %d bytes, want at most %d", kind, sizes[kind], most)
			}
		}
	})
}

// req 74: use in one process is use in all.
func TestIdleTimeoutBetweenProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		other := s.replica()
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		for range 4 {
			pass(10 * time.Minute)
			b.at(other).get("/account").is(200)
		}
		pass(10 * time.Minute)
		b.get("/account").is(200)
		pass(16 * time.Minute)
		b.at(other).get("/session").is(401)
		pass(2 * time.Minute)
		if n := s.identity.Count(identitytest.EndpointRevocation); n != 1 {
			t.Errorf("%d revocations, want 1", n)
		}
	})
}
