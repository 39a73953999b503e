package templates

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
)

var noon = time.Date(2026, 11, 21, 12, 0, 23, 0, time.UTC)

// sample is one page in one state, with realistic values.
type sample struct {
	name string
	page templ.Component
}

func samplePage(path string) Page {
	return Page{
		Path:      path,
		User:      &User{Name: "Ada Keeper", Email: "admin@example.com", Client: "spa_admin", Administrator: true},
		Machine:   true,
		Platforms: true,
	}
}

func sampleToken() Token {
	return Token{Issued: noon.Add(-7 * time.Second), Expires: noon.Add(23 * time.Second), Now: noon, Renewals: 4}
}

func sampleSignIn() SignIn {
	return SignIn{
		ServerURL: "http://127.0.0.1:41873",
		Clients: []ClientChoice{
			{ID: "spa", Name: "Trading", Description: "Orders, balances and history, through the FrontOffice API.", Selected: true},
			{ID: "spa_admin", Name: "Administration", Description: "Trading, and the BackOffice API for administrators."},
		},
		SampleUsers: []SampleUser{
			{"trader@example.com", "trader-password", "spa", "Signs in at once"},
			{"admin@example.com", "admin-password", "spa_admin", "May use the BackOffice API"},
			{"guarded@example.com", "guarded-password", "", "Needs the code 246810"},
		},
	}
}

func sampleAccount() Account {
	return Account{
		Page:     samplePage("/account"),
		Nickname: "Ada Keeper", Email: "admin@example.com",
		ID: "5f0d3b6e-7f0a-4a54-9a1e-2f6f3f9b8d11", Client: "spa_admin",
		Scopes: []Scope{
			{"openid", "Says who you are.", true},
			{"FrontOffice", "Trade: orders, balances, history.", true},
			{"BackOffice", "Administer users, accounts and markets.", false},
			{"offline_access", "Lets this server renew the access token without asking you again.", true},
		},
		Token: sampleToken(),
		Claims: []Claim{
			{"iss", "http://identity-server/identity/", "Who issued the token"},
			{"sub", "5f0d3b6e-7f0a-4a54-9a1e-2f6f3f9b8d11", "Your id at the issuer"},
			{"aud", "spa_admin", "The client the token is for"},
			{"iat", "2026-11-21 12:00:16 UTC", "When it was issued"},
			{"exp", "2026-11-21 12:05:16 UTC", "When it expires"},
			{"auth_time", "2026-11-21 11:58:16 UTC", "When you typed your password"},
			{"at_hash", "Yv6dUuNn2m1kXw0oJmZ3LQ", "Ties it to the access token"},
			{"amr", "pwd", "How you signed in"},
			{"role", "Admin", "What you are to the platform"},
		},
		SignedIn: noon.Add(-2 * time.Minute), IdleEnd: noon.Add(30 * time.Minute), LatestEnd: noon.Add(598 * time.Minute),
	}
}

func sampleTry() TryAPI {
	denied := Call{"backoffice-users", "BackOffice", "GET", "/backoffice/api/v1/users", "List users", false,
		"The token lacks the scope BackOffice. The API will answer 403."}
	return TryAPI{
		Page: samplePage("/try"),
		Calls: []Call{
			{"frontoffice-accounts", "FrontOffice", "GET", "/frontoffice/api/v1/accounts", "My accounts", true, "The token carries FrontOffice."},
			{"frontoffice-order", "FrontOffice", "POST", "/frontoffice/api/v1/orders", "Place an order", true, "The token carries FrontOffice."},
			denied,
		},
		Result: &CallResult{Call: denied, Status: 403, StatusText: "403 Forbidden", Duration: 3800 * time.Microsecond,
			Body:        `{"type":"https://tools.ietf.org/html/rfc7231#section-6.5.3","title":"Forbidden","status":403,"traceId":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}`,
			Explanation: "The API knows who you are, and refuses: the token lacks the scope BackOffice. Sign in with the client spa_admin to get it."},
	}
}

