package templates

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
)

// words is the text of s as it is heard: the words of each element apart from the next's.
func words(s *goquery.Selection) string {
	var all []string
	for _, root := range s.Nodes {
		for n := range root.Descendants() {
			if n.Type == html.TextNode {
				all = append(all, strings.Fields(n.Data)...)
			}
		}
	}
	return strings.Join(all, " ")
}

func TestTokenCardIsOneElement(t *testing.T) {
	page := render(t, TokenCard(sampleToken(), nil))
	body := document(t, page).Find("body")
	if body.Children().Length() != 1 || body.Find("[data-token-card]").Length() != 1 {
		t.Errorf("not one card: %s", page)
	}
}

func TestTokenCard(t *testing.T) {
	doc := document(t, render(t, TokenCard(sampleToken(), nil)))
	meter := doc.Find("[data-meter]")
	for attribute, want := range map[string]string{
		"data-now": "1795262423000", "data-issued": "1795262416000", "data-expires": "1795262446000",
	} {
		if got := meter.AttrOr(attribute, ""); got != want {
			t.Errorf("%s is %q, want %q", attribute, got, want)
		}
	}
	if got := words(doc.Find(".meter-line")); got != "23 s left when this page was made, at 12:00:23 UTC" {
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
	if got := words(doc.Find(".facts")); got != "Issued 12:00:16 UTC Renewed 4 times" {
		t.Errorf("facts are %q", got)
	}
}

func TestTokenStates(t *testing.T) {
	at := func(left time.Duration) Token {
		return Token{Issued: noon.Add(left - 30*time.Second), Expires: noon.Add(left), Now: noon}
	}
	failed := at(20 * time.Second)
	failed.Unavailable = true
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
		{Token{}, "Expired", "0 s"},
	} {
		doc := document(t, render(t, TokenCard(c.token, nil)))
		if got := words(doc.Find("[data-token-badge]")); got != c.badge {
			t.Errorf("%s left: badge %q, want %q", c.left, got, c.badge)
		}
		if got := words(doc.Find("[data-left]")); got != c.left {
			t.Errorf("%q is left, want %q", got, c.left)
		}
	}
}

func TestAccountSaysWhatIsGranted(t *testing.T) {
	doc := document(t, render(t, AccountPage(sampleAccount())))
	var got []string
	doc.Find(".scope").Each(func(_ int, e *goquery.Selection) {
		got = append(got, e.Find("code").Text()+": "+e.Find(".chip").Text())
	})
	want := "openid: Granted, FrontOffice: Granted, BackOffice: Not granted, offline_access: Granted"
	if strings.Join(got, ", ") != want {
		t.Errorf("scopes are %v", got)
	}
	if n := doc.Find(".claims tbody tr").Length(); n != 9 {
		t.Errorf("%d claims", n)
	}
	session := words(doc.Find(`[aria-labelledby="session"] dl`))
	if !strings.Contains(session, "Ends in any case 21 Nov 2026, 21:58:23 UTC in 9 h 58 min") {
		t.Errorf("session times are %q", session)
	}
	if doc.Find(`[data-token-live="/account/token"] [data-token-card]`).Length() != 1 {
		t.Error("app.js has nowhere to put a fresh card")
	}
	if doc.Find(`[role="status"][data-token-message]`).Length() != 1 {
		t.Error("app.js has nowhere to say what went wrong")
	}
}

func TestTryPage(t *testing.T) {
	doc := document(t, render(t, TryAPIPage(sampleTry())))
	var apis []string
	doc.Find("form[action='/try#result']").Each(func(_ int, e *goquery.Selection) {
		apis = append(apis, e.Parent().Find("h2").Text()+" "+e.Find("button").Last().AttrOr("value", ""))
	})
	if got := strings.Join(apis, ", "); got != "FrontOffice frontoffice-order, BackOffice backoffice-users" {
		t.Errorf("calls are %q", got)
	}
	refused := doc.Find(`button[name="call"][value="backoffice-users"]`)
	if refused.Is("[disabled]") || !strings.Contains(words(refused), "Try anyway") {
		t.Error("what the token may not do cannot be tried")
	}
	why := doc.Find("#" + refused.AttrOr("aria-describedby", "none"))
	if !strings.Contains(words(why), "lacks the scope BackOffice") {
		t.Errorf("the reason is %q", words(why))
	}
	if got := words(doc.Find(".result-line")); got != "403 Forbidden 3.8 ms" {
		t.Errorf("the answer is %q", got)
	}
	if body := doc.Find("pre.body").Text(); !strings.Contains(body, "{\n  \"type\"") {
		t.Errorf("the body is not indented: %q", body)
	}
}

