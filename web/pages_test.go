package web_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// A redirect of an API would take the bearer along, so it is not followed.
func TestAPIThatRedirects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		s := newSite(t, func(c *web.Config) {
			c.APITransport = transportFunc(func(*http.Request) (*http.Response, error) {
				calls++
				header := http.Header{"Location": {"http://127.0.0.1/elsewhere"}}
				return &http.Response{StatusCode: http.StatusFound, Header: header, Body: http.NoBody}, nil
			})
		})
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		b.post("/try", "call", "account").is(200, "302 Found")
		if calls != 1 {
			t.Errorf("%d requests", calls)
		}
	})
}

// req 127
func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		s.identity.Inject(identitytest.EndpointDiscovery, identitytest.Fault{DelayBefore: time.Hour, Times: -1})
		b.get("/healthz").is(200, "ok")
		started := time.Now()
		if a := b.get("/readyz").is(503, `"ready":false`, `"spa":"unavailable"`); a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		if took := time.Since(started); took > 3*time.Second {
			t.Errorf("readiness took %v", took)
		}
		asked := s.identity.Count(identitytest.EndpointDiscovery)
		s.identity.ClearFaults()
		b.get("/readyz").is(503) // the answer is kept for some seconds
		if n := s.identity.Count(identitytest.EndpointDiscovery); n != asked {
			t.Errorf("asked again at once: %d, then %d", asked, n)
		}
		pass(5 * time.Second)
		b.get("/readyz").is(200, `"ready":true`, `"spa_admin":"ready"`)
	})
}

func TestStatic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		doc := b.get("/sign-in").is(200).doc()
		for _, node := range doc.Find("link[rel=stylesheet], script[src]").EachIter() {
			path, ok := node.Attr("href")
			if !ok {
				path, _ = node.Attr("src")
			}
			a := b.get(path).is(200)
			if cache := a.header.Get("Cache-Control"); !strings.Contains(cache, "immutable") {
				t.Errorf("Cache-Control of %s: %q", path, cache)
			}
			if a.header.Get("Set-Cookie") != "" || a.header.Get("Vary") == "Cookie" {
				t.Errorf("%s depends on the session", path)
			}
		}
		b.get("/static/nothing.js").is(404)
	})
}

// Asking after the session is no use of it, and staying signed in is. The
// sign-in page says why it is shown.
func TestStaySignedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		page := b.get("/account").is(200).doc()
		if page.Find(`[data-session="/session"][hidden] [data-stay]`).Length() != 1 {
			t.Error("the account page has no warning for app.js to show")
		}
		pass(10 * time.Minute)
		b.get("/session").is(200, `"now":"`)
		b.send(b.request(http.MethodPost, "/session", nil)).is(200, `"idle_end":"`)
		pass(10 * time.Minute)
		b.get("/session").is(200)
		pass(10 * time.Minute)
		b.get("/session").is(401)
		for query, words := range map[string]string{
			"done=idle": "inactive", "done=ended": "has ended", "return_to=%2Fsessions": "open this page",
		} {
			b.get("/sign-in?"+query).is(200, words)
		}
	})
}

// field 38: the claims are read from the newest ID token, which the vault has. A
// session does not keep them.
func TestClaimsAreOfTheNewestIDToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t).browser()
		b.signIn("trader", "spa").leadsTo("/account")
		for range 2 {
			want := time.Now().UTC().Format("2006-01-02 15:04:05 UTC")
			if got := b.get("/account").is(200).doc().Find(".claims").Text(); !strings.Contains(got, "issued at"+want) {
				t.Errorf("claims = %q, want one that is issued at %s", got, want)
			}
			pass(time.Minute) // the next page needs a new token
		}
	})
}

// Without JavaScript, too, the sign-in page says that the session has ended. It
// says so only to browsers that had a session.
func TestSignInPageSaysThatTheSessionEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		for path, wants := range map[string][2]string{
			"/account":  {"/sign-in", "/sign-in?done=ended"},
			"/sessions": {"/sign-in?return_to=%2Fsessions", "/sign-in?done=ended&return_to=%2Fsessions"},
		} {
			b := s.browser()
			b.get(path).leadsTo(wants[0])
			b.signIn("trader", "spa").leadsTo("/account")
			pass(16 * time.Minute)
			b.get(path).leadsTo(wants[1])
			b.get(wants[1]).is(200, "Your session has ended")
			b.signIn("trader", "spa").leadsTo("/account")
			b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
			b.get(path).leadsTo(wants[0])
			b.signIn("guarded", "spa") // waits for its code
			b.get(path).leadsTo(wants[0])
		}
	})
}
