package web_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// req 122: every sign-in, failure, sign-out and revocation is in the log, with who, when and from where.
func TestEveryEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		everyEvent(s)
		synctest.Wait()
		logged := map[string]map[string]any{}
		for line := range strings.Lines(s.log.String()) {
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatal(err)
			}
			if name, _ := fields["msg"].(string); logged[name] == nil || fields["error"] != nil {
				logged[name] = fields
			}
		}
		background := []string{"token renewal", "session timed out", "tokens revoked"} // also without a request
		seen := 0
		for event, attributes := range web.Events() {
			fields := logged[event]
			if fields == nil {
				continue // other tests cause it
			}
			seen++
			if !slices.Contains(background, event) {
				attributes = append(attributes, "request", "address")
			}
			for _, name := range append(attributes, "time") {
				if fields[name] == nil || fields[name] == "" {
					t.Errorf("%q is logged without %s: %v", event, name, fields)
				}
			}
		}
		if seen < 16 {
			t.Errorf("%d events of the table were logged, want 16 or more", seen)
		}
	})
}

// everyEvent makes everything happen that the log tells of.
func everyEvent(s *site) {
	b := s.browser()
	b.post("/sign-in", "email", "trader@example.com", "password", "wrong-password", "client", "spa").is(422)
	b.signIn("trader", "spa").leadsTo("/account")
	b.header.Set("Sec-Fetch-Site", "cross-site")
	b.header.Set("Origin", "https://evil.example")
	b.post("/sign-out").is(403)
	b.header.Set("Sec-Fetch-Site", "same-origin")
	b.header.Del("Origin")
	b.post("/sign-out")
	b.signIn("trader", "spa").leadsTo("/account")
	s.lockOut("trader@example.com")
	pass(31 * time.Second)
	b.get("/account")

	guarded := s.browser()
	id := guarded.begun()
	guarded.code(id, "000000").is(422)
	guarded.code(id, rightCode).leadsTo("/account")
	s.identity.Inject(identitytest.EndpointSignOut, identitytest.Fault{Status: 500})
	guarded.post("/sign-out")

	admin := s.browser()
	admin.signIn("admin", "spa_admin").leadsTo("/account")
	pass(31 * time.Second) // so that the sign-out needs a renewal
	s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 500})
	admin.post("/sign-out/everywhere")
	admin.signIn("admin", "spa_admin").leadsTo("/account")
	pass(17 * time.Minute) // idle

	for range 6 {
		b.post("/sign-in", "email", "nobody@example.com", "password", "wrong-password", "client", "spa")
	}
}

// The package's doc has the table of events as the code has it.
func TestEventsAreDocumented(t *testing.T) {
	if !strings.Contains(readFile(t, "doc.go"), web.EventsDoc()) {
		t.Errorf("doc.go lacks this table:\n%s", web.EventsDoc())
	}
}