func TestFlowListSaysWhatTheDiagramShows(t *testing.T) {
	v := sampleFlow()
	doc := document(t, render(t, FlowPage(v)))
	items := doc.Find("ol.steps > li")
	if items.Length() != len(v.Steps) || doc.Find("svg .d-step").Length() != len(v.Steps) {
		t.Fatalf("%d items and %d arrows for %d steps", items.Length(), doc.Find("svg .d-step").Length(), len(v.Steps))
	}
	got := words(items.Eq(6))
	for _, want := range []string{"POST /identity/connect/token", "no answer", "This app to IdentityServer", "+20.41 s", "took 10.00 s", "refresh_token=[redacted]"} {
		if !strings.Contains(got, want) {
			t.Errorf("step 7 lacks %q: %s", want, got)
		}
	}
	svg := doc.Find("svg.diagram")
	if svg.Find("title").Text() == "" || !strings.Contains(svg.Find("desc").Text(), "9 exchanges") {
		t.Error("the diagram does not describe itself")
	}
}

func TestMachinePage(t *testing.T) {
	doc := document(t, render(t, MachinePage(sampleMachine())))
	var actions []string
	doc.Find(`form[action="/machine"]`).Each(func(_ int, e *goquery.Selection) {
		client := e.Find(`input[name="client"]`).AttrOr("value", "")
		e.Find(`button[name="action"]`).Each(func(_ int, b *goquery.Selection) {
			actions = append(actions, client+" "+b.AttrOr("value", ""))
		})
	})
	if got := strings.Join(actions, ", "); got != "core_ib renew, core_ib sign-out, lk sign-in" {
		t.Errorf("actions are %q", got)
	}
	if got := words(doc.Find(`[role="alert"]`)); !strings.Contains(got, "refused the client's secret") {
		t.Errorf("the problem is %q", got)
	}
}

// req 82
func TestSessionsPage(t *testing.T) {
	doc := document(t, render(t, SessionsPage(sampleSessions())))
	items := doc.Find(".session")
	if items.Length() != 2 {
		t.Fatalf("%d sessions", items.Length())
	}
	got := words(items.Eq(1))
	for _, want := range []string{"Safari on iPhone", "spa", "2001:db8:8f:1::2b", "21 Nov 2026, 03:00:23 UTC", "21 Nov 2026, 11:46:23 UTC", "End"} {
		if !strings.Contains(got, want) {
			t.Errorf("a session lacks %q: %s", want, got)
		}
	}
	if strings.Contains(got, "This one") || !strings.Contains(words(items.Eq(0)), "This one") {
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
	if document(t, render(t, SessionsPage(only))).Find(`form[action="/sessions/end-others"]`).Length() != 0 {
		t.Error("others can be ended where there are none")
	}
}

// req 83
func TestAdminSessionsPage(t *testing.T) {
	doc := document(t, render(t, AdminSessionsPage(sampleAdminSessions())))
	for selector, want := range map[string]int{
		`form[action="/admin/sessions"] input[name="search"]`:                        1,
		`a[href="/admin/sessions?subject=10e3bfcf-56f7-421d-84ea-1700209ae121"]`:     1,
		`a[href="/admin/sessions?from=12"]`:                                          1,
		`form[action="/admin/sessions/end"]`:                                         0,
		`nav a[href="/admin/sessions"][aria-current="page"], nav a[href="/machine"]`: 2,
	} {
		if got := doc.Find(selector).Length(); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
	doc = document(t, render(t, AdminSessionsPage(sampleUserSessions())))
	if got := doc.Find(`form[action="/admin/sessions/end"] input[name="subject"]`).Length(); got != 2 {
		t.Errorf("%d ways to end this user's sessions, want one session's and all", got)
	}
}

func TestErrorPageSaysWhatToDoNext(t *testing.T) {
	v := sampleError()
	doc := document(t, render(t, ErrorPageView(v)))
	main := words(doc.Find("main"))
	for _, want := range []string{"503", v.Headline, v.Explanation, v.RequestID} { // req 125
		if !strings.Contains(main, want) {
			t.Errorf("the page lacks %q: %s", want, main)
		}
	}
	if doc.Find(`a.button-main[href="/account"]`).Length() != 1 || doc.Find("main a.button").Length() != 2 {
		t.Error("the ways on are wrong")
	}
}
