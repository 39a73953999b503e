package web_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

const traderID = "10e3bfcf-56f7-421d-84ea-1700209ae121"

// sids are those of the ID tokens that were issued, in no order.
func (s *site) sids() []string {
	s.t.Helper()
	var sids []string
	for name, raw := range s.seen.all() {
		if name != "id_token" {
			continue
		}
		var claims struct {
			SID string `json:"sid"`
		}
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
		if err != nil || json.Unmarshal(payload, &claims) != nil || claims.SID == "" {
			s.t.Fatalf("no sid: %v", err)
		}
		sids = append(sids, claims.SID)
	}
	return sids
}

func (s *site) order(sid, subject string) identitytest.LogoutToken {
	return identitytest.LogoutToken{Issuer: "http://127.0.0.1/identity", Client: "spa", SessionID: sid, Subject: subject}
}

// sendLogout posts a logout token as an IdentityServer does: no cookie, no Origin. req 118
func (s *site) sendLogout(raw string) *answer {
	s.t.Helper()
	r, err := identitytest.LogoutRequest(s.t.Context(), "/backchannel-logout", raw)
	if err != nil {
		s.t.Fatal(err)
	}
	r.RemoteAddr = "198.51.100.1:443"
	stranger := s.browser()
	return stranger.send(r)
}

// req 113, 117: sid ends the one session, on every replica.
func TestBackChannelLogoutOfOneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		other := s.replica()
		here := s.browser()
		here.signIn("trader", "spa").leadsTo("/account")
		sid := s.sids()[0]
		there := other.browser()
		there.signIn("trader", "spa").leadsTo("/account")

		s.sendLogout(s.identity.SignLogoutToken(s.order(sid, "another-subject"))).is(200) // not that user's
		here.get("/session").is(200)
		a := other.sendLogout(s.identity.SignLogoutToken(s.order(sid, ""))).is(200)
		if a.header.Get("Cache-Control") != "no-store" || a.body != "" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%v %q", a.header, a.body)
		}
		synctest.Wait()
		here.get("/session").is(401)
		there.get("/session").is(200)
		s.sendLogout(s.identity.SignLogoutToken(s.order("no-such-session", traderID))).is(200) // nothing to end is no fault
		there.get("/session").is(200)
	})
}

// A session that waits for a second factor of another user is found by sid under
// its new ID.
func TestBackChannelLogoutDuringAStepUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		sid := s.sids()[0]
		if a := b.signIn("guarded", "spa"); !strings.HasPrefix(a.header.Get("Location"), "/sign-in/second-factor") {
			t.Fatalf("sign-in of guarded leads to %q, want the second factor", a.header.Get("Location"))
		}
		b.get("/session").is(200)
		s.sendLogout(s.identity.SignLogoutToken(s.order(sid, ""))).is(200)
		synctest.Wait()
		b.get("/session").is(401)
	})
}

// req 117, 86: sub alone ends all of the user's.
func TestBackChannelLogoutOfUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		other := s.replica()
		here, there, admin := s.browser(), other.browser(), s.browser()
		here.signIn("trader", "spa").leadsTo("/account")
		there.signIn("trader", "spa").leadsTo("/account")
		admin.signIn("admin", "spa_admin").leadsTo("/account")
		started := time.Now()
		s.identity.Inject(identitytest.EndpointSignOut, identitytest.Fault{DelayBefore: 20 * time.Second, Times: -1})
		s.sendLogout(s.identity.SignLogoutToken(s.order("", traderID))).is(200)
		if took := time.Since(started); took != 0 {
			t.Errorf("the IdentityServer waits %v for the answer", took)
		}
		synctest.Wait()
		here.get("/session").is(401)
		there.get("/session").is(401)
		admin.get("/session").is(200)
		s.identity.ClearFaults()
		pass(time.Minute)
	})
}

// req 113, 114, 115: what is not in order ends nothing.
func TestBackChannelLogoutRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		var sent []string
		for _, fault := range []identitytest.LogoutTokenFault{
			identitytest.LogoutAlgNone, identitytest.LogoutWrongAudience, identitytest.LogoutNoEvent, identitytest.LogoutExpired, identitytest.LogoutNoID,
		} { // package identity has all of them
			order := s.order("", traderID)
			order.Fault = fault
			sent = append(sent, s.identity.SignLogoutToken(order))
		}
		for name, raw := range s.seen.all() {
			if name == "id_token" || name == "access_token" {
				sent = append(sent, raw)
			}
		}
		for _, raw := range append(sent, "", "a.b.c", "garbage") {
			a := s.sendLogout(raw).is(400, "invalid_request")
			if a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("Cache-Control %q", a.header.Get("Cache-Control"))
			}
		}
		b.get("/session").is(200)
		b.get("/backchannel-logout").is(404)
		if strings.Contains(s.log.String(), sent[1]) {
			t.Error("a logout token is in the log")
		}
	})
}

