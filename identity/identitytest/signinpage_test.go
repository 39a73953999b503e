package identitytest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

// openSignIn sends the browser to authorize and returns the path and query of
// the sign-in page where it ends.
func (b *browser) openSignIn(params url.Values) string {
	b.t.Helper()
	page := b.authorize(params)
	wantEqual(b.t, "path without a session", page.Path, "/identity/account/login")
	return page.RequestURI()
}

// follow returns the code at the end of the redirects from got.
func (b *browser) follow(got response) string {
	b.t.Helper()
	wantEqual(b.t, "status of the last form", got.status, http.StatusFound)
	back, ok := strings.CutPrefix(got.header.Get("Location"), b.base)
	if !ok {
		b.t.Fatalf("the sign-in page leads to %s, want this server", got.header.Get("Location"))
	}
	callback, err := url.Parse(b.get(back).header.Get("Location"))
	if err != nil {
		b.t.Fatal(err)
	}
	wantEqual(b.t, "state", callback.Query().Get("state"), "state12345")
	return callback.Query().Get("code")
}

func wantText(t *testing.T, page response, status int, texts ...string) {
	t.Helper()
	wantEqual(t, "status of the page", page.status, status)
	for _, text := range texts {
		if !strings.Contains(page.body, text) {
			t.Errorf("the page lacks %q: %s", text, page.body)
		}
	}
}

func passwordForm(email, password string) url.Values {
	return url.Values{"email": {email}, "password": {password}}
}

// field 3
func TestSignInPage(t *testing.T) {
	b := start(t, identitytest.Config{SignInPage: true})
	page := b.openSignIn(with(b.authorizeParams("spa"), "login_hint", `"trader"@example.com`))
	wantText(t, b.get(page), http.StatusOK, `name="email"`, `name="password"`, `value="&#34;trader&#34;@example.com"`)
	wrong := b.postForm(page, passwordForm("trader@example.com", "wrong"))
	wantText(t, wrong, http.StatusBadRequest, `role="alert"`, `value="trader@example.com"`)
	code := b.follow(b.postForm(page, passwordForm("trader@example.com", "trader-password")))
	b.token(b.codeForm(code), basic("spa")...)

	// A fresh sign-in leads back to the same request, which then succeeds.
	for _, changed := range []url.Values{
		with(b.authorizeParams("spa"), "prompt", "login"), with(b.authorizeParams("spa"), "prompt", "select_account"),
	} {
		if b.follow(b.postForm(b.openSignIn(changed), passwordForm("trader@example.com", "trader-password"))) == "" {
			t.Errorf("no code after prompt=%s", changed.Get("prompt"))
		}
	}
	wantEqual(t, "error of prompt=none", b.another().authorize(with(b.authorizeParams("spa"), "prompt", "none")).Query().Get("error"), "login_required")
}

// field 3
func TestSignInPageSecondFactor(t *testing.T) {
	b := start(t, identitytest.Config{SignInPage: true})
	page := b.openSignIn(b.authorizeParams("spa"))
	wantText(t, b.postForm(page, passwordForm("guarded@example.com", "guarded-password")), http.StatusOK, `name="verificationCode"`, "Email")
	wantEqual(t, "path after the password alone", b.authorize(b.authorizeParams("spa")).Path, "/identity/account/login")
	wantText(t, b.postForm(page, url.Values{"verificationCode": {"111111"}}), http.StatusBadRequest, `role="alert"`, `name="verificationCode"`)
	right := url.Values{"verificationCode": {"246810"}}
	wantText(t, b.another().postForm(page, right), http.StatusBadRequest, `role="alert"`, `name="password"`)
	if b.follow(b.postForm(page, right)) == "" {
		t.Error("no code after the second factor")
	}
	wantText(t, b.postForm(page, right), http.StatusBadRequest, `name="password"`) // the code works once
}

// The sign-in page leads to this server's authorize endpoint only. field 3
func TestSignInPageRefusesOtherTargets(t *testing.T) {
	b := start(t, identitytest.Config{SignInPage: true})
	const callback = "/identity/connect/authorize/callback"
	for _, target := range []string{
		"", "/", "/identity/connect/authorize?a=b", "https://evil.example" + callback, "//evil.example" + callback, `/\evil.example` + callback,
		`\\evil.example`, b.base + callback, "javascript:alert(1)", callback + "/../../../", callback + "@evil.example", callback + "#a", callback + "?a=b\n",
		"/identity/connect/authorize%2Fcallback", "//user@" + callback, "identity/connect/authorize/callback",
	} {
		page := "/identity/account/login?returnUrl=" + url.QueryEscape(target)
		wantEqual(t, "status of a page with returnUrl "+target, b.get(page).status, http.StatusBadRequest)
		got := b.postForm(page, passwordForm("trader@example.com", "trader-password"))
		wantEqual(t, "status of a form with returnUrl "+target, got.status, http.StatusBadRequest)
		wantEqual(t, "cookies of a form with returnUrl "+target, len(got.header["Set-Cookie"]), 0)
	}
	got := b.postForm("/identity/account/login?returnUrl="+url.QueryEscape(callback+"?a=b%0d%0ac: d"), passwordForm("trader@example.com", "trader-password"))
	wantEqual(t, "target", got.header.Get("Location"), b.base+callback+"?a=b%0D%0Ac%3A%20d")
}

// A page of another origin cannot sign its own user in. field 3
func TestSignInPageRefusesOtherOrigins(t *testing.T) {
	b := start(t, identitytest.Config{SignInPage: true, Clients: []identitytest.Client{{
		ID: "app", Scopes: []string{"openid"}, GrantTypes: []string{identitytest.GrantAuthorizationCode}, AllowedCORSOrigins: []string{"https://app.example"},
	}}})
	for want, headers := range map[int][][]string{
		http.StatusForbidden: {
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://app.example"}, {"Origin", "null"},
		},
		http.StatusFound: {{"Sec-Fetch-Site", "same-origin"}, {"Origin", b.base}, nil},
	} {
		for _, header := range headers {
			c := b.another()
			page := "/identity/account/login?returnUrl=%2Fidentity%2Fconnect%2Fauthorize%2Fcallback"
			got := c.postForm(page, passwordForm("trader@example.com", "trader-password"), header...)
			wantEqual(t, "status of a form with "+strings.Join(header, ": "), got.status, want)
			wantEqual(t, "session after a form with "+strings.Join(header, ": "), len(got.header["Set-Cookie"]) > 0, want == http.StatusFound)
			wantEqual(t, "Access-Control-Allow-Origin", got.header.Get("Access-Control-Allow-Origin"), "")
		}
	}
}

func TestSignInPageIsOffByDefault(t *testing.T) {
	b := start(t, identitytest.Config{})
	wantEqual(t, "path without a session", b.authorize(b.authorizeParams("spa")).Path, "/identity/unauthorized")
	wantEqual(t, "status", b.get("/identity/account/login?returnUrl=%2Fidentity%2Fconnect%2Fauthorize%2Fcallback").status, http.StatusNotFound)
}
