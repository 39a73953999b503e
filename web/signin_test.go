package web_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web"
)

func TestSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.get("/").leadsTo("/sign-in")
		if page := b.get("/sign-in").is(200).body; strings.Contains(page, "127.0.0.1") { // field 7
			t.Errorf("the sign-in page names the IdentityServer's URL, want no text for developers: %s", page)
		}
		b.get("/account").leadsTo("/sign-in")
		b.get("/flow?x=1").leadsTo("/sign-in?return_to=%2Fflow%3Fx%3D1")
		page := b.get("/sign-in?return_to=/flow").is(200, "trader@example.com", "shown-on-purpose")
		if got, _ := page.doc().Find("input[name=return_to]").Attr("value"); got != "/flow" {
			t.Errorf("the form returns to %q", got)
		}
		if b.session() != "" { // req 15
			t.Error("a session before anybody signed in")
		}
		a := b.signIn("trader", "spa", "return_to", "/flow").leadsTo("/flow")
		cookie := a.header.Get("Set-Cookie")
		// req 65, 66, 67, 68: literals of RFC 6265bis.
		for _, want := range []string{"__Host-b2trader-session=", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict"} {
			if !strings.Contains(cookie, want) {
				t.Errorf("the cookie %q lacks %q", cookie, want)
			}
		}
		for _, unwanted := range []string{"Domain", "Expires", "Max-Age"} {
			if strings.Contains(cookie, unwanted) {
				t.Errorf("the cookie has %s", unwanted)
			}
		}
		if n := len(b.session()); n < 43 || len(cookie) > 4096 { // req 70, 71: 256 bits in base64url
			t.Errorf("the session id has %d characters, the cookie %d", n, len(cookie))
		}
		b.get("/flow").is(200, "/identity/sign-in", "/identity/connect/token", "[redacted]", "POST /sign-in")
		account := b.get("/account").is(200, "trader@example.com", "10e3bfcf-56f7-421d-84ea-1700209ae121", "FrontOffice")
		if account.doc().Find(".banner").Length() > 0 { // field 11
			t.Error("a banner repeats what the header says")
		}
		b.get("/").leadsTo("/account")
		b.get("/sign-in").is(200)
	})
}

// Nothing that a request brings, by its form, its query or its headers, becomes a
// parameter of the authorization request (req 9, 14).
func TestAuthorizationRequestIsOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		var extra []string
		for _, name := range []string{"prompt", "max_age", "acr_values", "login_hint", "scope", "redirect_uri", "request_uri"} {
			extra = append(extra, name, "smuggled")
		}
		b := s.browser()
		b.header.Set("X-Forwarded-Host", "smuggled.example")
		b.header.Set("Forwarded", "host=smuggled.example")
		b.get("/sign-in?prompt=smuggled&acr_values=smuggled").is(200)
		b.signIn("trader", "spa", extra...).leadsTo("/account")
		sent := s.identity.Requests(identitytest.EndpointAuthorize)
		if len(sent) != 1 {
			t.Fatalf("%d authorization requests", len(sent))
		}
		names := slices.Sorted(maps.Keys(sent[0].Query))
		want := []string{"client_id", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "response_type", "scope", "state"}
		if !slices.Equal(names, want) || strings.Contains(fmt.Sprint(sent[0].Query), "smuggled") {
			t.Errorf("sent are %v", sent[0].Query)
		}
	})
}

// req 72: the id a browser brings never becomes the id of what it signs in to.
func TestSessionFixation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		planted := strings.Repeat("A", 43)
		b.setSession(planted)
		b.signIn("guarded", "spa")
		pending := b.session()
		if pending == planted || pending == "" {
			t.Fatal("the planted id is used")
		}
		a := s.browser()
		a.signIn("trader", "spa").leadsTo("/account")
		first := a.session()
		a.signIn("trader", "spa").leadsTo("/account")
		if a.session() == first {
			t.Error("the id stays at a second sign-in")
		}
		second := a.session()
		a.signIn("guarded", "spa")
		if a.session() == second { // the password of another account was accepted
			t.Error("the id stays when a second factor is asked for")
		}
		a.get("/account").is(200, "trader@example.com")
		old := s.browser()
		old.setSession(first)
		old.get("/account").leadsTo("/sign-in?done=ended")
		if n := s.identity.Count(identitytest.EndpointSignOut); n != 1 {
			t.Errorf("%d sign-outs of the session that was replaced, want 1", n)
		}
	})
}

