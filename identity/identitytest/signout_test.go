package identitytest_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

const (
	signOutPath    = "/identity/sign-out"
	revocationPath = "/identity/connect/revocation"
	endSessionPath = "/identity/connect/endsession"
)

// refreshes reports whether a refresh token of spa still works, using it up.
func (b *browser) refreshes(token string) bool {
	b.t.Helper()
	return b.postForm(tokenPath, refreshForm(token), basic("spa")...).status == http.StatusOK
}

func TestSignOutOfAllTokensOfUserAndClient(t *testing.T) {
	b := start(t, identitytest.Config{})
	first, second := b.login("trader@example.com", "spa"), b.login("trader@example.com", "spa")
	otherClient := b.token(b.codeForm(b.code("spa_admin")), basic("spa_admin")...)
	otherUser := b.another().login("admin@example.com", "spa")
	b.another().postJSON(signOutPath, `{}`, bearer(second.AccessToken)...)
	wantEqual(t, "the first token works", b.refreshes(first.RefreshToken), false)
	wantEqual(t, "the second token works", b.refreshes(second.RefreshToken), false)
	wantEqual(t, "the other user's works", b.refreshes(otherUser.RefreshToken), true)
	b.token(refreshForm(otherClient.RefreshToken), basic("spa_admin")...)
}

func TestSignOutCannotRevokeForeignTokens(t *testing.T) {
	b := start(t, identitytest.Config{})
	victim := b.login("admin@example.com", "spa")
	mine := b.another().login("trader@example.com", "spa")
	got := b.another().postJSON(signOutPath, `{"refresh_token":"`+victim.RefreshToken+`"}`, bearer(mine.AccessToken)...)
	wantEqual(t, "status", got.status, http.StatusOK)
	wantEqual(t, "the victim's token works", b.refreshes(victim.RefreshToken), true)
	wantEqual(t, "the bearer's token works", b.refreshes(mine.RefreshToken), true)
}

func TestSignOutUnderCookiesEndsTheSession(t *testing.T) {
	b := start(t, identitytest.Config{})
	answer := b.login("trader@example.com", "spa")
	target, _ := url.Parse(b.base + "/identity")
	kept := b.http.Jar.Cookies(target)
	got := b.postJSON(signOutPath, `{}`, bearer(answer.AccessToken)...)
	cookies := got.header["Set-Cookie"]
	if len(cookies) != 2 {
		t.Fatalf("%d cookies, want 2", len(cookies))
	}
	for i, want := range []string{`^idsrv=; expires=Thu, 01 Jan 1970`, `^idsrv\.session=\.; expires=Thu, 01 Jan 1970`} {
		if !regexp.MustCompile(want).MatchString(cookies[i]) {
			t.Errorf("cookie %d is %q", i, cookies[i])
		}
	}
	wantEqual(t, "cookies left", len(b.http.Jar.Cookies(target)), 0)
	thief := b.another()
	thief.http.Jar.SetCookies(target, kept)
	wantEqual(t, "path under a copy of the cookies", thief.authorize(b.authorizeParams("spa")).Path, "/identity/unauthorized")
}

func TestSignOutRefusals(t *testing.T) {
	b := start(t, identitytest.Config{})
	answer := b.login("trader@example.com", "spa")
	for name, header := range map[string][]string{
		"no bearer": nil, "nonsense": bearer("abc"), "ID token": bearer(answer.IDToken),
	} {
		got := b.postJSON(signOutPath, `{}`, header...)
		wantUnauthorized(t, got)
		wantEqual(t, name+": challenge", strings.HasPrefix(got.header.Get("WWW-Authenticate"), "Bearer"), true)
	}
	wantEqual(t, "status of GET", b.get(signOutPath).status, http.StatusMethodNotAllowed)
	wantEqual(t, "status of bad JSON", b.postJSON(signOutPath, `{`, bearer(answer.AccessToken)...).status, http.StatusBadRequest)
	wantEqual(t, "status of a form", b.postForm(signOutPath, nil, bearer(answer.AccessToken)...).status, http.StatusUnsupportedMediaType)
	wantEqual(t, "the refresh token works", b.refreshes(answer.RefreshToken), true)
}

func TestSignOutNeedsALiveAccessToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{})
		answer := b.login("trader@example.com", "spa")
		wait(30 * time.Second)
		wantEqual(t, "status", b.postJSON(signOutPath, `{}`, bearer(answer.AccessToken)...).status, http.StatusUnauthorized)
	})
}

func TestRevocation(t *testing.T) {
	b := start(t, identitytest.Config{})
	answer := b.login("trader@example.com", "spa")
	form := url.Values{"token": {answer.RefreshToken}, "client_id": {"spa"}}
	for _, c := range []struct {
		name  string
		form  url.Values
		works bool
	}{
		{"unknown token", with(form, "token", "unknown"), true},
		{"access token", with(form, "token", answer.AccessToken, "token_type_hint", "access_token"), true},
		{"refresh token", with(form, "token_type_hint", "refresh_token"), false},
	} {
		got := b.postForm(revocationPath, c.form)
		wantEqual(t, c.name+": status", got.status, http.StatusOK)
		wantEqual(t, c.name+": body", got.body, "")
		if !c.works {
			wantEqual(t, c.name+": still works", b.refreshes(answer.RefreshToken), false)
		}
	}
	foreign := b.login("trader@example.com", "spa").RefreshToken
	wantEqual(t, "status for a foreign token", b.postForm(revocationPath, url.Values{"token": {foreign}}, basic("spa_admin")...).status, http.StatusOK)
	wantEqual(t, "the foreign token works", b.refreshes(foreign), true)

	for want, bad := range map[string]url.Values{
		"invalid_request":        with(form, "token", ""),
		"unsupported_token_type": with(form, "token_type_hint", "magic"),
		"invalid_client":         with(form, "client_id", "nobody"),
	} {
		got := b.postForm(revocationPath, bad)
		wantEqual(t, want+": status", got.status, http.StatusBadRequest)
		wantEqual(t, want+": body", got.body, `{"error":"`+want+`"}`)
	}
	wantEqual(t, "status of GET", b.get(revocationPath).status, http.StatusMethodNotAllowed)
	wantEqual(t, "status of JSON", b.postJSON(revocationPath, "{}").status, http.StatusUnsupportedMediaType)
}

func TestEndSession(t *testing.T) {
	b := start(t, identitytest.Config{})
	answer := b.login("trader@example.com", "spa")
	path := func(got response) string {
		return strings.TrimPrefix(got.header.Get("Location"), b.base)
	}
	other := b.another().login("admin@example.com", "spa").IDToken
	for name, hint := range map[string]string{
		"nonsense": "abc", "tampered": answer.IDToken[:len(answer.IDToken)-8] + "AAAAAAAA",
		"access token": answer.AccessToken, "someone else's": other,
	} {
		got := b.get(endSessionPath + "?id_token_hint=" + hint)
		wantEqual(t, "location with a hint that is "+name, path(got), "/identity/account/logout")
		b.get(path(got))
		b.code("spa")
	}

	got := b.get(endSessionPath + "?post_logout_redirect_uri=https://evil.example/&id_token_hint=" + answer.IDToken)
	wantEqual(t, "status", got.status, http.StatusFound)
	if !strings.HasPrefix(path(got), "/identity/account/logout?logoutId=") {
		t.Fatalf("location is %s", got.header.Get("Location"))
	}
	b.code("spa") // the page does it, not the redirect
	page := b.get(path(got))
	wantEqual(t, "status of the page", page.status, http.StatusOK)
	wantEqual(t, "cookies of the page", len(page.header["Set-Cookie"]), 2)
	wantEqual(t, "path after it", b.authorize(b.authorizeParams("spa")).Path, "/identity/unauthorized")
	wantEqual(t, "location without a session", path(b.get(endSessionPath)), "/identity/account/logout")

	b.signIn("trader@example.com")
	b.get(path(b.postForm(endSessionPath, nil)))
	wantEqual(t, "path after a POST", b.authorize(b.authorizeParams("spa")).Path, "/identity/unauthorized")
	wantEqual(t, "status of JSON", b.postJSON(endSessionPath, "{}").status, http.StatusUnsupportedMediaType)
	wantEqual(t, "status of PUT", b.send(http.MethodPut, endSessionPath, "").status, http.StatusMethodNotAllowed)
}
