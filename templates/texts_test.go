package templates

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"b2trader.identity.auth/templates/pagetest"
)

// Each field of a Texts is filled, so that no page shows a gap.
func TestTextsAreComplete(t *testing.T) {
	eachText(reflect.ValueOf(English), "English", func(path string, v reflect.Value) {
		if v.IsZero() {
			t.Errorf("%s is empty, want a text", path)
		}
	})
}

// Every page takes its words from Page.Texts: with all texts in upper case, no
// lower-case word is left on a page.
func TestPagesTakeTheirWordsFromTexts(t *testing.T) {
	x := upperCase()
	page := Page{Texts: &x, User: &User{Administrator: true}, RequestID: "1"}
	account := Account{Page: page, Scopes: []Scope{{Granted: true}, {}}, Claims: []Claim{{}}, IdleEnd: noon, Token: Token{Now: noon}}
	session := Session{Current: true, SignedIn: noon}
	empty := Account{Page: page, Token: Token{Unavailable: true}}
	for name, c := range map[string]string{
		"sign-in":        render(t, SignInPage(SignIn{Page: page, ServerURL: "1", Clients: []ClientChoice{{}}})),
		"second factor":  render(t, SecondFactorPage(SecondFactor{Page: page})),
		"account":        render(t, AccountPage(account)),
		"account, empty": render(t, AccountPage(empty)),
		"sessions":       render(t, SessionsPage(Sessions{Page: page, Limit: 2, Sessions: []Session{session, {}}})),
		"no sessions":    render(t, SessionsPage(Sessions{Page: page})),
		"users":          render(t, AdminSessionsPage(AdminSessions{Page: page, Users: []SessionUser{{}}, Next: "1"})),
		"no users":       render(t, AdminSessionsPage(AdminSessions{Page: page})),
		"user":           render(t, AdminSessionsPage(AdminSessions{Page: page, Of: &SessionUser{}, Sessions: []Session{{}}})),
		"error":          render(t, ErrorPageView(ErrorPage{Page: page, Status: 1})),
	} {
		doc := pagetest.Document(t, c)
		doc.Find("nav").Remove() // it may hold entries of a host application
		said := pagetest.Words(doc.Selection)
		doc.Find("[aria-label]").Each(func(_ int, e *goquery.Selection) { said += " " + e.AttrOr("aria-label", "") })
		for word := range strings.FieldsSeq(said) {
			if strings.ContainsAny(word, "abcdefghijklmnopqrstuvwxyz") {
				t.Errorf("%s: the page says %q, which is not in Texts", name, word)
			}
		}
	}
}

// upperCase returns English with each letter of each text in upper case.
func upperCase() Texts {
	x := English
	eachText(reflect.ValueOf(&x).Elem(), "", func(_ string, v reflect.Value) {
		if v.Kind() == reflect.String && v.CanSet() {
			up := strings.ToUpper(v.String())
			v.SetString(strings.NewReplacer("%D", "%d", "%S", "%s").Replace(up))
		}
	})
	x.Formats.Times = strconv.Itoa
	x.Formats.Stamp = func(t time.Time) string { return t.Format("2006") }
	x.Formats.Clock = x.Formats.Stamp
	return x
}

// eachText calls f with each string, function and map of v.
func eachText(v reflect.Value, path string, f func(path string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			eachText(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
	case reflect.Map:
		f(path, v)
		for _, key := range v.MapKeys() {
			eachText(v.MapIndex(key), path+"["+key.String()+"]", f)
		}
	default:
		f(path, v)
	}
}