// A form needs to name a client only if there are several.
func TestSignInWithTheOnlyClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) { c.Clients = c.Clients[:1] })
		b := s.browser()
		b.post("/sign-in", "email", "trader@example.com", "password", "trader-password", "client", "spa-admin").is(400)
		b.post("/sign-in", "email", "trader@example.com", "password", "trader-password").leadsTo("/account")
	})
}

func TestSignInRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		wrong := b.post("/sign-in", "email", "trader@example.com", "password", "not-the-password", "client", "spa", "return_to", "/flow").is(422, templates.English.SignIn.Wrong)
		unknown := b.post("/sign-in", "email", "nobody@example.com", "password", "not-the-password", "client", "spa").is(422)
		if problem := func(a *answer) string { return a.doc().Find("#problem").Text() }; problem(wrong) != problem(unknown) {
			t.Error("a wrong password and an unknown account look different")
		}
		if got, _ := wrong.doc().Find("input[name=return_to]").Attr("value"); got != "/flow" {
			t.Errorf("the form forgot where to return to: %q", got)
		}
		if b.session() != "" {
			t.Error("a session without a sign-in")
		}
		b.post("/sign-in", "email", "", "password", "", "client", "spa").is(422, "Enter your e-mail")
		b.post("/sign-in", "email", "trader@example.com", "password", "some-password", "client", "core_ib").is(400)
		b.post("/sign-in", "email", "trader@example.com", "password", "some-password").is(400)
		b.post("/sign-in", "email", "trader@example.com", "password", strings.Repeat("p", 100<<10), "client", "spa").is(413)
		for _, evil := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "/%5cevil.example"} { // req 8
			b.signIn("trader", "spa", "return_to", evil).leadsTo("/account")
		}
		for _, form := range []string{"/sessions/end", "/sign-out", "/theme", "/admin/sessions/end?x=1", "/sign-out/everywhere"} {
			b.signIn("trader", "spa", "return_to", form).leadsTo("/account") // GET of it is 405
		}
		b.signIn("trader", "spa", "return_to", "/admin/sessions").leadsTo("/admin/sessions")
		if n := s.identity.Grants("password"); n != 0 { // req 22
			t.Errorf("%d password grants from a person's sign-in", n)
		}
	})
}

// Each failure of the IdentityServer says what to do next, and keeps its cause for the log.
func TestSignInFailures(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint identitytest.Endpoint
		fault    identitytest.Fault
		status   int
		words    string
		retry    string
	}{
		"down":              {identitytest.EndpointSignIn, identitytest.Fault{LoseRequest: true}, 503, "cannot be reached", "5"},
		"busy":              {identitytest.EndpointSignIn, identitytest.Fault{Status: 503, RetryAfter: "17"}, 503, "cannot be reached", "17"},
		"nonsense":          {identitytest.EndpointSignIn, identitytest.Fault{Body: []byte("<html>hello"), ContentType: "text/html"}, 502, "cannot be trusted", ""},
		"authorize refused": {identitytest.EndpointAuthorize, identitytest.Fault{ErrorCode: "access_denied"}, 403, "refused this sign-in", ""},
		"code refused":      {identitytest.EndpointToken, identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_grant"}`)}, 403, "refused this sign-in", ""},
		"misconfigured":     {identitytest.EndpointToken, identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_client"}`)}, 500, "not set up correctly", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.identity.Inject(c.endpoint, c.fault)
				b := s.browser()
				a := b.signIn("trader", "spa").is(c.status, c.words, namesRequest)
				if got := a.header.Get("Retry-After"); got != c.retry {
					t.Errorf("Retry-After %q, want %q", got, c.retry)
				}
				if id := a.header.Get("X-Request-Id"); len(id) != 16 || !strings.Contains(a.body, id) || !strings.Contains(s.log.String(), id) { // req 125
					t.Error("page and log do not share the request's id")
				}
				if b.session() != "" {
					t.Error("a session after a failure")
				}
				if c.status != 500 {
					a.keepsTheForm("trader@example.com", c.retry)
				}
				b.signIn("trader", "spa").leadsTo("/account") // it heals
			})
		})
	}
}

// keepsTheForm wants the sign-in form with the e-mail, an empty password that has
// the focus and is not called wrong, and the seconds to wait as a countdown.
func (a *answer) keepsTheForm(email, wait string) {
	a.t.Helper()
	doc := a.doc()
	if got := doc.Find(`#sign-in input[name="email"]`).AttrOr("value", ""); got != email {
		a.t.Errorf("e-mail on the form = %q, want %q", got, email)
	}
	password := doc.Find(`#sign-in input[name="password"][autofocus][aria-describedby="problem"]:not([aria-invalid]):not([value])`)
	if password.Length() != 1 || doc.Find(`#problem[role="alert"]`).Length() != 1 {
		a.t.Errorf("the form does not lead from the problem to the password: %s", a.text())
	}
	want := ""
	if wait != "" {
		want = wait + " s"
	}
	if got := doc.Find("[data-expires] [data-left]").Text(); got != want {
		a.t.Errorf("countdown = %q, want %q", got, want)
	}
}

