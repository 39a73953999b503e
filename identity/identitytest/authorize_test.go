package identitytest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

const authorizePath = "/identity/connect/authorize"

func TestAuthorize(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("trader@example.com")
	sid := ""
	target, _ := url.Parse(b.base + "/identity")
	for _, c := range b.http.Jar.Cookies(target) {
		if c.Name == "idsrv.session" {
			sid = c.Value
		}
	}
	got := b.get(authorizePath + "?" + with(b.authorizeParams("spa"), "state", "a b&c=d/é").Encode())
	wantEqual(t, "status", got.status, http.StatusFound)
	wantEqual(t, "Cache-Control", got.header.Get("Cache-Control"), "no-store, no-cache, max-age=0")
	wantEqual(t, "Pragma", got.header.Get("Pragma"), "no-cache")
	location := got.header.Get("Location")
	parts := regexp.MustCompile(`^` + regexp.QuoteMeta(b.base) + `/identity/sign-in-done\?code=[0-9a-f]{64}` +
		`&scope=openid%20FrontOffice%20offline_access&state=a%20b%26c%3Dd%2F%C3%A9` +
		`&session_state=([\w-]{43})\.([0-9a-f]{32})$`).FindStringSubmatch(location)
	if parts == nil {
		t.Fatalf("location is %s", location)
	}
	sum := sha256.Sum256([]byte("spa" + b.base + sid + parts[2]))
	wantEqual(t, "session_state", parts[1], base64.RawURLEncoding.EncodeToString(sum[:]))
}

func TestAuthorizeReissuesTheCookieOncePerClient(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("trader@example.com")
	for i, c := range []struct {
		client string
		want   int
	}{{"spa", 2}, {"spa", 0}, {"spa_admin", 2}, {"spa_admin", 0}} {
		got := b.get(authorizePath + "?" + b.authorizeParams(c.client).Encode())
		if !strings.Contains(got.header.Get("Location"), "code=") {
			t.Fatalf("authorize %d gave no code", i)
		}
		wantEqual(t, "number of cookies on authorize "+c.client, len(got.header["Set-Cookie"]), c.want)
	}
}

func TestAuthorizeWithoutSession(t *testing.T) {
	b := start(t, identitytest.Config{})
	got := b.get(authorizePath + "?" + b.authorizeParams("spa").Encode())
	location, err := url.Parse(got.header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "target", location.Scheme+"://"+location.Host+location.Path, b.base+"/identity/unauthorized")
	back, err := url.Parse(location.Query().Get("returnUrl"))
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "path of returnUrl", back.Path, "/identity/connect/authorize/callback")
	if !maps.EqualFunc(back.Query(), b.authorizeParams("spa"), func(a, b []string) bool { return strings.Join(a, ",") == strings.Join(b, ",") }) {
		t.Errorf("query of returnUrl is %v", back.Query())
	}
	wantEqual(t, "status of the page", b.get("/identity/unauthorized").status, http.StatusUnauthorized)

	b.signIn("trader@example.com") // and the way back works
	again := b.get(location.Query().Get("returnUrl"))
	if !strings.Contains(again.header.Get("Location"), "/identity/sign-in-done?code=") {
		t.Errorf("the way back leads to %s", again.header.Get("Location"))
	}
	wantEqual(t, "status of sign-in-done", b.get("/identity/sign-in-done?code=x").status, http.StatusOK)
}

