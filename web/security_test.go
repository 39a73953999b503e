package web_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// req 88, 112
func TestCrossOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("admin", "spa_admin").leadsTo("/account")
		for name, header := range map[string]http.Header{
			"cross-site":     {"Sec-Fetch-Site": {"cross-site"}},
			"same-site":      {"Sec-Fetch-Site": {"same-site"}},
			"foreign origin": {"Origin": {"https://evil.example"}},
			"null origin":    {"Origin": {"null"}},
			"other scheme":   {"Origin": {"http://app.example.evil.example"}},
		} {
			forged := *b
			forged.header = header
			for _, path := range []string{
				"/sign-in", "/sign-in/second-factor", "/sign-out", "/sign-out/everywhere", "/try", "/office",
				"/sessions/end", "/sessions/end-others", "/admin/sessions", "/admin/sessions/end",
			} {
				if a := forged.post(path); a.status != http.StatusForbidden || !strings.Contains(a.body, "another site") {
					t.Errorf("%s: POST %s gives %d", name, path, a.status)
				}
			}
		}
		b.get("/session").is(200)
		own := *b
		own.header = http.Header{"Origin": {origin}}
		own.post("/try").is(200)
	})
}

// req 90: nothing changes by GET.
func TestMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		for _, path := range []string{"/sign-out", "/sign-out/everywhere", "/sessions/end", "/sessions/end-others", "/admin/sessions/end"} {
			if a := b.get(path).is(405, "does not work here"); a.header.Get("Allow") != "POST" {
				t.Errorf("Allow of %s: %q", path, a.header.Get("Allow"))
			}
		}
		if a := b.post("/account").is(405); a.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("Allow: %q", a.header.Get("Allow"))
		}
		b.get("/session").is(200)
		b.get("/nothing/here").is(404, "Page not found", `action="/sign-out"`) // req 120
		b.send(b.request(http.MethodHead, "/account", nil)).is(200)
	})
}

func TestAttemptsPerAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		wrong := func(email string) *answer {
			return b.post("/sign-in", "email", email, "password", "wrong-password", "client", "spa")
		}
		for range 4 {
			wrong("trader@example.com").is(422)
		}
		b.signIn("trader", "spa").leadsTo("/account") // gives the attempts back
		for range 5 {
			wrong("Trader@Example.com ").is(422)
		}
		a := wrong("trader@example.com").is(429, "Wait 12 s")
		a.keepsTheForm("trader@example.com", "12")
		if got := a.header.Get("Retry-After"); got != "12" {
			t.Errorf("Retry-After %q", got)
		}
		asked := s.identity.Count(identitytest.EndpointSignIn)
		b.signIn("trader", "spa").is(429) // the right password waits too
		if s.identity.Count(identitytest.EndpointSignIn) != asked {
			t.Error("the IdentityServer was asked all the same")
		}
		wrong("admin@example.com").is(422)
		pass(12 * time.Second)
		b.signIn("trader", "spa").leadsTo("/account")
	})
}

func TestAttemptsPerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) { c.AttemptsPerAddress = 3 })
		b := s.browser()
		try := func(i int, peer, claimed string) *answer {
			form := url.Values{"email": {fmt.Sprintf("user%d@example.com", i)}, "password": {"wrong-password"}, "client": {"spa"}}
			r := b.request(http.MethodPost, "/sign-in", strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("X-Forwarded-For", claimed)
			r.RemoteAddr = peer
			return b.send(r)
		}
		for i := range 3 {
			try(i, "203.0.113.7:1", fmt.Sprintf("198.51.100.%d", i)).is(422)
		}
		if a := try(4, "203.0.113.7:1", "198.51.100.9").is(429); a.header.Get("Retry-After") != "20" {
			t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
		}
		try(5, "203.0.113.8:1", "").is(422)
	})
}

func TestAttemptsBehindProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) {
			c.AttemptsPerAddress = 1
			c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} // httptest's own
		})
		for i := range 3 {
			b := s.browser()
			b.header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d:51008", i)) // field 16
			b.post("/sign-in", "email", fmt.Sprintf("user%d@example.com", i), "password", "wrong-password", "client", "spa").is(422)
			if want := fmt.Sprintf(`"address":"198.51.100.%d"`, i); !strings.Contains(s.log.String(), want) {
				t.Errorf("the log lacks %s", want)
			}
		}
	})
}