// namesRequest is on every error page.
const namesRequest = "give this request ID"

func TestSecondFactor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) { c.BackOffice.Users = web.AllUsers })
		b := s.browser()
		first := b.signIn("guarded", "spa", "return_to", "/flow")
		second := b.signIn("guarded", "spa_admin") // req 11: a second tab
		if first.header.Get("Location") == second.header.Get("Location") {
			t.Fatal("two tabs share one attempt")
		}
		attempt := func(a *answer) string {
			id, _ := b.get(a.header.Get("Location")).is(200, "one-time").doc().Find("input[name=attempt]").Attr("value")
			return id
		}
		one, two := attempt(first), attempt(second)
		if one == two || len(one) < 26 {
			t.Fatalf("attempts %q and %q", one, two)
		}
		b.get("/account").leadsTo("/sign-in") // a password alone opens nothing
		stranger := s.browser()
		stranger.signIn("guarded", "spa")                                                                                 // with a sign-in of their own under way
		stranger.post("/sign-in/second-factor", "attempt", one, "code", "246810").is(403, "cannot be completed any more") // req 3, in spirit
		b.get("/sign-in/second-factor?attempt="+one).is(200, "code-shown-on-purpose")
		b.post("/sign-in/second-factor", "attempt", one, "code", "000000").is(422, "not accepted", "code-shown-on-purpose")
		pending := b.session()
		b.post("/sign-in/second-factor", "attempt", one, "code", " 246810 ").leadsTo("/flow")
		if b.session() == pending { // req 72
			t.Error("the id stays at step-up")
		}
		b.get("/flow").is(200, "POST /sign-in/second-factor", "POST /sign-in")
		b.get("/account").is(200, "guarded@example.com")
		b.post("/sign-in/second-factor", "attempt", one, "code", "246810").is(403) // once
		b.post("/sign-in/second-factor", "attempt", two, "code", "246810").leadsTo("/account")
		b.get("/account").is(200, "spa_admin")
	})
}

func TestSecondFactorBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, manyAttempts)
		b := s.browser()
		id := b.begun()
		for range 4 {
			b.code(id, "111111").is(422)
		}
		b.code(id, "111111").is(403, "Too many wrong codes")
		b.code(id, rightCode).is(403, "cannot be completed any more")

		oldest := b.begun() // req 11: at most five of one browser, the oldest goes
		ids := []string{b.begun(), b.begun(), b.begun(), b.begun(), b.begun()}
		b.get("/sign-in/second-factor?attempt=" + oldest).is(403)
		b.get("/sign-in/second-factor?attempt=" + ids[0]).is(200)
		pass(10*time.Minute - time.Second)
		b.get("/sign-in/second-factor?attempt=" + ids[4]).is(200)
		pass(time.Second)
		b.code(ids[4], rightCode).is(403)
	})
}

// An answer to the second factor that names no account is enough: what was
// typed stands in.
func TestSecondFactorWithoutAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		id := b.begun()
		s.identity.Inject(identitytest.EndpointSignIn, identitytest.Fault{Answer: func(fields map[string]any) { delete(fields, "account") }})
		b.code(id, rightCode).leadsTo("/account")
		b.get("/account").is(200, "guarded@example.com", "8f1d6a52-93a7-4d0f-b3f5-2e5c1c7a9e03")
	})
}

// A code that could not be judged leaves the form of the code, and a sign-in
// that fails after the code leads back to the sign-in form with the e-mail.
func TestFailuresKeepTheForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		id := b.begun()
		s.identity.Inject(identitytest.EndpointSignIn, identitytest.Fault{Status: 503, RetryAfter: "17"})
		doc := b.code(id, rightCode).is(503, "cannot be reached").doc()
		for selector, want := range map[string]int{
			`input[name="code"][autofocus]:not([aria-invalid])`: 1,
			`input[name="attempt"][value="` + id + `"]`:         1,
			`[data-expires] [data-left]`:                        1,
		} {
			if got := doc.Find(selector).Length(); got != want {
				t.Errorf("%d of %s, want %d", got, selector, want)
			}
		}
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{LoseRequest: true})
		b.code(id, rightCode).is(503).keepsTheForm("guarded@example.com", "5")
	})
}