// req 116: a token works once, whichever replica gets it.
func TestBackChannelLogoutReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		other := s.replica()
		order := s.identity.SignLogoutToken(s.order("", traderID))
		s.sendLogout(order).is(200)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account") // after the logout
		other.sendLogout(order).is(400)
		s.sendLogout(order).is(400)
		b.get("/session").is(200)
		pass(4 * time.Minute)
		other.sendLogout(order).is(400) // forgotten, and too old
		b.get("/session").is(200)
	})
}

// req 118, field 18: an address that posts garbage is slowed down. Other
// addresses are not, and neither is a valid token of the same address.
func TestBackChannelLogoutLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		for range 600 {
			s.sendLogout("garbage").is(400)
		}
		if a := s.sendLogout("garbage").is(429); a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		victim := s.browser()
		victim.signIn("trader", "spa").leadsTo("/account")
		s.sendLogout(s.identity.SignLogoutToken(s.order("", traderID))).is(200) // field 18: of the same address
		victim.get("/session").is(401)
		b := s.browser() // of another address, and with an Origin that no form of ours may have
		b.header = http.Header{"Origin": {"https://identity.example"}}
		b.post("/backchannel-logout", "logout_token", s.identity.SignLogoutToken(s.order("", traderID))).is(200)
		pass(time.Minute)
		for range 601 { // good ones are not counted
			s.sendLogout(s.identity.SignLogoutToken(s.order("", "nobody"))).is(200)
		}
	})
}

// field 62: a verified token that meets an outage of the store is kept. The
// sessions have ended at this replica at once, with their streams, and
// everywhere when the store is back.
func TestBackChannelLogoutWithoutStore(t *testing.T) {
	for name, of := range map[string]func(s *site) identitytest.LogoutToken{
		"user": func(s *site) identitytest.LogoutToken { return s.order("", traderID) },
		"sid":  func(s *site) identitytest.LogoutToken { return s.order(s.sids()[0], "") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, shared, quietly, func(c *web.Config) { c.Store = &outage{Store: c.Store} })
				store := s.config.Store.(*outage)
				other := s.replica()
				b := s.browser()
				b.signIn("trader", "spa").leadsTo("/account")
				b.at(other).get("/session").is(200)
				stream := b.stream(prices)
				pass(time.Second)
				order := s.identity.SignLogoutToken(of(s))
				store.down.Store(true)
				if a := s.sendLogout(order).is(503, "temporarily_unavailable"); a.header.Get("Retry-After") == "" {
					t.Error("Retry-After = none, want a time")
				}
				<-stream
				b.get("/session").is(401)
				if b.session() == "" {
					t.Error("the cookie is gone, want it to stay")
				}
				b.at(other).get("/session").is(200) // it cannot know
				s.sendLogout(order).is(503)         // repeated, and kept once
				pass(5 * time.Minute)               // longer than the token is valid
				b.get("/session").is(401)
				store.down.Store(false)
				pass(2 * time.Second)
				b.at(other).get("/session").is(401)
				b.get("/session").is(401)
				if n := strings.Count(s.log.String(), `"tokens revoked"`); n != 1 {
					t.Errorf("the tokens of %d sessions are revoked, want 1", n)
				}
				b.signIn("trader", "spa").leadsTo("/account") // the order was for the sessions before
				pass(time.Minute)
				b.get("/session").is(200)
				b.at(other).get("/session").is(200)
			})
		})
	}
}

// A sid ends no other session of the user, also while the store fails.
func TestBackChannelLogoutOfOneSessionWithoutStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.Store = &outage{Store: c.Store} })
		here, there := s.browser(), s.browser()
		here.signIn("trader", "spa").leadsTo("/account")
		order := s.order(s.sids()[0], "")
		there.signIn("trader", "spa").leadsTo("/account")
		s.config.Store.(*outage).down.Store(true)
		s.sendLogout(s.identity.SignLogoutToken(order)).is(503)
		here.get("/session").is(401)
		there.get("/session").is(200)
	})
}

