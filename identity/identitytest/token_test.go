package identitytest_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

const tokenPath = "/identity/connect/token"

// wantTokenError checks an error answer to the byte.
func wantTokenError(t *testing.T, got response, code, description string) {
	t.Helper()
	wantEqual(t, "status", got.status, http.StatusBadRequest)
	wantEqual(t, "Content-Type", got.header.Get("Content-Type"), "application/json; charset=UTF-8")
	wantEqual(t, "Cache-Control", got.header.Get("Cache-Control"), "no-store, no-cache, max-age=0")
	wantEqual(t, "Pragma", got.header.Get("Pragma"), "no-cache")
	wantEqual(t, "WWW-Authenticate", got.header.Get("WWW-Authenticate"), "")
	want := `{"error":"` + code + `"}`
	if description != "" {
		want = `{"error":"` + code + `","error_description":"` + description + `"}`
	}
	wantEqual(t, "body", got.body, want)
}

func TestTokenEndpointMethods(t *testing.T) {
	b := start(t, identitytest.Config{})
	wantTokenError(t, b.get(tokenPath), "invalid_request", "")
	wantTokenError(t, b.postJSON(tokenPath, `{"grant_type":"password"}`), "invalid_request", "")
}

func TestTokenClientErrors(t *testing.T) {
	b := start(t, identitytest.Config{})
	raw := func(pair string) []string {
		return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}
	}
	form := url.Values{"grant_type": {"password"}, "username": {"machine@example.com"}, "password": {"machine-password"}}
	for _, c := range []struct {
		name   string
		form   url.Values
		header []string
		want   string // empty: accepted
	}{
		{"no client", form, nil, "invalid_client"},
		{"unknown client", form, raw("nobody:secret"), "invalid_client"},
		{"client ids are case-sensitive", form, raw("LK:lk-secret"), "invalid_client"},
		{"wrong secret", form, raw("lk:wrong"), "invalid_client"},
		{"no secret", form, raw("lk:"), "invalid_client"},
		{"no secret in the body", with(form, "client_id", "lk"), nil, "invalid_client"},
		{"too long a secret", form, raw("lk:" + strings.Repeat("x", 101)), "invalid_client"},
		{"Basic without a colon", form, raw("lk"), "invalid_client"},
		{"Basic that is no base64", form, []string{"Authorization", "Basic ???"}, "invalid_client"},
		{"another scheme", form, []string{"Authorization", "Bearer abc"}, "invalid_client"},
		{"Basic", form, basic("lk"), ""},
		{"body", with(form, "client_id", "lk", "client_secret", "lk-secret"), nil, ""},
		{"bad Basic, good body", with(form, "client_id", "lk", "client_secret", "lk-secret"), []string{"Authorization", "Basic ???"}, ""},
		{"Basic beats the body", with(form, "client_id", "lk", "client_secret", "lk-secret"), raw("lk:wrong"), "invalid_client"},
		{"Basic beats the body's id", with(form, "client_id", "nobody"), basic("lk"), ""},
		{"a body secret beats spa:", with(form, "client_id", "lk", "client_secret", "lk-secret"), raw("spa:"), ""},
		{"a body id beats spa:", with(form, "client_id", "lk"), raw("spa:"), "invalid_client"},
		{"public client, wrong secret", form, raw("spa:wrong"), "unauthorized_client"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := b.postForm(tokenPath, c.form, c.header...)
			if c.want == "" {
				wantEqual(t, "status", got.status, http.StatusOK)
				return
			}
			wantTokenError(t, got, c.want, "")
		})
	}
}

func TestTokenGrantTypeErrors(t *testing.T) {
	b := start(t, identitytest.Config{})
	for grant, want := range map[string]string{
		"":                       "unsupported_grant_type",
		"magic":                  "unsupported_grant_type",
		"implicit":               "unsupported_grant_type",
		strings.Repeat("x", 101): "unsupported_grant_type",
		"password":               "unauthorized_client",
		"client_credentials":     "unauthorized_client",
		"urn:ietf:params:oauth:grant-type:device_code": "unauthorized_client",
	} {
		wantTokenError(t, b.postForm(tokenPath, url.Values{"grant_type": {grant}}, basic("spa")...), want, "")
	}
	wantTokenError(t, b.postForm(tokenPath, url.Values{"grant_type": {"authorization_code"}}, basic("lk")...), "unauthorized_client", "")
}

