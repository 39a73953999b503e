package showcase

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/templates/pagetest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 23, 0, time.UTC)

// sample is one page in one state.
type sample struct {
	name string
	body templ.Component
}

func sampleToken() templates.Token {
	return templates.Token{Issued: noon.Add(-7 * time.Second), Expires: noon.Add(23 * time.Second), Now: noon, Renewals: 4}
}

// samples returns every page in each state that looks different.
func samples() []sample {
	offers, result := sampleTry()
	hostileOffers, hostileResult := pagetest.Hostile(offers), pagetest.Hostile(result)
	return []sample{
		{"live", livePage("/showcase/live.js")},
		{"try", tryPage(offers, nil)},
		{"try-refused", tryPage(offers, result)},
		{"try-empty", tryPage(nil, nil)},
		{"flow", flowPage(sampleFlow())},
		{"flow-empty", flowPage(Flow{})},
		{"platforms", platformsPage(sampleCards())},
		{"platforms-empty", platformsPage(nil)},
		{"hostile-try", tryPage(hostileOffers, hostileResult)},
		{"hostile-flow", flowPage(pagetest.Hostile(sampleFlow()))},
		{"hostile-platforms", platformsPage(pagetest.Hostile(sampleCards()))},
		{"front", frontPage(sampleFront())},
		{"hostile-front", frontPage(pagetest.Hostile(sampleFront()))},
		{"codes", heading(sampleCodes(sampleList()))},
		{"hostile-codes", heading(sampleCodes(pagetest.Hostile(sampleList())))},
		{"hostile-samples", heading(sampleUsers(pagetest.Hostile(sampleList())))},
	}
}

// heading puts a heading over what is only a part of a page.
func heading(c templ.Component) templ.Component {
	return templ.Join(templ.Raw("<h1>Sign in</h1>"), c)
}

func sampleFront() FrontPage {
	return FrontPage{IdentityURL: "http://127.0.0.1:41873", Tries: []Try{
		{"Watch", "The account page counts down.", "/account", sampleList()[0]},
		{"Look inside", "This user has a second factor.", "/flow", sampleList()[2]},
	}}
}

func sampleList() []SampleUser {
	return []SampleUser{
		{"trader@example.com", "trader-password", "spa", "", "Signs in at once"},
		{"admin@example.com", "admin-password", "spa_admin", "", "May use the BackOffice API"},
		{"guarded@example.com", "guarded-password", "", "246810", "Needs the code 246810"},
	}
}

// page renders a body inside the site's frame, for an administrator.
func page(t *testing.T, path string, body templ.Component) string {
	t.Helper()
	p := templates.Page{
		Title: "A sample", Path: path, Styles: styles,
		User:       &templates.User{Name: "Ada Keeper", Email: "admin@example.com", Client: "spa_admin", Administrator: true},
		Navigation: []templates.Link{{Text: "Try an API", Href: "/try"}, {Text: "Flow", Href: "/flow"}, {Text: "Platforms", Href: "/platforms"}},
	}
	var b strings.Builder
	if err := templates.HostPage(p, body).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryPage(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) { pagetest.Check(t, page(t, "/", s.body)) })
	}
}

// Each string of each view comes out as text: the attack is on the page, and no
// element of its making is.
func TestHostileValuesAreEscaped(t *testing.T) {
	for _, s := range samples() {
		if !strings.HasPrefix(s.name, "hostile") {
			continue
		}
		html := page(t, "/", s.body)
		doc := pagetest.Document(t, html)
		if !strings.Contains(doc.Text(), pagetest.Attack) {
			t.Errorf("%s does not show the attack", s.name)
		}
		if got := doc.Find("script").Length(); got != 1 || strings.Contains(html, "<script>") || strings.Contains(html, "<img") {
			t.Errorf("%s has %d scripts or an unescaped element, want app.js alone", s.name, got)
		}
	}
}

func sampleTry() ([]Offer, *CallResult) {
	denied := Offer{"backoffice-users", "BackOffice", "GET", "/backoffice/api/v1/users", "List users", false,
		"The token lacks the scope BackOffice. The API will answer 403."}
	offers := []Offer{
		{"frontoffice-accounts", "FrontOffice", "GET", "/frontoffice/api/v1/accounts", "My accounts", true, "The token carries FrontOffice."},
		{"frontoffice-order", "FrontOffice", "POST", "/frontoffice/api/v1/orders", "Place an order", true, "The token carries FrontOffice."},
		denied,
	}
	return offers, &CallResult{
		Call: denied, Status: 403, StatusText: "403 Forbidden", Duration: 3800 * time.Microsecond,
		Body:        `{"type":"https://tools.ietf.org/html/rfc7231#section-6.5.3","title":"Forbidden","status":403,"traceId":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}`,
		Explanation: "The API knows who you are, and refuses: the token lacks the scope BackOffice. Sign in with the client spa_admin to get it.",
	}
}

// sampleFlow is a sign-in whose keys are at another host, which does not answer.
func sampleFlow() Flow {
	return newFlow([]tokenapi.Exchange{
		browserRequest("/sign-in", 0, 214),
		exchange("POST", "https://trader.example.com/identity/sign-in", 1, 96, 200),
		exchange("GET", "https://keys.example.com/jwks", 98, 20, 0),
		exchange("GET", "https://trader.example.com/identity/connect/authorize", 119, 4, 302),
		exchange("POST", "https://trader.example.com/identity/connect/token", 124, 88, 503),
	})
}

// exchange begins after and takes that many milliseconds. Status 0: no answer.
func exchange(method, url string, after, took, status int) tokenapi.Exchange {
	e := tokenapi.Exchange{
		Method: method, URL: url, Parameters: map[string][]string{"client_id": {"spa"}}, StatusCode: status,
		Started: noon.Add(time.Duration(after) * time.Millisecond), Duration: time.Duration(took) * time.Millisecond,
	}
	if status == http.StatusFound {
		e.Redirect = "https://trader.example.com/identity/sign-in-done"
	}
	if status == 0 {
		e.Err = errors.New("connection refused")
	}
	return e
}

// browserRequest is a request of the browser, see exchange.
func browserRequest(path string, after, took int) tokenapi.Exchange {
	return exchange("POST", path, after, took, http.StatusSeeOther)
}

func sampleCards() []Card {
	return []Card{
		{ID: "b2binpay", Name: "B2BINPAY", About: "Takes and sends crypto payments.", Account: "merchant-key",
			CanUse: true, CanExpire: true, CanFail: true, SignedIn: true, Scopes: []string{"wallets"}, Warning: "The sample of a warning.", Token: sampleToken(), Uses: 12, MaxUses: 30, Notice: "The token is renewed.",
			Result: &CallResult{Call: Offer{Method: "GET", Path: "/wallet/"}, Status: 200, StatusText: "200 OK", Body: `{"data":[]}`, Explanation: "The API accepted the token."}},
		{ID: "tradevest", Name: "Tradevest",
			Problem: "Tradevest does not accept this account's credentials.", Code: "invalid_client"},
		{ID: "endless", Name: "Endless", SignedIn: true, Token: templates.Token{Issued: noon, Now: noon}},
	}
}
