package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

func TestTryAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.post("/try", "call", "account").is(401, "session has ended")
		b.signIn("trader", "spa").leadsTo("/account")
		b.get("/try").is(200, "/frontoffice/api/v3/account", "Your token has the scope FrontOffice", "Your token lacks the scope BackOffice")
		b.post("/try", "call", "account").is(200, "200 OK", "accepted the token", "25000.00")
		b.post("/try", "call", "users").is(200, "403 Forbidden", "does not allow this call")
		b.post("/try", "call", "no-such-call").is(400)
		for _, c := range []struct {
			fault identitytest.Fault
			words []string
		}{
			{identitytest.Fault{Status: 401}, []string{"401 Unauthorized", "does not accept the token"}},
			{identitytest.Fault{Status: 500, Body: []byte("boom")}, []string{"500 Internal Server Error", "a fault of its own"}},
			{identitytest.Fault{Status: 302}, []string{"302 Found", "not followed"}},
			{identitytest.Fault{LoseRequest: true}, []string{"No answer", "did not answer"}},
			{identitytest.Fault{DelayBefore: time.Hour}, []string{"No answer", "did not answer"}},
			{identitytest.Fault{Body: []byte("\xff\xfe"), ContentType: "image/png"}, []string{"2 bytes that are not text"}},
		} {
			s.identity.Inject(identitytest.EndpointFrontOffice, c.fault)
			b.post("/try", "call", "account").is(200, c.words...)
		}
	})
}

// req 96: an API that repeats the bearer, whole, in a JSON answer, or at the
// place where the answer is cut, does not get it to the browser.
func TestAPIThatEchoes(t *testing.T) {
	for name, shape := range map[string]func(token string) string{
		"whole":      func(token string) string { return token },
		"in JSON":    func(token string) string { return `{"authorization":"Bearer ` + token + `"}` },
		"at the cut": func(token string) string { return strings.Repeat("x", 64<<10-len(token)/2) + token },
		"past many":  func(token string) string { return strings.Repeat(token, 64<<10/len(token)+2) },
		"another":    func(token string) string { return "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9." },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var token string
				s := newSite(t, func(c *web.Config) {
					c.APITransport = transportFunc(func(r *http.Request) (*http.Response, error) {
						token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
						return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(shape(token)))}, nil
					})
				})
				b := s.browser()
				b.signIn("trader", "spa").leadsTo("/account")
				a := b.post("/try", "call", "account").is(200)
				if strings.Contains(a.body, "eyJhbGciOi") || len(token) < 100 {
					t.Error("a part of a token is on the page")
				}
			})
		})
	}
}

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

func TestMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var password, problem = "machine-password", error(nil)
		s := newSite(t, func(c *web.Config) {
			c.Machine[0].Password = func(context.Context) (identity.Secret, error) { return identity.NewSecret(password), problem }
		})
		trader := s.browser()
		trader.get("/machine").leadsTo("/sign-in?return_to=%2Fmachine")
		trader.signIn("trader", "spa_admin").leadsTo("/account")
		trader.get("/machine").is(403, "for administrators")
		trader.post("/machine", "client", "core_ib", "action", "sign-in").is(403)
		plain := s.browser()
		plain.signIn("admin", "spa").leadsTo("/account") // the role, but not the scope
		plain.get("/machine").is(403)
		if a := plain.get("/account"); strings.Contains(a.body, "/machine") {
			t.Error("the page is offered to someone it refuses")
		}

		b := s.browser()
		b.signIn("admin", "spa_admin").leadsTo("/account")
		b.get("/account").is(200, "Administrator", `href="/machine"`)
		b.get("/machine").is(200, "core_ib", "lk", "Not signed in")
		if n := s.identity.Grants("password"); n != 0 {
			t.Fatalf("%d password grants before anybody asked", n)
		}
		b.post("/machine", "client", "core_ib", "action", "sign-in").leadsTo("/machine")
		b.get("/machine").is(200, "core_ib is signed in.", "Signed in", "BackOffice")
		pass(31 * time.Second)
		b.post("/machine", "client", "core_ib", "action", "renew").leadsTo("/machine")
		b.get("/machine").is(200, "once")
		b.post("/machine", "client", "core_ib", "action", "sign-in").leadsTo("/machine") // the one before is signed out
		b.post("/machine", "client", "core_ib", "action", "sign-out").leadsTo("/machine")
		b.get("/machine").is(200, "core_ib is signed out.")
		if n := s.identity.Count(identitytest.EndpointSignOut); n != 2 {
			t.Errorf("%d remote sign-outs, want 2", n)
		}
		b.post("/machine", "client", "core_ib", "action", "renew").is(409, "not signed in any more")
		b.post("/machine", "client", "lk", "action", "sign-in").is(422, "does not accept this e-mail and password")
		b.post("/machine", "client", "spa", "action", "sign-in").is(400)
		b.post("/machine", "client", "core_ib", "action", "dance").is(400)
		password = "changed-meanwhile" // req 23: no restart
		b.post("/machine", "client", "core_ib", "action", "sign-in").is(422)
		problem = errors.New("the file is gone")
		b.post("/machine", "client", "core_ib", "action", "sign-in").is(500)
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
		b.get("/readyz").is(200, `"ready":true`, `"machine/lk":"ready"`)
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

// req 128
func TestConfigProblems(t *testing.T) {
	_, err := web.New(web.Config{
		Clients:        []*identity.Client{nil},
		Machine:        []web.MachineIdentity{{}},
		PublicURL:      "http://app.example/path",
		FrontOfficeURL: "ftp://api.example",
		BackOfficeURL:  "https://user:hidden@api.example",
		IdleTimeout:    time.Hour, AbsoluteTimeout: time.Minute,
		AttemptsPerAccount: -1,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"Clients[0] is nil", "Machine[0].Client", "Machine[0].Email", "Machine[0].Password", "PublicURL must be https",
		"FrontOfficeURL must be https", "BackOfficeURL must have neither user", "IdleTimeout is longer", "AttemptsPerAccount",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hidden") {
		t.Error("the error tells a password")
	}
	if _, err := web.New(web.Config{AbsoluteTimeout: 31 * 24 * time.Hour}); err == nil || !strings.Contains(err.Error(), "more than 30 days") { // req 64
		t.Errorf("a session longer than a refresh token gives %v", err)
	}
	if _, err := web.New(web.Config{MaxSessionsPerUser: -1}); err == nil || !strings.Contains(err.Error(), "MaxSessionsPerUser") {
		t.Errorf("a negative limit gives %v", err)
	}
	if _, err := web.New(web.Config{}); err == nil || !strings.Contains(err.Error(), "Clients is empty") || !strings.Contains(err.Error(), "PublicURL is empty") {
		t.Errorf("the zero Config gives %v", err)
	}
}
