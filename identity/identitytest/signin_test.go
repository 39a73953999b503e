package identitytest_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

const (
	signInPath    = "/identity/sign-in"
	signInRefused = `{"errors":[{"code":"SignInUnsuccessful","message":"The sign-in was unsuccessful"}]}`
)

func TestSignIn(t *testing.T) {
	b := start(t, identitytest.Config{})
	got := b.postJSON(signInPath, `{"email":"Trader@Example.com","password":"trader-password"}`)
	wantEqual(t, "status", got.status, http.StatusOK)
	wantEqual(t, "body", got.body, `{"secondFactorRequired":false,"account":{"nickname":"trader","email":"trader@example.com","id":"10e3bfcf-56f7-421d-84ea-1700209ae121"}}`)
	cookies := got.header["Set-Cookie"]
	if len(cookies) != 2 {
		t.Fatalf("%d cookies, want 2", len(cookies))
	}
	for i, want := range []string{
		`^idsrv=[\w-]{64,}; path=/identity; samesite=lax; httponly$`,
		`^idsrv\.session=[0-9a-f]{32}; path=/identity$`,
	} {
		if !regexp.MustCompile(want).MatchString(cookies[i]) {
			t.Errorf("cookie %d is %q, want %s", i, cookies[i], want)
		}
	}
}

func TestSignInRefused(t *testing.T) {
	users := identitytest.SampleUsers()
	users[1].Disabled = true
	b := start(t, identitytest.Config{Users: users, SignInFailureStatus: http.StatusUnauthorized})
	for name, body := range map[string]string{
		"wrong password": `{"email":"trader@example.com","password":"wrong"}`,
		"unknown user":   `{"email":"nobody@example.com","password":"trader-password"}`,
		"no password":    `{"email":"trader@example.com"}`,
		"nothing":        `{}`,
		"disabled user":  `{"email":"admin@example.com","password":"admin-password"}`,
		"code unasked":   `{"verificationCode":"246810","provider":"Email"}`,
	} {
		got := b.postJSON(signInPath, body)
		wantEqual(t, name+": status", got.status, http.StatusUnauthorized)
		wantEqual(t, name+": body", got.body, signInRefused)
		wantEqual(t, name+": cookies", len(got.header["Set-Cookie"]), 0)
	}
}

func TestSignInTakesJSONPostsOnly(t *testing.T) {
	b := start(t, identitytest.Config{})
	wantEqual(t, "status of GET", b.get(signInPath).status, http.StatusMethodNotAllowed)
	wantEqual(t, "status of a form", b.postForm(signInPath, nil).status, http.StatusUnsupportedMediaType)
	wantEqual(t, "status of bad JSON", b.postJSON(signInPath, `{`).status, http.StatusBadRequest)
}

func TestSecondFactor(t *testing.T) {
	b := start(t, identitytest.Config{})
	got := b.postJSON(signInPath, `{"email":"guarded@example.com","password":"guarded-password"}`)
	wantEqual(t, "status", got.status, http.StatusOK)
	wantEqual(t, "body", got.body, `{"secondFactorRequired":true,"message":"For your security, we have emailed you a one-time authentication code. Please enter this code below to proceed.","provider":"Email"}`)
	wantEqual(t, "path after the password alone", b.authorize(b.authorizeParams("spa")).Path, "/identity/unauthorized")

	for name, body := range map[string]string{
		"wrong code":     `{"verificationCode":"111111","provider":"Email"}`,
		"wrong provider": `{"verificationCode":"246810","provider":"Authenticator"}`,
	} {
		got := b.postJSON(signInPath, body)
		wantEqual(t, name+": status", got.status, http.StatusBadRequest)
		wantEqual(t, name+": body", got.body, signInRefused)
	}
	const right = `{"verificationCode":"246810","provider":"Email"}`
	wantEqual(t, "status without the cookie", b.another().postJSON(signInPath, right).status, http.StatusBadRequest)

	target, _ := url.Parse(b.base + "/identity")
	pending := b.http.Jar.Cookies(target)
	got = b.postJSON(signInPath, right)
	wantEqual(t, "status of the right code", got.status, http.StatusOK)
	wantNames(t, got.body, "secondFactorRequired", "account")
	b.code("spa")
	thief := b.another()
	thief.http.Jar.SetCookies(target, pending)
	wantEqual(t, "status of the code again", thief.postJSON(signInPath, right).status, http.StatusBadRequest)
}

func TestSecondFactorProviders(t *testing.T) {
	users := identitytest.SampleUsers()[:2]
	users[0].SecondFactorCode = "1"
	users[1].SecondFactorCode, users[1].SecondFactorProvider = "2", "Authenticator"
	b := start(t, identitytest.Config{Users: users})
	for i, want := range []string{"Email", "Authenticator"} {
		name := []string{"trader", "admin"}[i]
		got := b.postJSON(signInPath, `{"email":"`+name+`@example.com","password":"`+name+`-password"}`)
		wantEqual(t, "provider", decode[map[string]any](t, got.body)["provider"], any(want))
	}
}

func TestSecondFactorExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{})
		b.signIn("guarded@example.com")
		wait(5*time.Minute + time.Second)
		got := b.postJSON(signInPath, `{"verificationCode":"246810","provider":"Email"}`)
		wantEqual(t, "status", got.status, http.StatusBadRequest)
	})
}

// wait lets virtual time pass. It is only called in synctest bubbles.
func wait(d time.Duration) { <-time.After(d) }

func TestEndingSessionsAndDisablingUsers(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("trader@example.com")
	admin := b.another()
	admin.signIn("admin@example.com")
	b.server.EndSessions("TRADER@example.com")
	wantEqual(t, "path after EndSessions", b.authorize(b.authorizeParams("spa")).Path, "/identity/unauthorized")
	admin.code("spa")
	b.server.DisableUser("admin@example.com")
	wantEqual(t, "path after DisableUser", admin.authorize(b.authorizeParams("spa")).Path, "/identity/unauthorized")
	b.server.EndSessions("nobody@example.com")
	b.server.DisableUser("nobody@example.com")
	b.server.RevokeTokens("nobody@example.com")
}

func TestEndSessionsForgetsAnAwaitedSecondFactor(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("guarded@example.com")
	b.server.EndSessions("guarded@example.com")
	got := b.postJSON(signInPath, `{"verificationCode":"246810","provider":"Email"}`)
	wantEqual(t, "status", got.status, http.StatusBadRequest)
}