func TestAuthorizeRefusals(t *testing.T) {
	client := identitytest.SampleClients()[0]
	client.ID, client.RedirectURIs = "registered", []string{"https://app.example/Done"}
	b := start(t, identitytest.Config{Clients: append(identitytest.SampleClients(), client)})
	b.signIn("trader@example.com")
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name, param, value, want string
	}{
		{"client_id missing", "client_id", "", "invalid_request: Invalid client_id"},
		{"client_id blank", "client_id", " ", "invalid_request: Invalid client_id"},
		{"client_id too long", "client_id", long(101), "invalid_request: Invalid client_id"},
		{"client unknown", "client_id", "nobody", "unauthorized_client: Unknown client or client not enabled"},
		{"redirect_uri missing", "redirect_uri", "", "invalid_request: Invalid redirect_uri"},
		{"redirect_uri too long", "redirect_uri", "https://example.com/" + long(400), "invalid_request: Invalid redirect_uri"},
		{"redirect_uri relative", "redirect_uri", "identity/sign-in-done", "invalid_request: Invalid redirect_uri"},
		{"redirect_uri not registered", "redirect_uri", "https://evil.example/", "unauthorized_client: Invalid redirect_uri"},
		{"redirect_uri longer than registered", "redirect_uri", b.base + "/identity/sign-in-done/x", "unauthorized_client: Invalid redirect_uri"},
		{"redirect_uri of another client", "client_id", "registered", "unauthorized_client: Invalid redirect_uri"},
		{"response_type missing", "response_type", "", "unsupported_response_type: Missing response_type"},
		{"response_type unknown", "response_type", "magic", "unsupported_response_type: Response type not supported"},
		{"response_type implicit", "response_type", "token id_token", "unauthorized_client: Invalid grant type for client"},
		{"response_type hybrid", "response_type", "code id_token", "unauthorized_client: Invalid grant type for client"},
		{"response_mode unknown", "response_mode", "magic", "unsupported_response_type: Invalid response_mode"},
		{"grant not allowed", "client_id", "core_ib", "unauthorized_client: Invalid grant type for client"},
		{"challenge too short", "code_challenge", long(42), "invalid_request: Invalid code_challenge"},
		{"challenge too long", "code_challenge", long(129), "invalid_request: Invalid code_challenge"},
		{"method missing means plain", "code_challenge_method", "", "invalid_request: Transform algorithm not supported"},
		{"method plain", "code_challenge_method", "plain", "invalid_request: Transform algorithm not supported"},
		{"method unknown", "code_challenge_method", "s256", "invalid_request: Transform algorithm not supported"},
		{"scope missing", "scope", "", "invalid_request: Invalid scope"},
		{"scope too long", "scope", "openid " + long(300), "invalid_request: Invalid scope"},
		{"scope unknown", "scope", "openid magic", "invalid_scope: Invalid scope"},
		{"openid missing", "scope", "profile FrontOffice", "invalid_scope: Identity scopes requested, but openid scope is missing"},
		{"scope not allowed", "scope", "openid BackOffice", "unauthorized_client: Invalid scope for client"},
		{"nonce too long", "nonce", long(301), "invalid_request: Invalid nonce"},
		{"ui_locales too long", "ui_locales", long(101), "invalid_request: Invalid ui_locales"},
		{"login_hint too long", "login_hint", long(101), "invalid_request: Invalid login_hint"},
		{"acr_values too long", "acr_values", long(301), "invalid_request: Invalid acr_values"},
		{"max_age negative", "max_age", "-1", "invalid_request: Invalid max_age"},
		{"max_age no number", "max_age", "soon", "invalid_request: Invalid max_age"},
	} {
		t.Run(c.name, func(t *testing.T) {
			location := b.authorize(with(b.authorizeParams("spa"), c.param, c.value))
			wantEqual(t, "path", location.Path, "/identity/unauthorized")
			wantEqual(t, "host", "http://"+location.Host, b.base)
			if len(location.Query()) != 1 || location.Query().Get("errorId") == "" {
				t.Errorf("query is %s, want errorId only", location.RawQuery)
			}
			wantEqual(t, "problem", b.authorizeProblem(), c.want)
		})
	}
}

func TestAuthorizeLimitsAreInclusive(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("trader@example.com")
	for param, value := range map[string]string{
		"nonce":          strings.Repeat("x", 300),
		"state":          strings.Repeat("x", 2000),
		"max_age":        "3600",
		"prompt":         "unsupported",
		"code_challenge": strings.Repeat("x", 128),
		"redirect_uri":   strings.ToUpper(b.base + "/identity/sign-in-done"), // compared without regard to case
	} {
		location := b.authorize(with(b.authorizeParams("spa"), param, value))
		if location.Query().Get("code") == "" {
			t.Errorf("%s: no code, but %s", param, b.authorizeProblem())
		}
	}
}

func TestAuthorizeRequirePKCE(t *testing.T) {
	b := start(t, identitytest.Config{RequirePKCE: true})
	b.signIn("trader@example.com")
	wantEqual(t, "path", b.authorize(with(b.authorizeParams("spa"), "code_challenge", "")).Path, "/identity/unauthorized")
	wantEqual(t, "problem", b.authorizeProblem(), "invalid_request: code challenge required")
}

