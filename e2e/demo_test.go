package e2e

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest/npmclient"
)

// testNPMWithDemo signs in, renews and signs out with the npm package at the
// demo's own IdentityServer.
func testNPMWithDemo(t *testing.T, npm *npmclient.Package) {
	d := startDemo(t, newSecrets(t), "-addr", "127.0.0.1:0")
	results := npm.Run(t, d.identity, "spa", "",
		npmclient.SignIn(trader, "trader-password"), npmclient.Authorize(), npmclient.RetrieveToken(),
		npmclient.RefreshToken(), npmclient.SignOut(), npmclient.RefreshToken())
	for i, want := range []int{http.StatusOK, 0, 0, http.StatusOK, http.StatusOK, http.StatusBadRequest} {
		if results[i].Status != want {
			t.Errorf("%s = %d, want %d", results[i].Call, results[i].Status, want)
		}
	}
	first, second := results[2], results[3]
	if first.Text("access_token") == "" || second.Text("access_token") == "" || first.Text("refresh_token") == second.Text("refresh_token") {
		t.Error("the refresh returned no new tokens")
	}
	if got := results[5].Text("error"); got != "invalid_grant" {
		t.Errorf("refresh after the sign-out: error = %q, want invalid_grant", got)
	}
	d.stop()
}

// crawler opens all pages that links lead to.
type crawler struct {
	b       *browser
	visited map[string]bool
	forms   map[string]bool // paths that forms post to
}

// crawl opens path and each link, style, script and image on it.
func (c *crawler) crawl(path string) {
	c.b.t.Helper()
	if c.visited[path] {
		return
	}
	c.visited[path] = true
	p := c.b.open(path)
	if p.status != http.StatusOK {
		c.b.t.Errorf("GET %s = %d, want 200", path, p.status)
	}
	if !strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
		return
	}
	c.head(path)
	doc := p.doc()
	for _, f := range doc.Find("form").EachIter() {
		c.forms[c.b.resolve(p.url, f.AttrOr("action", "")).Path] = true
	}
	for _, e := range doc.Find("a[href], link[href], script[src], img[src]").EachIter() {
		reference := e.AttrOr("href", e.AttrOr("src", ""))
		if id, ok := strings.CutPrefix(reference, "#"); ok {
			if n := doc.Find("[id=" + strconv.Quote(id) + "]").Length(); n != 1 {
				c.b.t.Errorf("%s: %d elements with the id %q, want 1", path, n, id)
			}
			continue
		}
		target := c.b.resolve(p.url, reference)
		if target.Host != c.b.base.Host {
			c.b.t.Errorf("%s: link to the host %s, want %s", path, target.Host, c.b.base.Host)
			continue
		}
		c.crawl(target.RequestURI())
	}
}

// head fails the test unless HEAD answers as GET does, without a body.
func (c *crawler) head(path string) {
	c.b.t.Helper()
	target := c.b.resolve(c.b.base, path)
	head := c.b.send(request{method: http.MethodHead, url: target, site: "none"})
	get := c.b.send(request{method: http.MethodGet, url: target, site: "none"})
	if head.status != get.status || head.header.Get("Content-Type") != get.header.Get("Content-Type") || head.body != "" {
		c.b.t.Errorf("HEAD %s = %d with %d bytes, want %d without a body", path, head.status, len(head.body), get.status)
	}
}

// TestEveryLinkIsServed opens what can be reached by links as a stranger, with
// a second factor pending, and as an administrator, and posts every form.
func TestEveryLinkIsServed(t *testing.T) {
	t.Parallel()
	s := newSecrets(t)
	for _, secret := range []string{"spa_admin-secret", "machine-password", "eyJhbGciOi"} { // the last begins each JWT
		s.learn("secret of the embedded server", secret)
	}
	b := startDemo(t, s, "-addr", "127.0.0.1:0").browser()
	c := &crawler{b: b, visited: map[string]bool{}, forms: map[string]bool{}}
	c.crawl("/")
	code := b.signInBy(guarded, "guarded-password", "spa").want(http.StatusOK, "/sign-in/second-factor", "246810")
	c.crawl(code.url.RequestURI())
	other := *b
	other.client = b.clone().client
	other.signInBy(admin, "admin-password", "spa") // a session that /sessions offers to end
	b.signInBy(admin, "admin-password", "spa_admin").want(http.StatusOK, "/account")
	c.visited = map[string]bool{}
	c.crawl("/account")
	for _, path := range []string{"/", "/account", "/live", "/try", "/flow", "/platforms", "/sessions", "/admin/sessions"} {
		if !c.visited[path] {
			t.Errorf("no link leads from /account to %s", path)
		}
	}
	for _, path := range []string{
		"/admin/sessions/end", "/platforms", "/sessions/end", "/sessions/end-others",
		"/sign-in", "/sign-in/second-factor", "/sign-out", "/sign-out/everywhere", "/try",
	} {
		if !c.forms[path] {
			t.Errorf("no form posts to %s", path)
		}
	}
	for path := range c.forms {
		p := b.send(request{method: http.MethodPost, url: b.resolve(b.base, path), form: url.Values{}, site: "same-origin"})
		if p.status == http.StatusNotFound || p.status == http.StatusMethodNotAllowed {
			t.Errorf("POST %s = %d, want a handler", path, p.status)
		}
	}
}