// Every failed exchange that reaches the code uses it up.
func TestCodeErrors(t *testing.T) {
	b := start(t, identitytest.Config{StockCodeErrors: true})
	b.signIn("trader@example.com")
	done := b.base + "/identity/sign-in-done"
	for _, c := range []struct {
		name   string
		client string
		change []string
		want   string
		burns  bool
	}{
		{"code missing", "spa", []string{"code", ""}, "invalid_grant", false},
		{"code too long", "spa", []string{"code", strings.Repeat("a", 101)}, "invalid_grant", false},
		{"code unknown", "spa", []string{"code", strings.Repeat("a", 64)}, "invalid_grant", false},
		{"client not authenticated", "nobody", nil, "invalid_client", false},
		{"code of another client", "spa_admin", nil, "invalid_grant", true},
		{"redirect_uri missing", "spa", []string{"redirect_uri", ""}, "unauthorized_client", true},
		{"redirect_uri differs", "spa", []string{"redirect_uri", done + "/"}, "unauthorized_client", true},
		{"redirect_uri differs in case", "spa", []string{"redirect_uri", strings.ToUpper(done)}, "unauthorized_client", true},
		{"verifier missing", "spa", []string{"code_verifier", ""}, "invalid_grant", true},
		{"verifier too short", "spa", []string{"code_verifier", verifier[:42]}, "invalid_grant", true},
		{"verifier too long", "spa", []string{"code_verifier", strings.Repeat("a", 129)}, "invalid_grant", true},
		{"verifier wrong", "spa", []string{"code_verifier", verifier + "x"}, "invalid_grant", true},
		{"verifier is the challenge", "spa", []string{"code_verifier", challenge}, "invalid_grant", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			good := b.codeForm(b.code("spa"))
			wantTokenError(t, b.postForm(tokenPath, with(good, c.change...), basic(c.client)...), c.want, "")
			got := b.postForm(tokenPath, good, basic("spa")...)
			if c.burns {
				wantTokenError(t, got, "invalid_grant", "")
			} else {
				wantEqual(t, "status of the good exchange", got.status, http.StatusOK)
			}
		})
	}
}

func TestCodeWorksOnceAndReuseRevokesNothing(t *testing.T) {
	b := start(t, identitytest.Config{StockCodeErrors: true})
	b.signIn("trader@example.com")
	form := b.codeForm(b.code("spa"))
	first := b.token(form, basic("spa")...)
	wantTokenError(t, b.postForm(tokenPath, form, basic("spa")...), "invalid_grant", "")
	b.token(refreshForm(first.RefreshToken), basic("spa")...)
}

func TestCodeOfADisabledUser(t *testing.T) {
	b := start(t, identitytest.Config{StockCodeErrors: true})
	b.signIn("trader@example.com")
	form := b.codeForm(b.code("spa"))
	b.server.DisableUser("trader@example.com")
	wantTokenError(t, b.postForm(tokenPath, form, basic("spa")...), "invalid_grant", "")
}

// The npm package sends an empty challenge when authorize is called before
// signIn.
func TestCodeWithoutChallenge(t *testing.T) {
	b := start(t, identitytest.Config{StockCodeErrors: true})
	b.signIn("trader@example.com")
	params := b.authorizeParams("spa")
	params.Set("code_challenge", "")
	form := b.codeForm(b.authorize(params).Query().Get("code"))
	wantTokenError(t, b.postForm(tokenPath, form, basic("spa")...), "invalid_grant", "")
	form = b.codeForm(b.authorize(params).Query().Get("code"))
	b.token(with(form, "code_verifier", ""), basic("spa")...)
}

// RFC 7636 section 4.1: a verifier has at least 43 characters, even one that
// fits.
func TestShortVerifierThatFitsItsChallenge(t *testing.T) {
	b := start(t, identitytest.Config{StockCodeErrors: true})
	b.signIn("trader@example.com")
	code := b.authorize(with(b.authorizeParams("spa"), "code_challenge", s256("short"))).Query().Get("code")
	wantTokenError(t, b.postForm(tokenPath, with(b.codeForm(code), "code_verifier", "short"), basic("spa")...), "invalid_grant", "")
}

func TestCodeExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{StockCodeErrors: true, AuthorizationCodeLifetime: time.Minute})
		b.signIn("trader@example.com")
		first, second := b.codeForm(b.code("spa")), b.codeForm(b.code("spa"))
		wait(time.Minute)
		b.token(first, basic("spa")...) // the last instant
		wait(time.Nanosecond)
		wantTokenError(t, b.postForm(tokenPath, second, basic("spa")...), "invalid_grant", "")
	})
}

