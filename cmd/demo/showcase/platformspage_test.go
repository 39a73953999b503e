package showcase

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"b2trader.identity.auth/templates/pagetest"
)

func TestPlatformsPage(t *testing.T) {
	doc := pagetest.Document(t, page(t, "/platforms", platformsPage(sampleCards())))
	var actions []string
	doc.Find("form.platform-form").Each(func(i int, e *goquery.Selection) {
		card := e.Closest(".platform")
		if id := card.Find("h2[tabindex='-1']").AttrOr("id", ""); e.AttrOr("action", "") != "/platforms#"+id {
			t.Errorf("form %d leads to %q, its card is %q", i, e.AttrOr("action", ""), id)
		}
		platform := e.Find(`input[name="platform"]`).AttrOr("value", "")
		e.Find(`button[name="action"]`).Each(func(_ int, b *goquery.Selection) {
			actions = append(actions, platform+" "+b.AttrOr("value", ""))
		})
	})
	want := "b2binpay use, b2binpay renew, b2binpay sign-out, b2binpay expire, b2binpay fail, tradevest sign-in, endless renew, endless sign-out"
	if got := strings.Join(actions, ", "); got != want {
		t.Errorf("actions are %q", got)
	}
	cards := doc.Find(".platform")
	for i, want := range [][]string{
		{"B2BINPAY Valid Takes and sends crypto payments. Signs in as merchant-key The sample of a warning. The token is renewed. 23 s left", "Renewed 4 times", "Used 12 of 30 times", "For testing: Forget its tokens Fail a renewal"},
		{"Tradevest Not signed in Tradevest does not accept this account's credentials. The platform's code for this: invalid_client Sign in"},
		{"Endless Signed in The platform did not say when the access token expires."},
	} {
		for _, w := range want {
			if got := pagetest.Words(cards.Eq(i)); !strings.Contains(got, w) {
				t.Errorf("card %d lacks %q: %s", i, w, got)
			}
		}
	}
	if doc.Find("[data-token-card] [data-meter]").Length() != 1 || strings.Contains(pagetest.Words(cards.Last()), "Used") {
		t.Error("a meter or an explanation has nothing to show")
	}
}

// The answer of a call has a panel after its card, which names the platform.
// Without an answer there is none. field 10
func TestPlatformsAnswerPanel(t *testing.T) {
	v := sampleCards()
	panel := func() string {
		return pagetest.Words(pagetest.Document(t, page(t, "/platforms", platformsPage(v))).Find(".platform:first-child + .platform-answer"))
	}
	if got := panel(); !strings.HasPrefix(got, "Answer of B2BINPAY GET / wallet/ 200 OK") {
		t.Errorf("the panel is %q, want the answer of B2BINPAY", got)
	}
	v[0].Result = nil
	if got := panel(); got != "" {
		t.Errorf("the panel without an answer is %q, want none", got)
	}
}

// Only what some platform offers is there to try.
func TestPlatformsRecipe(t *testing.T) {
	steps := func(v []Card) string {
		var all []string
		pagetest.Document(t, page(t, "/platforms", platformsPage(v))).Find(".recipe strong").Each(func(_ int, e *goquery.Selection) { all = append(all, e.Text()) })
		return strings.Join(all, ", ")
	}
	v := sampleCards()
	if got := steps(v); got != "Sign in, Use the API, Forget its tokens, Fail a renewal" {
		t.Errorf("to try: %s", got)
	}
	v = v[1:]
	if got := steps(v); got != "Sign in" {
		t.Errorf("to try where nothing is offered: %s", got)
	}
}
