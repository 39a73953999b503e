package templates

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"github.com/PuerkitoBio/goquery"

	"b2trader.identity.auth/templates/pagetest"
)

// A new page must have a sample, so that the checks below see it.
func TestEveryPageHasASample(t *testing.T) {
	files, err := filepath.Glob("*_templ.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob(*_templ.go) = %v, %v, want the generated files", files, err)
	}
	samples, err := os.ReadFile("sample_test.go")
	if err != nil {
		t.Fatal(err)
	}
	page := regexp.MustCompile(`(?m)^func ([A-Z]\w*Page(View)?)\(`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.FindAllStringSubmatch(string(source), -1) {
			if !strings.Contains(string(samples), m[1]+"(") {
				t.Errorf("%s has no sample in sample_test.go", m[1])
			}
		}
	}
}

func TestEveryPage(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			pagetest.Check(t, render(t, s.page))
		})
	}
}

// Each string of each view struct is escaped: the page shows the attack as text,
// and has no element from it.
func TestHostileValuesAreEscaped(t *testing.T) {
	for _, s := range samples() {
		if !strings.HasPrefix(s.name, "hostile") {
			continue
		}
		page := render(t, s.page)
		doc := pagetest.Document(t, page)
		if !strings.Contains(doc.Text(), pagetest.Attack) {
			t.Errorf("%s does not show the attack", s.name)
		}
		if got := doc.Find("script").Length(); got != 1 {
			t.Errorf("%s: %d scripts, want app.js alone", s.name, got)
		}
		if strings.Contains(page, "<script>") || strings.Contains(page, "<img") {
			t.Errorf("%s: unescaped", s.name)
		}
	}
}

// An action's address may come from a request, so a page has no javascript: link.
func TestActionsDoNotRunScripts(t *testing.T) {
	v := sampleError()
	v.Actions = []Action{ActionTryAgain.To("javascript:alert(1)")}
	if page := render(t, ErrorPageView(v)); strings.Contains(page, "javascript:") {
		t.Error("a javascript: link is on the page")
	}
}

func TestSignOutIsOnEveryPageOfASession(t *testing.T) { // req 120
	for _, s := range samples() {
		doc := pagetest.Document(t, render(t, s.page))
		signedIn := doc.Find(".person").Length() == 1
		if got := doc.Find(`header form[method="post"][action="/sign-out"] button`).Length() == 1; got != signedIn {
			t.Errorf("%s: signed in %t, sign-out in the header %t", s.name, signedIn, got)
		}
		if strings.HasPrefix(s.name, "account") && doc.Find(`form[method="post"][action="/sign-out/everywhere"]`).Length() != 1 {
			t.Errorf("%s: no way to sign out everywhere", s.name)
		}
	}
}

func TestNavigation(t *testing.T) {
	doc := pagetest.Document(t, render(t, HostPage(sampleHostPage(), templ.Raw("<h1>Orders</h1>"))))
	if got := doc.Find(`nav a[aria-current="page"]`).Text(); got != "Orders" {
		t.Errorf("the current entry of the navigation is %q, want Orders", got)
	}
	if got := doc.Find(`nav a[href="/sessions"], nav a[href="/admin/sessions"]`).Length(); got != 2 {
		t.Errorf("the navigation has %d of the site's own pages of sessions, want 2", got)
	}
}

