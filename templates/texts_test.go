package templates

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"b2trader.identity.auth/templates/pagetest"
)

// sameInGerman are the texts that are the same in both languages.
var sameInGerman = map[string]bool{
	".SignIn.Server": true, ".Formats.Seconds": true, ".Formats.Minutes": true, ".Formats.Hours": true, ".Formats.HoursMinutes": true,
	".Frame.Administrator": true, ".Frame.System": true, ".Account.Administrator": true,
	".Users.Name": true, ".Account.Details": true,
}

// Each text of each language is filled, so that no page shows a gap, and has the
// verbs of the English one. German has a text of its own for each English one.
func TestTextsAreComplete(t *testing.T) {
	english := map[string]string{}
	eachText(reflect.ValueOf(English), "", func(field string, v reflect.Value) {
		english[field] = v.String()
		if v.IsZero() {
			t.Errorf("English%s is empty, want a text", field)
		}
	})
	german := map[string]bool{}
	eachText(reflect.ValueOf(German), "", func(field string, v reflect.Value) {
		german[field] = true
		if usual, known := english[field]; !known || v.IsZero() {
			t.Errorf("German%s is %q, want a translation of %q", field, v, usual)
		} else if same := v.Kind() == reflect.String && v.String() == usual; same != sameInGerman[field] {
			t.Errorf("German%s is %q, and the English %q: same is %t", field, v, usual, same)
		}
	})
	for field := range english {
		if !german[field] {
			t.Errorf("German%s is missing, want a translation of %q", field, english[field])
		}
	}
	for _, x := range []Texts{English, German} {
		CheckTexts(&x, func(field, problem string) { t.Errorf("%s%s %s", x.Lang, field, problem) })
	}
}