func sampleFlow() Flow {
	ms := func(f float64) time.Duration { return time.Duration(f * float64(time.Millisecond)) }
	return Flow{
		Page:  samplePage("/flow"),
		Lanes: []string{"Browser", "This app", "IdentityServer", "API"},
		Steps: []Step{
			{0, 1, "POST /sign-in", []string{"email=admin@example.com", "password=[redacted]", "client=spa_admin"}, 303, 0, ms(214), false},
			{1, 2, "POST /identity/sign-in", []string{"email=admin@example.com", "password=[redacted]"}, 200, ms(0.6), ms(96.2), false},
			{1, 2, "GET /identity/.well-known/openid-configuration", nil, 200, ms(97.3), ms(1.9), false},
			{1, 2, "GET /identity/connect/authorize", []string{
				"client_id=spa_admin", "response_type=code", "redirect_uri=https://trade.example.com/identity/sign-in-done",
				"code_challenge=[redacted]", "code_challenge_method=S256", "scope=openid offline_access FrontOffice BackOffice",
				"state=[redacted]", "nonce=[redacted]"}, 302, ms(99.8), ms(4.1), false},
			{1, 2, "POST /identity/connect/token", []string{"grant_type=authorization_code", "code=[redacted]", "code_verifier=[redacted]",
				"redirect_uri=https://trade.example.com/identity/sign-in-done"}, 200, ms(104.4), ms(88), false},
			{1, 3, "GET /backoffice/api/v1/users", []string{"authorization=[redacted]"}, 403, ms(18320), ms(3.8), true},
			{1, 2, "POST /identity/connect/token", []string{"grant_type=refresh_token", "refresh_token=[redacted]", "client_id=spa_admin"}, 0, ms(20411), ms(10000), true},
			{2, 2, "Keys rotated", nil, 200, ms(32000), ms(0.1), false},
			{2, 0, "Redirect to the redirect URI", []string{"code=[redacted]"}, 500, ms(32100), ms(2), true},
		},
	}
}

func sampleMachine() Machine {
	late := sampleToken()
	late.Expires = noon.Add(6 * time.Second)
	late.Issued = noon.Add(-24 * time.Second)
	return Machine{
		Page: samplePage("/machine"),
		Identities: []MachineIdentity{
			{Client: "core_ib", Email: "machine@example.com", SignedIn: true, Scopes: []string{"openid", "offline_access", "BackOffice"}, Token: late},
			{Client: "lk", Email: "machine@example.com", Problem: "The IdentityServer refused the client's secret. Check the file given by -lk-secret-file."},
		},
	}
}

func samplePlatforms() Platforms {
	return Platforms{
		Page: samplePage("/platforms"),
		Platforms: []Platform{
			{ID: "b2binpay", Name: "B2BINPAY", About: "Takes and sends crypto payments.", Account: "merchant-key",
				Facts:  []Fact{{"Signs in by", "login and password"}, {"Refresh token", "works once"}},
				CanUse: true, CanExpire: true, CanFail: true, SignedIn: true, Token: sampleToken(), Uses: 12, MaxUses: 30, Notice: "The token is renewed.",
				Result: &CallResult{Call: Call{Method: "GET", Path: "/wallet/"}, Status: 200, StatusText: "200 OK", Body: `{"data":[]}`, Explanation: "The API accepted the token."}},
			{ID: "tradevest", Name: "Tradevest", Facts: []Fact{{"Signs in by", "client credentials"}, {"Limit", "none known"}},
				Problem: "Tradevest does not accept this account's credentials.", Code: "invalid_client"},
			{ID: "endless", Name: "Endless", SignedIn: true, Token: Token{Issued: noon, Now: noon}},
		},
	}
}

func sampleSessions() Sessions {
	return Sessions{
		Page: samplePage("/sessions"),
		Sessions: []Session{
			{"Xw7tq0m3", "Firefox on Linux", "192.0.2.17", "spa_admin", noon.Add(-2 * time.Minute), noon, true},
			{"b9Zc1k4u", "Safari on iPhone", "2001:db8:8f:1::2b", "spa", noon.Add(-9 * time.Hour), noon.Add(-14 * time.Minute), false},
		},
		Limit: 5,
	}
}

func sampleAdminSessions() AdminSessions {
	return AdminSessions{
		Page: samplePage("/admin/sessions"),
		Users: []SessionUser{
			{"5f0d3b6e-7f0a-4a54-9a1e-2f6f3f9b8d11", "admin@example.com", "Ada Keeper", noon.Add(-2 * time.Minute)},
			{"10e3bfcf-56f7-421d-84ea-1700209ae121", "trader@example.com", "trader", noon.Add(-3 * time.Hour)},
		},
		Next: "12",
	}
}

func sampleUserSessions() AdminSessions {
	v := sampleAdminSessions()
	v.Of, v.Users, v.Next, v.Sessions = &v.Users[1], nil, "", sampleSessions().Sessions[1:]
	v.Search = "trader@example.com"
	return v
}

