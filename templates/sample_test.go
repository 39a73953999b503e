package templates

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"b2trader.identity.auth/templates/pagetest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 23, 0, time.UTC)

// sample is one page in one state, with realistic values.
type sample struct {
	name string
	page templ.Component
}

func samplePage(path string) Page {
	return Page{
		Path: path,
		Now:  noon,
		Here: path,
		User: &User{Name: "Ada Keeper", Email: "admin@example.com", Client: "spa_admin", Administrator: true},
	}
}

func sampleToken() Token {
	return Token{Issued: noon.Add(-7 * time.Second), Expires: noon.Add(23 * time.Second), Now: noon, Renewals: 4}
}

func sampleSignIn() SignIn {
	return SignIn{
		Clients: []ClientChoice{
			{ID: "spa", Name: "Trading", Description: "Orders, balances and history, through the FrontOffice API.", Selected: true},
			{ID: "spa_admin", Name: "Administration", Description: "Trading, and the BackOffice API for administrators."},
		},
		Aside: templ.Raw(`<section class="samples"><button type="button" data-fill-email="trader@example.com" data-fill-password="x" data-fill-client="spa">Use</button></section>`),
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

func sampleSessions() Sessions {
	return Sessions{
		Page: samplePage("/sessions"),
		Sessions: []Session{
			{"Xw7tq0m3", "computer", "Firefox on Linux", "192.0.2.17", "spa_admin", noon.Add(-2 * time.Minute), noon, true},
			{"b9Zc1k4u", "phone", "Safari on iPhone", "2001:db8:8f:1::2b", "spa", noon.Add(-9 * time.Hour), noon.Add(-14 * time.Minute), false},
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
		Actions:     []Action{ActionTryAgain.To("/account"), ActionOtherAccount}}
}

func sampleHostPage() Page {
	p := samplePage("/orders")
	p.Title, p.Navigation, p.Styles = "Orders", []Link{{"Orders", "/orders"}}, []string{"/static/orders.css"}
	return p
}

// samples returns every page in each state that looks different.
func samples() []sample {
	signIn, refused := sampleSignIn(), sampleSignIn()
	refused.Email, refused.Problem, refused.ReturnTo = "trader@example.com", Problem{Text: English.SignIn.Wrong, Field: "password"}, "/try"
	refused.Aside = nil
	code := SecondFactor{Email: "guarded@example.com", Provider: "Email", Message: "For your security, we have emailed you a one-time authentication code. Please enter this code below to proceed."}
	wrong := code
	wrong.Problem = Problem{Text: English.SecondFactor.Wrong, Field: "code"}
	account, troubled, empty := sampleAccount(), sampleAccount(), Account{Page: samplePage("/account")}
	account.Notice = English.Notices.OthersEnded
	troubled.Token.Expires, troubled.Token.Unavailable = noon, true
	troubled.Email = strings.Repeat("a-very-long-name.", 6) + "@subdomain.of-a-long-company-name.example.com"
	troubled.User.Name, troubled.User.Email = "", troubled.Email
	only := sampleSessions()
	only.Sessions, only.Limit = only.Sessions[:1], 0
	branded := sampleAccount()
	branded.Brand, branded.Texts = &Brand{"Nordbank Handel", "/static/brand/logo.svg"}, &German
	return []sample{
		{"account-branded", AccountPage(branded)},
		{"sign-in", SignInPage(signIn)},
		{"sign-in-refused", SignInPage(refused)},
		{"second-factor", SecondFactorPage(code)},
		{"second-factor-wrong", SecondFactorPage(wrong)},
		{"account", AccountPage(account)},
		{"account-troubled", AccountPage(troubled)},
		{"account-empty", AccountPage(empty)},
		{"sessions", SessionsPage(sampleSessions())},
		{"sessions-one", SessionsPage(only)},
		{"admin-sessions", AdminSessionsPage(sampleAdminSessions())},
		{"admin-sessions-user", AdminSessionsPage(sampleUserSessions())},
		{"admin-sessions-none", AdminSessionsPage(AdminSessions{Page: samplePage("/admin/sessions"), Search: "x", Problem: Problem{Text: "No recent sign-in matches x.", Field: "search"}})},
		{"host", HostPage(sampleHostPage(), templ.Raw("<h1>Orders</h1>"))},
		{"error", ErrorPageView(sampleError())},
		{"error-bare", ErrorPageView(ErrorPage{})},
		{"hostile-sign-in", SignInPage(pagetest.Hostile(sampleSignIn()))},
		{"hostile-second-factor", SecondFactorPage(pagetest.Hostile(wrong))},
		{"hostile-account", AccountPage(pagetest.Hostile(sampleAccount()))},
		{"hostile-sessions", SessionsPage(pagetest.Hostile(sampleSessions()))},
		{"hostile-admin-sessions", AdminSessionsPage(pagetest.Hostile(sampleAdminSessions()))},
		{"hostile-user-sessions", AdminSessionsPage(pagetest.Hostile(sampleUserSessions()))},
		{"hostile-error", ErrorPageView(pagetest.Hostile(sampleError()))},
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
