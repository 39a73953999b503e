package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"b2trader.identity.auth/web"
)

// The account page shows who it is, the scopes, the claims and the times.
func TestAccountPage(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, email, client string) {
		w := newWorld(t, setup{})
		p := w.browser().signIn(email, client).want(http.StatusOK, "/account", email, "30 s left", "sub", "iss", w.provider.URL()+"/identity")
		granted := map[string]bool{"openid": true, "offline_access": true, "FrontOffice": true, "BackOffice": client == "spa_admin"}
		p.doc().Find(".scopes > li").Each(func(_ int, li *goquery.Selection) {
			name := li.Find("code").Text()
			if want, known := granted[name]; !known || want == (strings.Contains(li.Text(), "Not granted")) {
				t.Errorf("scope %s: %s", name, strings.Join(strings.Fields(li.Text()), " "))
			}
			delete(granted, name)
		})
		if len(granted) > 0 {
			t.Errorf("the page lacks the scopes %v", granted)
		}
		claims := p.text("table.claims")
		for _, u := range users() {
			if (u.Email == email) != strings.Contains(claims, u.ID) {
				t.Errorf("the subject is not this user's: %s", claims)
			}
		}
		if strings.Contains(claims, "Admin") != (client == "spa_admin") {
			t.Errorf("the role is wrong: %s", claims)
		}
		if meter := p.doc().Find("[data-meter]").First(); span(t, meter) != life.Milliseconds() {
			t.Errorf("the token lives %d ms by its meter", span(t, meter))
		}
	})
}

// span is how long a token lives, by the attributes that the countdown reads.
func span(t *testing.T, meter *goquery.Selection) int64 {
	t.Helper()
	var times []int64
	for _, name := range []string{"data-issued", "data-expires"} {
		ms, err := strconv.ParseInt(meter.AttrOr(name, ""), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, ms)
	}
	return (times[1] - times[0] + 500) / 1000 * 1000
}

// reach is what can be found on the pages of a browser.
type reach struct {
	b       *browser
	visited map[string]bool
	forms   map[string]bool
}

// crawl opens path and everything that can be reached from it by links, styles,
// scripts and images. None may be missing. req 92, 120 are checked on each.
func (c *reach) crawl(path string) {
	c.b.t.Helper()
	if c.visited[path] {
		return
	}
	c.visited[path] = true
	p := c.b.open(path)
	if p.status != http.StatusOK {
		c.b.t.Errorf("%s gives %d", path, p.status)
	}
	c.head(path)
	if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
		return
	}
	doc := p.doc()
	doc.Find("form").Each(func(_ int, f *goquery.Selection) { c.forms[c.b.resolve(p.url, f.AttrOr("action", "")).Path] = true })
	doc.Find("a[href], link[href], script[src], img[src]").Each(func(_ int, e *goquery.Selection) {
		reference := e.AttrOr("href", e.AttrOr("src", ""))
		if id, ok := strings.CutPrefix(reference, "#"); ok {
			if doc.Find("[id="+strconv.Quote(id)+"]").Length() != 1 {
				c.b.t.Errorf("%s: the link to #%s leads nowhere", path, id)
			}
			return
		}
		target := c.b.resolve(p.url, reference)
		if target.Host != c.b.base.Host {
			c.b.t.Errorf("%s refers to another host, %s", path, target.Host)
			return
		}
		c.crawl(target.RequestURI())
	})
}

// head fails unless HEAD answers as GET does, without a body.
func (c *reach) head(path string) {
	c.b.t.Helper()
	target := c.b.resolve(c.b.base, path)
	head := c.b.send(request{method: http.MethodHead, url: target, site: "none"})
	get := c.b.send(request{method: http.MethodGet, url: target, site: "none"})
	if head.status != get.status || head.header.Get("Content-Type") != get.header.Get("Content-Type") || head.body != "" {
		c.b.t.Errorf("HEAD %s gives %d %s with %d bytes, GET %d %s", path, head.status, head.header.Get("Content-Type"), len(head.body),
			get.status, get.header.Get("Content-Type"))
	}
}

