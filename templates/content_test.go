package templates

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"b2trader.identity.auth/templates/pagetest"
)

func TestTokenCard(t *testing.T) {
	doc := pagetest.Document(t, render(t, TokenCard(sampleToken(), nil)))
	if got := doc.Find("body > *").Length(); got != 1 {
		t.Errorf("%d elements, want one that app.js can replace", got)
	}
	meter := doc.Find("[data-meter]")
	for attribute, want := range map[string]string{
		"data-now": "1795262423000", "data-issued": "1795262416000", "data-expires": "1795262446000",
	} {
		if got := meter.AttrOr(attribute, ""); got != want {
			t.Errorf("%s is %q, want %q", attribute, got, want)
		}
	}
	if got := pagetest.Words(doc.Find(".meter-line")); got != "23 s left when this page was made, at 12:00:23 UTC" {
		t.Errorf("without JavaScript it says %q", got)
	}
	if got := strings.TrimSpace(doc.Find(".meter-ends").Text()); got != "Expires: 12:00:46 UTC" {
		t.Errorf("it says %q", got)
	}
	bar := doc.Find("progress")
	if bar.AttrOr("max", "") != "30000" || bar.AttrOr("value", "") != "23000" {
		t.Errorf("the bar is at %s of %s", bar.AttrOr("value", ""), bar.AttrOr("max", ""))
	}
	if doc.Find(`.no-js a[href="/account"]`).Length() != 1 {
		t.Error("no way to refresh without JavaScript")
	}
	if got := pagetest.Words(doc.Find(".facts")); got != "Issued 12:00:16 UTC Renewed 4 times" {
		t.Errorf("facts are %q", got)
	}
}

func TestTokenStates(t *testing.T) {
	at := func(left time.Duration) Token {
		return Token{Issued: noon.Add(left - 30*time.Second), Expires: noon.Add(left), Now: noon}
	}
	failed := at(20 * time.Second)
	failed.Unavailable = true
	onUse := at(-time.Minute)
	onUse.RenewedOnUse = true
	for _, c := range []struct {
		token       Token
		badge, left string
	}{
		{at(30 * time.Second), "Valid", "30 s"},
		{at(10 * time.Second), "Valid", "10 s"},
		{at(10*time.Second - 1), "Renewal due", "10 s"},
		{at(1), "Renewal due", "1 s"},
		{at(0), "Expired", "0 s"},
		{at(-time.Hour), "Expired", "0 s"},
		{failed, "Not renewed", "20 s"},
		{onUse, "Idle", "0 s"},
		{Token{}, "Expired", "0 s"},
	} {
		doc := pagetest.Document(t, render(t, TokenCard(c.token, nil)))
		if got := pagetest.Words(doc.Find("[data-token-badge]")); got != c.badge {
			t.Errorf("%s left: badge %q, want %q", c.left, got, c.badge)
		}
		if got := pagetest.Words(doc.Find("[data-left]")); got != c.left {
			t.Errorf("%q is left, want %q", got, c.left)
		}
	}
}

func TestAccountSaysWhatIsGranted(t *testing.T) {
	doc := pagetest.Document(t, render(t, AccountPage(sampleAccount())))
	var got []string
	doc.Find(".scope").Each(func(_ int, e *goquery.Selection) {
		got = append(got, e.Find("code").Text()+": "+e.Find(".scope-state").Text())
	})
	want := "openid: Granted, FrontOffice: Granted, BackOffice: Not granted, offline_access: Granted"
	if strings.Join(got, ", ") != want {
		t.Errorf("scopes are %v", got)
	}
	session := pagetest.Words(doc.Find(`[aria-labelledby="session"] dl`))
	if !strings.Contains(session, "Signed in 2 minutes ago 21 Nov 2026, 11:58:23 UTC") || !strings.Contains(session, "Ends at the latest in 9 h 58 min 21 Nov 2026, 21:58:23 UTC") {
		t.Errorf("session times are %q", session)
	}
	if doc.Find(`[data-token-live="/account/token"] [data-token-card]`).Length() != 1 {
		t.Error("app.js has nowhere to put a fresh card")
	}
	if doc.Find(`[role="status"][data-token-message]`).Length() != 1 {
		t.Error("app.js has nowhere to say what went wrong")
	}
}