func TestTokenAnswer(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("admin@example.com")
	got := b.postForm(tokenPath, b.codeForm(b.code("spa_admin")), basic("spa_admin")...)
	wantEqual(t, "status", got.status, http.StatusOK)
	wantEqual(t, "Content-Type", got.header.Get("Content-Type"), "application/json; charset=UTF-8")
	wantEqual(t, "Cache-Control", got.header.Get("Cache-Control"), "no-store, no-cache, max-age=0")
	wantEqual(t, "Pragma", got.header.Get("Pragma"), "no-cache")
	wantNames(t, got.body, "id_token", "access_token", "expires_in", "token_type", "refresh_token", "scope")
	answer := decode[tokens](t, got.body)
	wantEqual(t, "token_type", answer.TokenType, "Bearer")
	wantEqual(t, "scope", answer.Scope, "openid FrontOffice BackOffice offline_access")
	if len(answer.RefreshToken) != 64 || strings.Trim(answer.RefreshToken, "0123456789abcdef") != "" {
		t.Error("the refresh token is not 64 lower-case hex digits")
	}
}

func TestPasswordGrant(t *testing.T) {
	b := start(t, identitytest.Config{})
	form := url.Values{
		"grant_type": {"password"}, "username": {"machine@example.com"}, "password": {"machine-password"},
		"scope": {npmScope("lk")},
	}
	got := b.postForm(tokenPath, form, basic("lk")...)
	wantNames(t, got.body, "access_token", "expires_in", "token_type", "refresh_token", "scope")
	answer := decode[tokens](t, got.body)
	wantEqual(t, "scope", answer.Scope, "openid FrontOffice offline_access")
	wantEqual(t, "scope of a request without one", b.token(with(form, "scope", ""), basic("core_ib")...).Scope, "openid BackOffice offline_access")
	renewed := b.token(refreshForm(answer.RefreshToken), basic("lk")...)
	if renewed.IDToken == "" {
		t.Error("renewing gave no ID token")
	}
	guarded := with(form, "username", "guarded@example.com", "password", "guarded-password")
	b.token(guarded, basic("lk")...) // stock IdentityServer asks for no second factor here

	for _, c := range []struct {
		name              string
		change            []string
		want, description string
	}{
		{"scope unknown", []string{"scope", "openid magic"}, "invalid_scope", ""},
		{"scope not allowed", []string{"scope", "BackOffice"}, "invalid_scope", ""},
		{"scope too long", []string{"scope", strings.Repeat("openid ", 50)}, "invalid_scope", ""},
		{"username missing", []string{"username", ""}, "invalid_grant", ""},
		{"password missing", []string{"password", ""}, "invalid_grant", ""},
		{"username too long", []string{"username", strings.Repeat("x", 101)}, "invalid_grant", ""},
		{"password too long", []string{"password", strings.Repeat("x", 101)}, "invalid_grant", ""},
		{"password wrong", []string{"password", "wrong"}, "invalid_grant", "invalid_username_or_password"},
		{"user unknown", []string{"username", "nobody"}, "invalid_grant", "invalid_username_or_password"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantTokenError(t, b.postForm(tokenPath, with(form, c.change...), basic("lk")...), c.want, c.description)
		})
	}
}

func TestClientCredentials(t *testing.T) {
	b := start(t, identitytest.Config{Clients: []identitytest.Client{{
		ID: "robot", Secret: "robot-secret", GrantTypes: []string{identitytest.GrantClientCredentials},
		Scopes: []string{"openid", "offline_access", "Reports", "FrontOffice"},
	}}})
	form := url.Values{"grant_type": {"client_credentials"}}
	got := b.postForm(tokenPath, form, basic("robot")...)
	wantNames(t, got.body, "access_token", "expires_in", "token_type", "scope")
	answer := decode[tokens](t, got.body)
	wantEqual(t, "scope", answer.Scope, "FrontOffice Reports")
	wantNames(t, jwtPart(t, answer.AccessToken, 1), "nbf", "exp", "iss", "aud", "client_id", "scope")
	wantEqual(t, "status of an account of nobody", b.get("/frontoffice/api/v3/account", "Authorization", "Bearer "+answer.AccessToken).status, http.StatusNotFound)
	for _, scope := range []string{"openid FrontOffice", "offline_access FrontOffice", "magic", "BackOffice"} {
		wantTokenError(t, b.postForm(tokenPath, with(form, "scope", scope), basic("robot")...), "invalid_scope", "")
	}
}
