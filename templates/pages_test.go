package templates

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
)

func document(t *testing.T, page string) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

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
			page := render(t, s.page)
			doc := document(t, page)
			checkFrame(t, doc)
			checkPolicy(t, doc)
			checkControls(t, doc)
			checkReferences(t, doc)
			checkNesting(t, page)
		})
	}
}

// checkFrame wants what every page owes a browser and a screen reader.
func checkFrame(t *testing.T, doc *goquery.Document) {
	t.Helper()
	for selector, want := range map[string]int{
		`html[lang="en"]`: 1, "h1": 1, "head > title": 1, "main": 1, "header": 1, "footer": 1,
		`meta[name="viewport"]`: 1, `a.skip[href="#main"]`: 1,
	} {
		if got := doc.Find(selector).Length(); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
	if title := doc.Find("head > title").Text(); !strings.HasSuffix(title, " · B2Trader identity") {
		t.Errorf("title is %q", title)
	}
	if strings.TrimSpace(doc.Find("h1").Text()) == "" {
		t.Error("h1 is empty")
	}
}

// checkPolicy wants nothing that the Content-Security-Policy would stop (req 92).
func checkPolicy(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("*").Each(func(_ int, e *goquery.Selection) {
		node := e.Get(0)
		for _, a := range node.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Val, "javascript:") {
				t.Errorf("<%s> has %s=%q", node.Data, a.Key, a.Val)
			}
			if (a.Key == "src" || node.Data == "link" && a.Key == "href") && !strings.HasPrefix(a.Val, "/static/") {
				t.Errorf("<%s> loads %q", node.Data, a.Val)
			}
			if a.Key == "action" && !strings.HasPrefix(a.Val, "/") {
				t.Errorf("a form posts to %q", a.Val)
			}
		}
		if node.Data == "script" && (node.FirstChild != nil || e.AttrOr("src", "") == "") {
			t.Error("an inline script")
		}
		if slices.Contains([]string{"style", "iframe", "object", "embed", "base", "img"}, node.Data) {
			t.Errorf("a <%s>", node.Data)
		}
	})
}

// checkControls wants a name on every control and a POST behind every form.
func checkControls(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find(`input:not([type="hidden"])`).Each(func(_ int, e *goquery.Selection) {
		id := e.AttrOr("id", "")
		labels := doc.Find("label").FilterFunction(func(_ int, l *goquery.Selection) bool {
			return id != "" && l.AttrOr("for", "") == id
		})
		if labels.Length() != 1 || strings.TrimSpace(labels.Text()) == "" {
			t.Errorf("input %q has %d labels", e.AttrOr("name", ""), labels.Length())
		}
	})
	doc.Find("button, a").Each(func(_ int, e *goquery.Selection) {
		if strings.TrimSpace(e.Text()) == "" {
			t.Errorf("a nameless <%s>", goquery.NodeName(e))
		}
	})
	doc.Find("form").Each(func(_ int, e *goquery.Selection) {
		if e.AttrOr("method", "") != "post" {
			t.Errorf("form %q is not a POST", e.AttrOr("action", ""))
		}
	})
	doc.Find("progress").Each(func(_ int, e *goquery.Selection) {
		if e.AttrOr("aria-label", "") == "" {
			t.Error("a nameless progress bar")
		}
	})
}

// checkReferences wants every id once, and every reference to one to find it.
func checkReferences(t *testing.T, doc *goquery.Document) {
	t.Helper()
	ids := map[string]int{}
	doc.Find("[id]").Each(func(_ int, e *goquery.Selection) { ids[e.AttrOr("id", "")]++ })
	for id, n := range ids {
		if n != 1 {
			t.Errorf("%d elements are called %q", n, id)
		}
	}
	for _, attribute := range []string{"aria-labelledby", "aria-describedby", "for"} {
		doc.Find("[" + attribute + "]").Each(func(_ int, e *goquery.Selection) {
			for id := range strings.FieldsSeq(e.AttrOr(attribute, "")) {
				if ids[id] == 0 {
					t.Errorf("%s=%q names nothing", attribute, id)
				}
			}
		})
	}
}