// The raw IDs and the claims are folded. Each has a button that copies it,
// unless its value is not shown. field 8
func TestAccountDetailsAreFolded(t *testing.T) {
	v := sampleAccount()
	v.Claims = append(v.Claims, Claim{Name: "sid", Value: English.Account.NotShown})
	doc := pagetest.Document(t, render(t, AccountPage(v)))
	fold := doc.Find("details.fold:not([open])")
	if got := fold.Find(".claims > div").Length(); got != 10 {
		t.Errorf("%d folded claims, want 10", got)
	}
	if got := fold.Find("code + button[data-copy]").Length(); got != 2+9 {
		t.Errorf("%d folded values can be copied, want both IDs and 9 claims", got)
	}
	if got := pagetest.Words(fold.Find("dl").First()); !strings.HasPrefix(got, "User ID "+v.ID+" Copy User ID Client ID spa_admin Copy") {
		t.Errorf("the IDs are %q", got)
	}
	if doc.Find(`[role="status"][data-copy-status]`).Length() != 1 {
		t.Error("app.js has nowhere to say that a value was copied")
	}
	fold.Remove()
	if page, _ := doc.Html(); strings.Contains(page, v.ID) {
		t.Error("the user ID is on the page outside of the details")
	}
}

// req 82
func TestSessionsPage(t *testing.T) {
	doc := pagetest.Document(t, render(t, SessionsPage(sampleSessions())))
	items := doc.Find(".session")
	if items.Length() != 2 {
		t.Fatalf("%d sessions", items.Length())
	}
	got := pagetest.Words(items.Eq(1))
	for _, want := range []string{"Safari on iPhone", "Web terminal", "2001:db8:8f:1::2b", "9 hours ago", "21 Nov 2026, 03:00:23 UTC", "14 minutes ago", "21 Nov 2026, 11:46:23 UTC", "End the session on Safari on iPhone (2001:db8:8f:1::2b)?"} {
		if !strings.Contains(got, want) {
			t.Errorf("a session lacks %q: %s", want, got)
		}
	}
	if strings.Contains(got, English.Sessions.Current) || !strings.Contains(pagetest.Words(items.Eq(0)), English.Sessions.Current) {
		t.Error("the wrong session is this one")
	}
	for selector, want := range map[string]int{
		`form[action="/sessions/end"] input[name="session"][value="b9Zc1k4u"]`: 1,
		`form[action="/sessions/end-others"]`:                                  1,
		`form[action="/sign-out/everywhere"]`:                                  1,
		`input[name="subject"]`:                                                0,
	} {
		if got := doc.Find(selector).Length(); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
	only := sampleSessions()
	only.Sessions = only.Sessions[:1]
	if pagetest.Document(t, render(t, SessionsPage(only))).Find(`form[action="/sessions/end-others"]`).Length() != 0 {
		t.Error("others can be ended where there are none")
	}
}

// req 83
func TestAdminSessionsPage(t *testing.T) {
	doc := pagetest.Document(t, render(t, AdminSessionsPage(sampleAdminSessions())))
	for selector, want := range map[string]int{
		`form[action="/admin/sessions"] input[name="search"]`:                    1,
		`a[href="/admin/sessions?subject=10e3bfcf-56f7-421d-84ea-1700209ae121"]`: 1,
		`a[href="/admin/sessions?from=12"]`:                                      1,
		`form[action="/admin/sessions/end"]`:                                     0,
		`nav a[href="/admin/sessions"][aria-current="page"]`:                     1,
	} {
		if got := doc.Find(selector).Length(); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
	doc = pagetest.Document(t, render(t, AdminSessionsPage(sampleUserSessions())))
	if got := doc.Find(`form[action="/admin/sessions/end"] input[name="subject"]`).Length(); got != 2 {
		t.Errorf("%d ways to end this user's sessions, want one session's and all", got)
	}
}

func TestErrorPageSaysWhatToDoNext(t *testing.T) {
	v := sampleError()
	doc := pagetest.Document(t, render(t, ErrorPageView(v)))
	main := pagetest.Words(doc.Find("main"))
	for _, want := range []string{"503", v.Headline, v.Explanation, v.RequestID} { // req 125
		if !strings.Contains(main, want) {
			t.Errorf("the page lacks %q: %s", want, main)
		}
	}
	if doc.Find(`a.button-main[href="/account"]`).Length() != 1 || doc.Find("main a.button").Length() != 2 {
		t.Error("the ways on are wrong")
	}
}
