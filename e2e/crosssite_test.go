package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

// req 88: a form on another site does nothing here, even if the browser sends
// the cookie, and whichever of the two headers tells.
func TestForeignOriginPost(t *testing.T) {
	t.Parallel()
	for name, forge := range map[string]func(r *request){
		"another site":      func(r *request) { r.site, r.origin = "cross-site", "https://evil.example" },
		"a sister site":     func(r *request) { r.site, r.origin = "same-site", "https://sister.example" },
		"no Fetch Metadata": func(r *request) { r.site, r.origin = "", "https://evil.example" },
		"a null origin":     func(r *request) { r.site, r.origin = "", "null" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{})
			b := w.browser()
			signIn := b.open("/sign-in").filled("/sign-in", "Sign in", "email", trader, "password", passwords[trader], "client", "spa")
			forge(&signIn)
			b.navigate(signIn).want(http.StatusForbidden, "/sign-in", "came from another site")
			w.wantCount(identitytest.EndpointSignIn, 0)

			account := b.signIn(admin, "spa_admin").want(http.StatusOK, "/account")
			for _, form := range []request{
				account.filled("/sign-out", "Sign out"),
				account.filled("/sign-out/everywhere", "Sign out everywhere"),
				account.follow("Try an API").filled("/try", "account"),
				account.follow("Machine-to-machine").filled("/machine", "Sign in", "client", "lk"),
			} {
				forge(&form)
				b.navigate(form).want(http.StatusForbidden, form.url.Path, "Nothing was done")
			}
			w.wantCount(identitytest.EndpointSignOut, 0)
			w.wantCount(identitytest.EndpointFrontOffice, 0)
			w.wantGrants("password", 0)
			b.open("/account").want(http.StatusOK, "/account", "Ada Admin")
		})
	}
}

// A script of another origin may read nothing: no answer allows it. req 91
func TestNoCORS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	for _, path := range []string{"/session", "/account/token", "/account"} {
		preflight := request{method: http.MethodOptions, url: b.resolve(b.base, path), site: "cross-site", origin: "https://evil.example",
			header: http.Header{"Access-Control-Request-Method": {"GET"}}}
		if p := b.send(preflight); p.status/100 == 2 {
			t.Errorf("%s: the preflight is granted with %d", path, p.status)
		}
		read := b.fetching(path)
		read.site, read.origin = "cross-site", "https://evil.example"
		b.send(read) // checkAnswer looks for Access-Control-Allow-Origin
	}
}

// A link on another site leads to the page, signed in, although the first
// request comes without the cookie. req 68
func TestArrivalFromAnotherSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	b.arrive("/flow").want(http.StatusOK, "/flow")
	b.arrive("/").want(http.StatusOK, "/account")
	b.open("/account").want(http.StatusOK, "/account") // still signed in
	stranger := w.browser()
	p := stranger.arrive("/try")
	p.want(http.StatusOK, "/sign-in").signIn(trader, "spa").want(http.StatusOK, "/try")
}

// req 15: a prefetch or an image of another site starts no session.
func TestNoSessionByGet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	query := url.Values{"email": {trader}, "password": {"not so secret here"}, "client": {"spa"}}.Encode()
	for _, dest := range []string{"image", "document", "empty"} {
		p := b.send(request{method: http.MethodGet, url: b.resolve(b.base, "/sign-in?"+query), site: "cross-site",
			header: http.Header{"Sec-Fetch-Dest": {dest}, "Sec-Purpose": {"prefetch"}, "Sec-Fetch-Mode": {"no-cors"}}})
		if p.header.Get("Set-Cookie") != "" {
			t.Error("a GET set a cookie")
		}
	}
	w.wantCount(identitytest.EndpointSignIn, 0)
	if strings.Contains(w.log.String(), "not so secret") { // req 123
		t.Error("the log holds what was in the query")
	}
}