func TestGermanNumbersAndTimes(t *testing.T) {
	march := time.Date(2026, time.March, 1, 9, 5, 7, 0, time.UTC)
	f := German.Formats
	for got, want := range map[string]string{
		f.Stamp(march):                   "1. März 2026, 09:05:07 UTC",
		f.Stamp(march.AddDate(0, 9, 30)): "31. Dez. 2026, 09:05:07 UTC",
		f.Clock(march):                   "09:05:07 UTC",
		f.Times(0):                       "noch nicht",
		f.Times(1):                       "1-mal",
		German.Notices.SessionsEnded(1):  "Eine Sitzung ist beendet.",
		German.Notices.SessionsEnded(2):  "2 Sitzungen sind beendet.",
		German.left(50 * 24 * time.Hour): "50 Tage",
		English.Notices.SessionsEnded(1): "One session has ended.",
		English.Notices.SessionsEnded(2): "2 sessions have ended.",
		English.Formats.Stamp(march):     "1 Mar 2026, 09:05:07 UTC",
		strings.TrimSpace(f.Stamp(noon)): "21. Nov. 2026, 12:00:23 UTC",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A host application changes some texts; the others are the English ones, and
// its changes do not reach the language's own.
func TestComplete(t *testing.T) {
	own := &Texts{SignIn: SignInTexts{Title: "Come in"}, Errors: map[string]ErrorText{"internal": {Headline: "Oops"}},
		Scopes: map[string]string{"Reports": "reads reports"}}
	x := Complete(own)
	for got, want := range map[string]string{
		x.SignIn.Title: "Come in", x.SignIn.Submit: English.SignIn.Submit,
		x.Errors["internal"].Headline: "Oops", x.Errors["internal"].Explanation: English.Errors["internal"].Explanation,
		x.Errors["not_found"].Headline: English.Errors["not_found"].Headline,
		x.Scopes["Reports"]:            "reads reports", x.Scopes["openid"]: English.Scopes["openid"],
		Complete(nil).SignIn.Title: English.SignIn.Title,
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	x.Scopes["openid"] = "changed"
	if English.Scopes["openid"] == "changed" || len(own.Scopes) != 1 {
		t.Error("a change of the completed texts changed others, want a copy")
	}
}

func TestCheckTexts(t *testing.T) {
	for name, c := range map[string]struct {
		texts Texts
		want  string // the field; empty: no problem
	}{
		"empty":              {},
		"a percent sign":     {texts: Texts{SignIn: SignInTexts{Lead: "100 % safe"}}},
		"no verb":            {Texts{Frame: FrameTexts{ErrorTitle: "Hello!"}}, ".Frame.ErrorTitle"},
		"another verb":       {Texts{Frame: FrameTexts{EndsSoon: "in %d"}}, ".Frame.EndsSoon"},
		"a width":            {Texts{Formats: FormatTexts{Days: "%2d days"}}, ".Formats.Days"},
		"a verb too many":    {Texts{SignIn: SignInTexts{Title: "Sign in, %s"}}, ".SignIn.Title"},
		"another order":      {Texts{Errors: map[string]ErrorText{"too_many_attempts": {Explanation: "At %s, in %d s."}}}, `.Errors["too_many_attempts"].Explanation`},
		"a single percent":   {Texts{Sessions: SessionsTexts{AtMost: "%d of %d, 100%"}}, ".Sessions.AtMost"},
		"an unknown error":   {Texts{Errors: map[string]ErrorText{"intrenal": {Headline: "Oops"}}}, `.Errors["intrenal"].Headline`},
		"no language":        {Texts{Lang: "Deutsch!"}, ".Lang"},
		"a regional variety": {texts: Texts{Lang: "de-AT"}},
	} {
		var got []string
		CheckTexts(&c.texts, func(field, _ string) { got = append(got, field) })
		if c.want == "" && got != nil || c.want != "" && !slices.Contains(got, c.want) {
			t.Errorf("%s: problems of %q, want %q", name, got, c.want)
		}
	}
}

// Every page takes its words from Page.Texts: with all texts in upper case, no
// lower-case word is left on a page.
func TestPagesTakeTheirWordsFromTexts(t *testing.T) {
	x := upperCase()
	page := Page{Brand: &Brand{Product: "1"}, Texts: &x, User: &User{Administrator: true}, RequestID: "1"}
	account := Account{Page: page, Scopes: []Scope{{Granted: true}, {}}, Claims: []Claim{{}}, IdleEnd: noon, Token: Token{Now: noon}}
	session := Session{Current: true, SignedIn: noon}
	empty := Account{Page: page, Token: Token{Unavailable: true}}
	for name, c := range map[string]string{
		"sign-in":        render(t, SignInPage(SignIn{Page: page, Clients: []ClientChoice{{}}})),
		"second factor":  render(t, SecondFactorPage(SecondFactor{Page: page})),
		"account":        render(t, AccountPage(account)),
		"account, empty": render(t, AccountPage(empty)),
		"sessions":       render(t, SessionsPage(Sessions{Page: page, Limit: 2, Sessions: []Session{session, {}}})),
		"no sessions":    render(t, SessionsPage(Sessions{Page: page})),
		"users":          render(t, AdminSessionsPage(AdminSessions{Page: page, Users: []SessionUser{{}}, Next: "1"})),
		"no users":       render(t, AdminSessionsPage(AdminSessions{Page: page})),
		"user":           render(t, AdminSessionsPage(AdminSessions{Page: page, Of: &SessionUser{}, Sessions: []Session{{}}})),
		"error":          render(t, ErrorPageView(ErrorPage{Page: page, Status: 1, Actions: []Action{ActionHome}})),
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
	x := *Complete(nil)
	eachText(reflect.ValueOf(&x).Elem(), "", func(_ string, v reflect.Value) {
		if v.Kind() == reflect.String && v.CanSet() {
			up := strings.ToUpper(v.String())
			v.SetString(strings.NewReplacer("%D", "%d", "%S", "%s").Replace(up))
		}
	})
	x.Formats.Times = strconv.Itoa
	x.Formats.Ago = time.Duration.String
	x.Formats.Stamp = func(t time.Time) string { return t.Format("2006") }
	x.Formats.Clock = x.Formats.Stamp
	return x
}