// Every link, style, script, image and form action on any page is served.
func TestEveryLinkIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	c := &reach{b: b, visited: map[string]bool{}, forms: map[string]bool{}}
	c.crawl("/sign-in")
	b.signIn(guarded, "spa")
	c.crawl(b.signIn(guarded, "spa").url.RequestURI())
	w.browser().signIn(admin, "spa").want(http.StatusOK, "/account") // another session to be ended
	b.signIn(admin, "spa_admin").want(http.StatusOK, "/account")
	c.visited = map[string]bool{}
	c.crawl("/account")
	for _, path := range []string{"/", "/account", "/try", "/flow", "/sessions", "/machine", "/admin/sessions"} {
		if !c.visited[path] {
			t.Errorf("%s cannot be reached from /account", path)
		}
	}
	want := []string{
		"/admin/sessions", "/admin/sessions/end", "/machine", "/sessions/end", "/sessions/end-others",
		"/sign-in", "/sign-in/second-factor", "/sign-out", "/sign-out/everywhere", "/try",
	}
	var forms []string
	for path := range c.forms {
		forms = append(forms, path)
		p := b.send(request{method: http.MethodPost, url: b.resolve(b.base, path), form: url.Values{}, site: "same-origin"})
		if p.status == http.StatusNotFound || p.status == http.StatusMethodNotAllowed {
			t.Errorf("POST %s gives %d", path, p.status)
		}
	}
	if slices.Sort(forms); !slices.Equal(forms, want) {
		t.Errorf("the forms lead to %v, want %v", forms, want)
	}
}

// The pages that scripts would be needed for do not exist: each works as a
// form or link, and what the script asks for is served too.
func TestScriptsFindTheirFragment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	p := b.signIn(trader, "spa")
	path := p.doc().Find("[data-token-live]").AttrOr("data-token-live", "")
	card := b.fetch(path)
	if card.status != http.StatusOK || card.doc().Find("body > [data-token-card]").Length() != 1 {
		t.Errorf("%q gives %d", path, card.status)
	}
	if p.doc().Find(".no-js a[href='/account']").Length() != 1 {
		t.Error("without JavaScript there is no way to refresh the card")
	}
}

// Error pages have a status, one heading, a way on, and the request's id; no
// path or query is repeated. req 10, 125
func TestErrorPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	signedIn := w.browser()
	signedIn.signIn(trader, "spa")
	for _, tab := range []*browser{b, signedIn} {
		p := tab.open("/no/such/page?secret=tell-nobody<script>")
		p.want(http.StatusNotFound, "/no/such/page", "There is no such page")
		if strings.Contains(p.body, "tell-nobody") || strings.Contains(p.body, "no/such") {
			t.Error("the page repeats what was asked for")
		}
		p.follow("To the start page")
		tab.open("/sign-in/second-factor?attempt=nonsense").want(http.StatusForbidden, "/sign-in/second-factor").follow("Sign in")
		tab.open("/static/nonsense.css")
		put := tab.send(request{method: http.MethodPut, url: tab.resolve(tab.base, "/account"), form: url.Values{}, site: "same-origin"})
		put.want(http.StatusMethodNotAllowed, "/account")
	}
}

// req 107: a body larger than any form is refused.
func TestOversizedForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	form := b.open("/sign-in").filled("/sign-in", "Sign in", "email", trader, "password", strings.Repeat("x", 1<<17), "client", "spa")
	b.navigate(form).want(http.StatusRequestEntityTooLarge, "/sign-in", "That was too much")
}

// A site without machines or APIs offers neither.
func TestNothingToOffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{web: func(c *web.Config) { c.Machine, c.FrontOfficeURL, c.BackOfficeURL = nil, "", "" }})
	b := w.browser()
	p := b.signIn(admin, "spa_admin")
	if p.doc().Find(`a[href="/machine"]`).Length() != 0 {
		t.Error("the navigation offers the machine page")
	}
	b.open("/try").want(http.StatusOK, "/try", "No API is configured")
}