// field 7, 62: a token that cannot be verified now is answered so that the sender
// repeats it. It is not kept.
func TestBackChannelLogoutWithoutKeys(t *testing.T) {
	page := identitytest.Fault{Status: 200, ContentType: "text/html", Body: []byte("<html>"), Times: -1}
	for name, fault := range map[string]identitytest.Fault{
		"503": {Status: 503, Times: -1}, "404": {Status: 404, Times: -1}, "a redirect": {Status: 302, Times: -1},
		"a page": page, "too long": {Oversized: true, Times: -1}, "another document": {Status: 200, Body: []byte("{}"), Times: -1},
	} {
		for _, endpoint := range []identitytest.Endpoint{identitytest.EndpointKeys, identitytest.EndpointDiscovery} {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.identity.Inject(endpoint, fault)
				order := s.identity.SignLogoutToken(s.order("", traderID))
				if a := s.sendLogout(order); a.status != 503 || !strings.Contains(a.body, "temporarily_unavailable") || a.header.Get("Retry-After") == "" {
					t.Errorf("%s of %s: %d %s, want 503 with Retry-After", name, endpoint, a.status, a.body)
				}
				s.identity.ClearFaults()
				pass(time.Minute)
				s.sendLogout(order).is(200)
			})
		}
	}
}

// field 62: the number of kept tokens is bounded, and a process that stops says
// what it gives up.
func TestKeptLogoutsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.Store = &outage{Store: c.Store} })
		s.sendLogout(s.identity.SignLogoutToken(s.order("", "nobody"))).is(200) // it has the keys
		s.config.Store.(*outage).down.Store(true)
		for i := range 1001 {
			s.sendLogout(s.identity.SignLogoutToken(s.order("", fmt.Sprint("user-", i)))).is(503)
		}
		if err := s.web.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n := strings.Count(s.log.String(), `"back-channel logout given up"`); n != 1000 {
			t.Errorf("given up %d tokens, want the 1000 that were kept", n)
		}
	})
}

// An order that fails after its first write is carried out: all sessions have
// ended, and what could be deleted is. field 59
func TestBackChannelLogoutHalfway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.Store = &outage{Store: c.Store} })
		older, newer := s.browser(), s.browser()
		older.signIn("trader", "spa").leadsTo("/account")
		pass(time.Second)
		newer.signIn("trader", "spa").leadsTo("/account")
		order := s.identity.SignLogoutToken(s.order("", traderID))
		s.config.Store.(*outage).lose.Store(2)
		s.sendLogout(order).is(200)
		synctest.Wait()
		newer.get("/session").is(401)
		older.get("/session").is(401)
		if n := strings.Count(s.log.String(), `"tokens revoked"`); n == 0 {
			t.Error("no tokens are revoked, want those that were deleted")
		}
		s.sendLogout(order).is(400, "invalid_request")
	})
}

// siteTransport passes requests to a site that is made after it.
type siteTransport struct{ site *site }

func (s *siteTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r.RequestURI, r.RemoteAddr = r.URL.RequestURI(), "198.51.100.1:443"
	w := httptest.NewRecorder()
	s.site.web.ServeHTTP(w, r)
	return w.Result(), nil
}

// The IdentityServer itself sends the logout token when its session ends: the
// session of the site ends, and that of another sign-in goes on.
// field 3
func TestBackChannelLogoutSentByTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clients, toSite := identitytest.SampleClients(), &siteTransport{}
		clients[0].BackChannelLogoutURI = origin + "/backchannel-logout"
		s := newSiteBehind(t, identitytest.Config{Clients: clients, BackChannelTransport: toSite})
		toSite.site = s
		here, there := s.browser(), s.browser()
		here.signIn("trader", "spa").leadsTo("/account")
		cookies := s.identity.Requests(identitytest.EndpointAuthorize)[0].Header.Get("Cookie")
		there.signIn("trader", "spa").leadsTo("/account")

		target := "http://127.0.0.1/identity/connect/endsession"
		for target != "" {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Cookie", cookies)
			got, err := s.identity.Transport().RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = got.Body.Close()
			target = got.Header.Get("Location")
		}
		if problem := s.identity.Requests(identitytest.EndpointPage)[0].Problem; problem != "" {
			t.Errorf("the page of the sign-out notes %q, want nothing", problem)
		}
		synctest.Wait()
		here.get("/session").is(401)
		there.get("/session").is(200)
	})
}