// checkNesting wants every element closed in the order it was opened.
func checkNesting(t *testing.T, page string) {
	t.Helper()
	void := []string{"meta", "link", "input", "br", "img", "hr"}
	var open []string
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		name := z.Token().Data
		switch kind {
		case html.StartTagToken:
			if !slices.Contains(void, name) {
				open = append(open, name)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("</%s> closes %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("never closed: %v", open)
	}
}

// Every string of every view struct comes out as text: the attack is on the page, and no
// element of its making is.
func TestHostileValuesAreEscaped(t *testing.T) {
	for _, s := range samples() {
		if !strings.HasPrefix(s.name, "hostile") {
			continue
		}
		page := render(t, s.page)
		doc := document(t, page)
		if !strings.Contains(doc.Text(), attack) {
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

// An action's address may come from a request, so only harmless schemes survive.
func TestActionsDoNotRunScripts(t *testing.T) {
	v := sampleError()
	v.Actions = []Link{{"Go", "javascript:alert(1)"}}
	if page := render(t, ErrorPageView(v)); strings.Contains(page, "javascript:") {
		t.Error("a javascript: link is on the page")
	}
}

func TestSignOutIsOnEveryPageOfASession(t *testing.T) { // req 120
	for _, s := range samples() {
		doc := document(t, render(t, s.page))
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
	v := sampleTry()
	doc := document(t, render(t, TryAPIPage(v)))
	if got := doc.Find(`nav a[aria-current="page"]`).Text(); got != "Try an API" {
		t.Errorf("the current page is %q", got)
	}
	if doc.Find(`nav a[href="/machine"], nav a[href="/platforms"]`).Length() != 2 {
		t.Error("an administrator is not offered the machine page and the platforms")
	}
	v.Machine, v.Platforms = false, false
	if document(t, render(t, TryAPIPage(v))).Find(`a[href="/machine"], a[href="/platforms"]`).Length() != 0 {
		t.Error("the machine page or the platforms are offered to anyone")
	}
}

func TestSignInForm(t *testing.T) {
	v := sampleSignIn()
	doc := document(t, render(t, SignInPage(v)))
	for selector, want := range map[string]int{
		`form#sign-in[action="/sign-in"]`:                                 1,
		`input[name="email"][autocomplete="username"][autofocus]`:         1,
		`input[name="password"][autocomplete="current-password"]`:         1,
		`input[name="client"]`:                                            2,
		`input[name="client"][value="spa"][checked]`:                      1,
		`input[name="client"][checked]`:                                   1,
		`input[name="return_to"]`:                                         0,
		`[role="alert"]`:                                                  0,
		`button[type="button"][data-fill-email="trader@example.com"]`:     1,
		`button[data-fill-email^="admin@"][data-fill-client="spa_admin"]`: 1,
		`button[data-fill-email^="guarded@"][data-fill-client]`:           0,
		`.samples tbody tr`:                                               3,
	} {
		if got := doc.Find(selector).Length(); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
}

func TestSignInProblem(t *testing.T) {
	v := sampleSignIn()
	v.Email, v.Problem, v.ReturnTo, v.SampleUsers = "trader@example.com", "The e-mail or the password is wrong.", "/try", nil
	v.Clients[0].Selected, v.Clients[1].Selected = false, true
	doc := document(t, render(t, SignInPage(v)))
	for selector, want := range map[string]int{
		`#problem[role="alert"][tabindex="-1"]`:                  1,
		`input[name="email"][value="trader@example.com"]`:        1,
		`input[aria-invalid="true"][aria-describedby="problem"]`: 2,
		`input[name="password"][value]`:                          0,
		`input[name="return_to"][value="/try"]`:                  1,
		`input[value="spa_admin"][checked]`:                      1,
		`[autofocus]`:                                            0,
		`.samples`:                                               0,
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
	v := SecondFactor{Attempt: "a1", Provider: "Email", Problem: "That code was not accepted."}
	doc := document(t, render(t, SecondFactorPage(v)))
	code := doc.Find(`form[action="/sign-in/second-factor"] input[name="code"]`)
	for attribute, want := range map[string]string{
		"autocomplete": "one-time-code", "inputmode": "numeric", "aria-invalid": "true", "aria-describedby": "problem code-message",
	} {
		if got := code.AttrOr(attribute, ""); got != want {
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