func TestAuthorizePrompts(t *testing.T) {
	b := start(t, identitytest.Config{})
	none := with(b.authorizeParams("spa"), "prompt", "none")
	got := b.get(authorizePath + "?" + none.Encode())
	wantEqual(t, "location", got.header.Get("Location"), b.base+"/identity/sign-in-done?error=login_required&state=state12345#_=_")

	// A bad request goes to the error page even then.
	wantEqual(t, "path", b.authorize(with(none, "scope", "magic")).Path, "/identity/unauthorized")

	b.signIn("trader@example.com")
	if b.authorize(none).Query().Get("code") == "" {
		t.Error("prompt=none gave no code to who is signed in")
	}
	for _, prompt := range []string{"login", "select_account"} {
		location := b.authorize(with(b.authorizeParams("spa"), "prompt", prompt))
		wantEqual(t, "path for prompt="+prompt, location.Path, "/identity/unauthorized")
		if strings.Contains(location.Query().Get("returnUrl"), "prompt") {
			t.Error("returnUrl leads into a circle")
		}
	}
}

func TestAuthorizeWithoutState(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("trader@example.com")
	location := b.authorize(with(b.authorizeParams("spa"), "state", ""))
	if location.Query().Has("state") || !location.Query().Has("code") {
		t.Errorf("query is %s", location.RawQuery)
	}
}

func TestAuthorizeWithoutOpenID(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("trader@example.com")
	location := b.authorize(with(b.authorizeParams("spa"), "scope", "FrontOffice"))
	wantEqual(t, "scope", location.Query().Get("scope"), "FrontOffice")
	wantEqual(t, "session_state present", location.Query().Has("session_state"), false)
	got := b.postForm(tokenPath, b.codeForm(location.Query().Get("code")), basic("spa")...)
	wantNames(t, got.body, "access_token", "expires_in", "token_type", "scope")
}

func TestAuthorizeMethods(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("trader@example.com")
	got := b.postForm(authorizePath, b.authorizeParams("spa"))
	if got.status != http.StatusFound || !strings.Contains(got.header.Get("Location"), "code=") {
		t.Errorf("POST of a form: %d %s", got.status, got.header.Get("Location"))
	}
	wantEqual(t, "status of POST of JSON", b.postJSON(authorizePath, "{}").status, http.StatusUnsupportedMediaType)
	wantEqual(t, "status of PUT", b.send(http.MethodPut, authorizePath, "").status, http.StatusMethodNotAllowed)
}

func TestAuthorizeResponseModes(t *testing.T) {
	client := identitytest.SampleClients()[0]
	client.RedirectURIs = []string{"https://app.example/done?tenant=1"}
	b := start(t, identitytest.Config{Clients: []identitytest.Client{client}})
	b.signIn("trader@example.com")
	params := with(b.authorizeParams("spa"), "redirect_uri", client.RedirectURIs[0])
	for mode, prefix := range map[string]string{"query": client.RedirectURIs[0] + "&code=", "fragment": client.RedirectURIs[0] + "#code="} {
		got := b.get(authorizePath + "?" + with(params, "response_mode", mode).Encode())
		if !strings.HasPrefix(got.header.Get("Location"), prefix) {
			t.Errorf("response_mode=%s redirects to %s", mode, got.header.Get("Location"))
		}
	}
	got := b.get(authorizePath + "?" + with(params, "response_mode", "form_post", "state", `"><b>`).Encode())
	wantEqual(t, "status of form_post", got.status, http.StatusOK)
	for _, want := range []string{`action='https://app.example/done?tenant=1'`, `name='code'`, `value='&#34;&gt;&lt;b&gt;'`} {
		if !strings.Contains(got.body, want) {
			t.Errorf("%s is not in %s", want, got.body)
		}
	}
}

func TestSessionLifetimeAndMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{})
		b.signIn("trader@example.com")
		wait(9 * time.Hour)
		b.code("spa") // re-issues the cookie, which does not lengthen the session
		stale := b.authorize(with(b.authorizeParams("spa"), "max_age", "3600"))
		wantEqual(t, "path with max_age", stale.Path, "/identity/unauthorized")
		wait(time.Hour)
		b.code("spa") // the last instant
		wait(time.Nanosecond)
		wantEqual(t, "path after 10 h", b.authorize(b.authorizeParams("spa")).Path, "/identity/unauthorized")
	})
}
