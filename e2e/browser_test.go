package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// browser is one user's browser without JavaScript: a cookie jar, and tabs,
// which are its pages.
type browser struct {
	w      *world
	t      *testing.T
	base   *url.URL
	client *http.Client
}

func (w *world) browser() *browser { return newBrowser(w.t, w, w.url(), w.site.Client().Transport) }

// newBrowser returns a browser for the site at base. Its answers are searched by w.
func newBrowser(t *testing.T, w *world, base *url.URL, transport http.RoundTripper) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{w: w, t: t, base: base, client: &http.Client{
		Transport: transport, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is what a tab shows.
type page struct {
	b      *browser
	url    *url.URL
	status int
	header http.Header
	body   string
	via    []string // the paths that redirected here
}

// request is one request as a browser makes it.
type request struct {
	method string
	url    *url.URL
	form   url.Values
	site   string // Sec-Fetch-Site
	origin string
	header http.Header // more headers, or others
}

// send makes one request, redirects not followed, and checks what came back.
func (b *browser) send(r request) *page {
	b.t.Helper()
	p, err := b.try(r)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// leaving makes a request in the background. The browser goes away when the
// returned function is called; what became of the request goes to gone.
func (b *browser) leaving(r request, gone chan<- error) (leave func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	go func() {
		_, err := b.tryContext(ctx, r)
		gone <- err
	}()
	return cancel
}

// try is send for goroutines: it fails by an error.
func (b *browser) try(r request) (*page, error) { return b.tryContext(b.t.Context(), r) }

func (b *browser) tryContext(ctx context.Context, r request) (*page, error) {
	var body io.Reader
	if r.form != nil {
		body = strings.NewReader(r.form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	req.Header.Set("User-Agent", "e2e")
	for name, value := range map[string]string{
		"Sec-Fetch-Site": r.site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1", "Origin": r.origin,
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if r.form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	b.w.guard.received(r.method+" "+r.url.Path, resp, content)
	p := &page{b: b, url: r.url, status: resp.StatusCode, header: resp.Header, body: string(content)}
	b.checkAnswer(r, p)
	return p, nil
}

// navigate makes a request and follows redirects, which must not leave the site.
func (b *browser) navigate(r request) *page {
	b.t.Helper()
	var via []string
	for range 10 {
		p := b.send(r)
		to := p.header.Get("Location")
		if p.status/100 != 3 || to == "" {
			p.via = via
			return p
		}
		if p.status != http.StatusSeeOther { // req 13
			b.t.Errorf("%s %s redirects with %d", r.method, r.url.Path, p.status)
		}
		next, err := r.url.Parse(to)
		if err != nil || next.Host != b.base.Host || next.Scheme != b.base.Scheme {
			b.t.Fatalf("%s %s redirects away from the site", r.method, r.url.Path)
		}
		via = append(via, r.url.Path)
		r = request{method: http.MethodGet, url: next, site: r.site}
	}
	b.t.Fatalf("%s redirects without end", r.url.Path)
	return nil
}

// resolve is the URL of a reference on a page at from.
func (b *browser) resolve(from *url.URL, reference string) *url.URL {
	b.t.Helper()
	u, err := from.Parse(reference)
	if err != nil {
		b.t.Fatal(err)
	}
	u.Fragment = ""
	return u
}

// open loads a path typed into the address bar.
func (b *browser) open(path string) *page {
	b.t.Helper()
	return b.navigate(request{method: http.MethodGet, url: b.resolve(b.base, path), site: "none"})
}

// fetch asks as a script of the page does.
func (b *browser) fetch(path string) *page {
	b.t.Helper()
	return b.send(b.fetching(path))
}

func (b *browser) fetching(path string) request {
	return request{method: http.MethodGet, url: b.resolve(b.base, path), site: "same-origin", header: http.Header{
		"Accept": {"*/*"}, "X-Requested-With": {"fetch"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-User": nil,
	}}
}

// arrive follows a link on another site: a SameSite=Strict cookie stays at
// home. A Refresh header is then obeyed, and that is the site's own request.
func (b *browser) arrive(path string) *page {
	b.t.Helper()
	stranger := *b.client
	stranger.Jar = nil
	elsewhere := &browser{w: b.w, t: b.t, base: b.base, client: &stranger}
	first := elsewhere.send(request{method: http.MethodGet, url: b.resolve(b.base, path), site: "cross-site"})
	for _, c := range (&http.Response{Header: first.header}).Cookies() {
		b.t.Errorf("an arrival from elsewhere sets the cookie %s, over the one there is", c.Name)
	}
	_, to, ok := strings.Cut(first.header.Get("Refresh"), "url=")
	if !ok {
		return first
	}
	return b.navigate(request{method: http.MethodGet, url: b.resolve(first.url, to), site: "same-origin"})
}

// doc parses the page.
func (p *page) doc() *goquery.Document {
	p.b.t.Helper()
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader([]byte(p.body)))
	if err != nil {
		p.b.t.Fatal(err)
	}
	return doc
}

// text is what a selector shows, with a space between elements.
func (p *page) text(selector string) string {
	p.b.t.Helper()
	var words []string
	p.doc().Find(selector).Each(func(_ int, s *goquery.Selection) { words = append(words, wordsOf(s)...) })
	return strings.Join(words, " ")
}

func wordsOf(s *goquery.Selection) []string {
	var words []string
	s.Contents().Each(func(_ int, child *goquery.Selection) {
		if goquery.NodeName(child) == "#text" {
			words = append(words, strings.Fields(child.Text())...)
			return
		}
		words = append(words, wordsOf(child)...)
	})
	return words
}

// want fails unless the page is at path, with the status and all the words in its main part.
func (p *page) want(status int, path string, words ...string) *page {
	p.b.t.Helper()
	text := p.text("main")
	if p.status != status || p.url.Path != path {
		p.b.t.Fatalf("%d at %s, want %d at %s: %.300s", p.status, p.url.Path, status, path, text)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			p.b.t.Errorf("%s lacks %q: %.1000s", path, word, text)
		}
	}
	return p
}

// follow clicks on the link with that text.
func (p *page) follow(text string) *page {
	p.b.t.Helper()
	link := p.doc().Find("a").FilterFunction(func(_ int, a *goquery.Selection) bool { return strings.TrimSpace(a.Text()) == text })
	href, ok := link.First().Attr("href")
	if !ok {
		p.b.t.Fatalf("%s has no link %q", p.url.Path, text)
	}
	return p.b.navigate(request{method: http.MethodGet, url: p.b.resolve(p.url, href), site: "same-origin"})
}

// submit fills in a form of the page, by names and values, and presses one of
// its buttons, which is named by its text or its value.
func (p *page) submit(action, button string, fill ...string) *page {
	p.b.t.Helper()
	return p.b.navigate(p.filled(action, button, fill...))
}

// filled is the request that a form makes.
func (p *page) filled(action, button string, fill ...string) request {
	p.b.t.Helper()
	forms := p.doc().Find("form").FilterFunction(func(_ int, f *goquery.Selection) bool {
		return p.b.resolve(p.url, f.AttrOr("action", "")).Path == action && pressed(f, button).Length() > 0 && fits(f, fill)
	})
	if forms.Length() == 0 {
		p.b.t.Fatalf("%s has no form for %s with the button %q", p.url.Path, action, button)
	}
	form := forms.First()
	if strings.ToUpper(form.AttrOr("method", "")) != http.MethodPost {
		p.b.t.Fatalf("the form for %s does not post", action)
	}
	values := p.values(form, fill)
	if name := pressed(form, button).First().AttrOr("name", ""); name != "" {
		values.Set(name, pressed(form, button).First().AttrOr("value", ""))
	}
	return request{
		method: http.MethodPost, url: p.b.resolve(p.url, form.AttrOr("action", "")), form: values,
		site: "same-origin", origin: p.b.base.Scheme + "://" + p.b.base.Host,
	}
}

// fits reports whether the form already has what fill says of hidden fields;
// that is how forms of the same action are told apart.
func fits(form *goquery.Selection, fill []string) bool {
	for i := 0; i < len(fill); i += 2 {
		hidden := form.Find("input[type=hidden]").FilterFunction(func(_ int, in *goquery.Selection) bool { return in.AttrOr("name", "") == fill[i] })
		if hidden.Length() > 0 && hidden.AttrOr("value", "") != fill[i+1] {
			return false
		}
	}
	return true
}

// pressed finds a submit button of form by its text or its value.
func pressed(form *goquery.Selection, button string) *goquery.Selection {
	return form.Find("button[type=submit]").FilterFunction(func(_ int, b *goquery.Selection) bool {
		return strings.TrimSpace(b.Text()) == button || b.AttrOr("value", "") == button
	})
}

// values are the fields of form as a browser sends them, with fill typed in.
func (p *page) values(form *goquery.Selection, fill []string) url.Values {
	p.b.t.Helper()
	values := url.Values{}
	form.Find("input[name]").Each(func(_ int, in *goquery.Selection) {
		name, value := in.AttrOr("name", ""), in.AttrOr("value", "")
		typed := slices.Index(fill, name)
		switch kind := in.AttrOr("type", "text"); {
		case kind == "radio" && typed >= 0 && fill[typed+1] != value, kind == "radio" && typed < 0 && !in.Is("[checked]"):
			return
		case kind != "hidden" && typed >= 0:
			value = fill[typed+1]
		}
		values.Set(name, value)
	})
	for i := 0; i < len(fill); i += 2 {
		if values.Get(fill[i]) != fill[i+1] {
			p.b.t.Fatalf("the form at %s does not take %s", p.url.Path, fill[i])
		}
	}
	return values
}

// signIn signs in by the form, and ends wherever that leads.
func (b *browser) signIn(email, client string) *page {
	b.t.Helper()
	return b.open("/sign-in").signIn(email, client)
}

// signIn fills in the sign-in form of this page with the user's own password.
func (p *page) signIn(email, client string) *page {
	p.b.t.Helper()
	return p.submit("/sign-in", "Sign in", "email", email, "password", passwords[email], "client", client)
}

// cookie is the value of the session cookie, or empty.
func (b *browser) cookie() string {
	for _, c := range b.client.Jar.Cookies(b.base) {
		if strings.HasSuffix(c.Name, "b2trader-session") {
			return c.Value
		}
	}
	return ""
}

// holding returns another browser that has this one's cookie, as a thief or a
// slow request has it.
func (b *browser) holding() *browser {
	thief := newBrowser(b.t, b.w, b.base, b.client.Transport)
	thief.client.Jar.SetCookies(b.base, b.client.Jar.Cookies(b.base))
	for _, c := range b.client.Jar.Cookies(b.base) {
		c.Secure, c.Path = b.base.Scheme == "https", "/"
		thief.client.Jar.SetCookies(b.base, []*http.Cookie{c})
	}
	return thief
}