func sampleError() ErrorPage {
	p := Page{RequestID: "01JD7Q2W8E9F4K6M3N5P7R9T1V", Title: "The IdentityServer did not answer"}
	return ErrorPage{Page: p, Status: 503, Headline: "The IdentityServer did not answer",
		Explanation: "It was given 10 seconds. Your session is kept and nothing was lost.",
		Actions:     []Link{{"Try again", "/account"}, {"Sign in with another account", "/sign-in"}}}
}

func sampleHostPage() Page {
	p := samplePage("/orders")
	p.Title, p.Navigation, p.Styles = "Orders", []Link{{"Orders", "/orders"}}, []string{"/static/orders.css"}
	return p
}

// samples returns every page in each state that looks different.
func samples() []sample {
	signIn, refused := sampleSignIn(), sampleSignIn()
	refused.Email, refused.Problem, refused.ReturnTo = "trader@example.com", English.SignIn.Wrong, "/try"
	refused.SampleUsers = nil
	code := SecondFactor{Provider: "Email", Message: "For your security, we have emailed you a one-time authentication code. Please enter this code below to proceed."}
	wrong := code
	wrong.Problem = English.SecondFactor.Wrong
	account, troubled, empty := sampleAccount(), sampleAccount(), Account{Page: samplePage("/account")}
	account.Notice = "You are signed in."
	troubled.Token.Expires, troubled.Token.Unavailable = noon, true
	troubled.Email = strings.Repeat("a-very-long-name.", 6) + "@subdomain.of-a-long-company-name.example.com"
	troubled.User.Name, troubled.User.Email = "", troubled.Email
	only := sampleSessions()
	only.Sessions, only.Limit = only.Sessions[:1], 0
	untried, nothing := sampleTry(), TryAPI{Page: samplePage("/try")}
	untried.Result = nil
	return []sample{
		{"sign-in", SignInPage(signIn)},
		{"sign-in-refused", SignInPage(refused)},
		{"second-factor", SecondFactorPage(code)},
		{"second-factor-wrong", SecondFactorPage(wrong)},
		{"account", AccountPage(account)},
		{"account-troubled", AccountPage(troubled)},
		{"account-empty", AccountPage(empty)},
		{"try", TryAPIPage(untried)},
		{"try-refused", TryAPIPage(sampleTry())},
		{"try-empty", TryAPIPage(nothing)},
		{"flow", FlowPage(sampleFlow())},
		{"flow-empty", FlowPage(Flow{Page: samplePage("/flow")})},
		{"machine", MachinePage(sampleMachine())},
		{"machine-empty", MachinePage(Machine{Page: samplePage("/machine")})},
		{"platforms", PlatformsPage(samplePlatforms())},
		{"platforms-empty", PlatformsPage(Platforms{Page: samplePage("/platforms")})},
		{"sessions", SessionsPage(sampleSessions())},
		{"sessions-one", SessionsPage(only)},
		{"admin-sessions", AdminSessionsPage(sampleAdminSessions())},
		{"admin-sessions-user", AdminSessionsPage(sampleUserSessions())},
		{"admin-sessions-none", AdminSessionsPage(AdminSessions{Page: samplePage("/admin/sessions"), Search: "x", Problem: "No recent sign-in matches x."})},
		{"host", HostPage(sampleHostPage(), templ.Raw("<h1>Orders</h1>"))},
		{"error", ErrorPageView(sampleError())},
		{"error-bare", ErrorPageView(ErrorPage{})},
		{"hostile-sign-in", SignInPage(hostile(sampleSignIn()))},
		{"hostile-second-factor", SecondFactorPage(hostile(wrong))},
		{"hostile-account", AccountPage(hostile(sampleAccount()))},
		{"hostile-try", TryAPIPage(hostile(sampleTry()))},
		{"hostile-flow", FlowPage(hostile(sampleFlow()))},
		{"hostile-machine", MachinePage(hostile(sampleMachine()))},
		{"hostile-platforms", PlatformsPage(hostile(samplePlatforms()))},
		{"hostile-sessions", SessionsPage(hostile(sampleSessions()))},
		{"hostile-admin-sessions", AdminSessionsPage(hostile(sampleAdminSessions()))},
		{"hostile-user-sessions", AdminSessionsPage(hostile(sampleUserSessions()))},
		{"hostile-error", ErrorPageView(hostile(sampleError()))},
	}
}

// attack ends an attribute and an element, and starts a script, wherever it is not escaped.
const attack = `'"><script>alert(1)</script><img src=x onerror=alert(1)>`

// hostile is v with attack in every string field, as deep as there are any.
func hostile[T any](v T) T {
	poison(reflect.ValueOf(&v).Elem())
	return v
}

func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(attack)
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			poison(v.Field(i))
		}
	}
}

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
