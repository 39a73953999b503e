// Package pagetest has the checks that hold for each page of the site, for the
// tests of its templates and of those of a host application.
package pagetest

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"
)

// Check fails t unless page is a whole page that works under the site's
// Content-Security-Policy, by keyboard and with a screen reader.
func Check(t *testing.T, page string) {
	t.Helper()
	doc := Document(t, page)
	checkFrame(t, doc)
	checkPolicy(t, doc)
	checkControls(t, doc)
	checkReferences(t, doc)
	checkNesting(t, page)
}

// Document parses a page.
func Document(t *testing.T, page string) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// Words returns the text of s as it is heard: the words of each element apart
// from the next.
func Words(s *goquery.Selection) string {
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

// Attack ends an attribute and an element, and starts a script, wherever it is
// not escaped.
const Attack = `'"><script>alert(1)</script><img src=x onerror=alert(1)>`

// Hostile returns v with Attack in each string field, however deep.
func Hostile[T any](v T) T {
	poison(reflect.ValueOf(&v).Elem())
	return v
}

func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(Attack)
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

// checkFrame wants what every page owes a browser and a screen reader.
func checkFrame(t *testing.T, doc *goquery.Document) {
	t.Helper()
	for selector, want := range map[string]int{
		`html[lang]`: 1, "h1": 1, "head > title": 1, "main": 1, "header": 1, "footer": 1,
		`meta[name="viewport"]`: 1, `a.skip[href="#main"]`: 1,
	} {
		if got := doc.Find(selector).Length(); got != want {
			t.Errorf("%d of %s, want %d", got, selector, want)
		}
	}
	if title := doc.Find("head > title").Text(); !strings.HasSuffix(title, " · "+strings.TrimSpace(doc.Find(".brand").Text())) {
		t.Errorf("title is %q, want the name of the site at its end", title)
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
			if (a.Key == "src" || node.Data == "link" && a.Key == "href") && (!strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//")) {
				t.Errorf("<%s> loads %q", node.Data, a.Val)
			}
			if a.Key == "action" && (!strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//")) {
				t.Errorf("a form posts to %q", a.Val)
			}
		}
		if node.Data == "script" && (node.FirstChild != nil || e.AttrOr("src", "") == "") {
			t.Error("an inline script")
		}
		if slices.Contains([]string{"style", "iframe", "object", "embed", "base"}, node.Data) {
			t.Errorf("a <%s>", node.Data)
		}
		if alt, has := e.Attr("alt"); node.Data == "img" && (!e.Parent().Is(".brand") || !has || alt != "") {
			t.Error("an <img> that is not the logo beside the name")
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
