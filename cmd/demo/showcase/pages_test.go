package showcase

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"b2trader.identity.auth/templates/pagetest"
)

func TestTryPage(t *testing.T) {
	doc := pagetest.Document(t, page(t, "/try", tryPage(sampleTry())))
	var apis []string
	doc.Find("form[action='/try#result']").Each(func(_ int, e *goquery.Selection) {
		apis = append(apis, e.Parent().Find("h2").Text()+" "+e.Find("button").Last().AttrOr("value", ""))
	})
	if got := strings.Join(apis, ", "); got != "FrontOffice frontoffice-order, BackOffice backoffice-users" {
		t.Errorf("calls are %q", got)
	}
	refused := doc.Find(`button[name="call"][value="backoffice-users"]`)
	if refused.Is("[disabled]") || !strings.Contains(pagetest.Words(refused), "Try anyway") {
		t.Error("what the token may not do cannot be tried")
	}
	why := doc.Find("#" + refused.AttrOr("aria-describedby", "none"))
	if !strings.Contains(pagetest.Words(why), "lacks the scope BackOffice") {
		t.Errorf("the reason is %q", pagetest.Words(why))
	}
	if got := pagetest.Words(doc.Find(".result-line")); got != "403 Forbidden 3.8 ms" {
		t.Errorf("the answer is %q", got)
	}
	if body := doc.Find("pre.body").Text(); !strings.Contains(body, "{\n  \"type\"") {
		t.Errorf("the body is not indented: %q", body)
	}
}

// The aside of the second factor names the code of each user that has one.
// field 7
func TestSampleCodes(t *testing.T) {
	doc := pagetest.Document(t, page(t, "/sign-in/second-factor", heading(sampleCodes(sampleList()))))
	if got := pagetest.Words(doc.Find(".samples dl")); got != "guarded@example.com 246810" {
		t.Errorf("codes on the page = %q, want that of guarded@example.com", got)
	}
}

// The aside of the sign-in page has a button that fills the form for each user.
func TestSampleUsers(t *testing.T) {
	doc := pagetest.Document(t, page(t, "/sign-in", heading(sampleUsers(sampleList()))))
	for selector, want := range map[string]int{
		`button[type="button"][data-fill-email="trader@example.com"]`:     1,
		`button[data-fill-email^="admin@"][data-fill-client="spa_admin"]`: 1,
		`button[data-fill-email^="guarded@"][data-fill-client]`:           0,
		`.samples tbody tr`: 3,
	} {
		if got := doc.Find(selector).Length(); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
}