// req 123: nothing that a stranger chooses is in the log; browser and site
// helpers compare every answer and the whole log with every secret.
func TestLogOfWhatStrangersSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.header.Set("X-Request-Id", "chosen-by-a-stranger")
		b.post("/sign-in", "email", "my-secret-password", "password", "trader-password", "client", "spa").is(422)
		b.post("/sign-in/second-factor", "attempt", "x", "code", "246810")
		id := b.begun()
		b.code(id, "999999").is(422)
		b.signIn("admin", "spa_admin").leadsTo("/account")
		if got := b.get("/account?access_token=typed-into-the-address").is(200).header.Get("X-Request-Id"); len(got) != 16 {
			t.Errorf("X-Request-Id = %q, want one of the site's own", got)
		}
		pass(25 * time.Second)
		b.get("/account/token").is(200)
		synctest.Wait()
		b.post("/try").is(200)
		b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
		log := s.log.String()
		for _, unwanted := range []string{"my-secret-password", "typed-into-the-address", "chosen-by-a-stranger", "@example.com", id} {
			if strings.Contains(log, unwanted) {
				t.Errorf("the log contains %q", unwanted)
			}
		}
		if !strings.Contains(log, `"address":"192.0.2.1"`) || !strings.Contains(log, "4be0aa38-2c4e-4c0a-9a41-6a3f0bb0f0d2") {
			t.Error("the log lacks the user or the address")
		}
	})
}

// req 124: one request, one line, whatever is in it.
func TestLogInjection(t *testing.T) {
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				s := newSite(t, func(c *web.Config) { c.Logger = slog.New(handler(&log)) })
				b := s.browser()
				b.get("/a%0amsg=forged%0d%1b%5b31m%e2%80%a8").is(404)
				r := b.request(http.MethodGet, "/", nil)
				r.Header.Set("User-Agent", "a\nmsg=forged")
				r.Method = "GE\nmsg=forged"
				b.send(r)
				b.post("/sign-in", "email", "a\nmsg=forged", "password", "a\nmsg=forged", "client", "spa\nmsg=forged")
				forged := http.Header{"Origin": {"https://evil.example\nmsg=forged"}, "Sec-Fetch-Site": {"cross\nmsg=forged"}}
				b.header = forged
				b.post("/sign-out")
				for line := range strings.Lines(log.String()) {
					if strings.HasPrefix(line, "msg=forged") || !strings.HasPrefix(line, "time=") && !strings.HasPrefix(line, "{") {
						t.Errorf("a forged line: %q", line)
					}
				}
				if strings.ContainsAny(log.String(), "\x1b\r\u2028") {
					t.Error("a control character in the log")
				}
			})
		})
	}
}

// field 31
func TestHSTSOfSubDomains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) { c.HSTSIncludeSubDomains = true })
		for _, path := range []string{"/sign-in", "/session", "/nowhere"} {
			w := httptest.NewRecorder()
			s.web.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://app.example.com"+path, nil))
			if got := w.Header().Get("Strict-Transport-Security"); got != "max-age=63072000; includeSubDomains" {
				t.Errorf("GET %s: Strict-Transport-Security = %q, want two years with the subdomains", path, got)
			}
		}
	})
}

// req 69: without https there is neither __Host-, Secure nor HSTS, and it
// works on loopback only.
func TestLoopbackSite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) { c.PublicURL = "http://127.0.0.1:8080" })
		form := url.Values{"email": {"trader@example.com"}, "password": {"trader-password"}, "client": {"spa"}}
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8080/sign-in", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.web.ServeHTTP(w, r)
		cookie := w.Header().Get("Set-Cookie")
		if !strings.HasPrefix(cookie, "b2trader-session=") || strings.Contains(cookie, "Secure") || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") {
			t.Errorf("the cookie is %q", cookie)
		}
		if got := w.Header().Get("Strict-Transport-Security"); got != "" {
			t.Errorf("HSTS without https: %q", got)
		}
	})
}