func TestSignInForm(t *testing.T) {
	v := sampleSignIn()
	doc := pagetest.Document(t, render(t, SignInPage(v)))
	for selector, want := range map[string]int{
		`form#sign-in[action="/sign-in"]`:                         1,
		`input[name="email"][autocomplete="username"][autofocus]`: 1,
		`input[name="password"][autocomplete="current-password"]`: 1,
		`input[name="client"]`:                                    2,
		`input[name="client"][value="spa"][checked]`:              1,
		`input[name="client"][checked]`:                           1,
		`main input[name="return_to"]`:                            0,
		`[role="alert"]`:                                          0,
		`.gate > .samples`:                                        1,
	} {
		if got := doc.Find(selector).Length(); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
}

func TestSignInProblem(t *testing.T) {
	v := sampleSignIn()
	v.Email, v.Problem, v.ReturnTo, v.Aside = "trader@example.com", Problem{Text: "The e-mail or the password is wrong.", Field: "password"}, "/try", nil
	v.Clients[0].Selected, v.Clients[1].Selected = false, true
	doc := pagetest.Document(t, render(t, SignInPage(v)))
	for selector, want := range map[string]int{
		`#problem[role="alert"][aria-live]`:                                                  1,
		`input[name="email"][value="trader@example.com"]`:                                    1,
		`input[name="password"][aria-invalid="true"][aria-describedby="problem"][autofocus]`: 1,
		`[aria-invalid]`:                        1,
		`input[name="password"][value]`:         0,
		`input[name="return_to"][value="/try"]`: 1,
		`input[value="spa_admin"][checked]`:     1,
		`[autofocus]`:                           1,
		`.samples`:                              0,
	} {
		if got := doc.Find(selector).Length(); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
	if title := doc.Find("title").Text(); !strings.HasPrefix(title, "Error: ") {
		t.Errorf("title is %q", title)
	}
}

func TestSecondFactorForm(t *testing.T) {
	v := SecondFactor{Attempt: "a1", Provider: "Email", Problem: Problem{Text: "That code was not accepted.", Field: "code"}}
	doc := pagetest.Document(t, render(t, SecondFactorPage(v)))
	code := doc.Find(`form[action="/sign-in/second-factor"] input[name="code"]`)
	for attribute, want := range map[string]string{
		"autocomplete": "one-time-code", "inputmode": "numeric", "aria-invalid": "true", "aria-describedby": "problem code-message", "autofocus": "",
	} {
		if got := code.AttrOr(attribute, "missing"); got != want {
			t.Errorf("%s is %q, want %q", attribute, got, want)
		}
	}
	if got := doc.Find(`form input[type="hidden"][name="attempt"]`).AttrOr("value", ""); got != "a1" {
		t.Errorf("the attempt sent back is %q", got)
	}
	if doc.Find(`label[for="code"] .chip`).Text() != "Email" {
		t.Error("the provider is not named")
	}
}

// Each form that ends sessions of others, or all sessions, is behind a question,
// and does not stand beside the sign-out.
func TestEndsAskFirst(t *testing.T) {
	user := SessionUser{Subject: "1", Email: "a@example.com"}
	for name, page := range map[string]string{
		"account":  render(t, AccountPage(sampleAccount())),
		"sessions": render(t, SessionsPage(sampleSessions())),
		"user":     render(t, AdminSessionsPage(AdminSessions{Of: &user, Sessions: sampleSessions().Sessions[1:]})),
	} {
		doc := pagetest.Document(t, page)
		ends := doc.Find(`form[action="/sign-out/everywhere"], form[action="/sessions/end-others"], form[action$="/sessions/end"]`)
		asked := 0
		ends.Each(func(_ int, form *goquery.Selection) {
			question := form.Closest("[popover]")
			own := form.Closest(".session").Find(".chip-good").Length() > 0
			if question.Length() == 0 && !own {
				t.Errorf("%s: %s ends sessions without a question", name, form.AttrOr("action", ""))
			}
			asked += question.Length()
			opens := fmt.Sprintf("button[popovertarget=%q]", question.AttrOr("id", ""))
			if question.Length() > 0 && (doc.Find(opens).Length() != 2 || question.Find(opens+`[popovertargetaction="hide"][autofocus]`).Length() != 1) {
				t.Errorf("%s: the question of %s lacks a button that opens it, or one that cancels", name, form.AttrOr("action", ""))
			}
		})
		if asked == 0 {
			t.Errorf("%s: no form asks first", name)
		}
		if doc.Find(`:has(> form[action="/sign-out"]) form[action="/sign-out/everywhere"]`).Length() > 0 {
			t.Errorf("%s: Sign out and Sign out everywhere stand side by side", name)
		}
	}
}
