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

// browser is a browser of one user, without JavaScript. It has a cookie jar.
type browser struct {
	t       *testing.T
	secrets *secrets
	base    *url.URL // of the site
	client  *http.Client
}

// browser returns a new browser for the site. Each answer is checked by
// checkAnswer and searched for secrets.
func (d *demo) browser() *browser {
	d.t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	d.t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: d.t, secrets: d.secrets, base: d.site, client: &http.Client{
		Transport: transport, Jar: must(cookiejar.New(nil))(d.t),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// clone returns another browser with the same cookie, as a thief has it.
func (b *browser) clone() *browser {
	client := *b.client
	client.Jar = must(cookiejar.New(nil))(b.t)
	client.Jar.SetCookies(b.base, b.client.Jar.Cookies(b.base))
	other := *b
	other.client = &client
	return &other
}

// cookie returns the value of the session cookie, or "".
func (b *browser) cookie() string {
	for _, c := range b.client.Jar.Cookies(b.base) {
		if strings.HasSuffix(c.Name, "b2trader-session") {
			return c.Value
		}
	}
	return ""
}

// page is an answer as a tab shows it.
type page struct {
	b      *browser
	url    *url.URL
	status int
	header http.Header
	body   string
}

// request is one request as a browser makes it.
type request struct {
	method string
	url    *url.URL
	form   url.Values
	site   string // Sec-Fetch-Site
	origin string
	header http.Header // replaces the headers of a navigation
}

// send makes one request. It does not follow redirects.
func (b *browser) send(r request) *page {
	b.t.Helper()
	p, err := b.try(r)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// background makes a request in the background and sends its error to done. The
// browser hangs up when the returned function is called.
func (b *browser) background(r request, done chan<- error) (hangUp func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	go func() {
		_, err := b.tryContext(ctx, r)
		done <- err
	}()
	return cancel
}

// try is send for goroutines: it returns an error.
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
	b.secrets.received(r.method+" "+r.url.Path, resp, content)
	p := &page{b: b, url: r.url, status: resp.StatusCode, header: resp.Header, body: string(content)}
	b.checkAnswer(r, p)
	return p, nil
}

// navigate makes a request and follows redirects, which must not leave the site.
func (b *browser) navigate(r request) *page {
	b.t.Helper()
	for range 10 {
		p := b.send(r)
		to := p.header.Get("Location")
		if p.status/100 != 3 || to == "" {
			return p
		}
		if p.status != http.StatusSeeOther { // req 13
			b.t.Errorf("%s %s redirects with %d, want 303", r.method, r.url.Path, p.status)
		}
		next, err := r.url.Parse(to)
		if err != nil || next.Host != b.base.Host || next.Scheme != b.base.Scheme {
			b.t.Fatalf("%s %s redirects to %q, want a URL of the site", r.method, r.url.Path, to)
		}
		r = request{method: http.MethodGet, url: next, site: r.site}
	}
	b.t.Fatalf("%s redirects more than 10 times", r.url.Path)
	return nil
}

// resolve returns the URL of a reference on a page at from.
func (b *browser) resolve(from *url.URL, reference string) *url.URL {
	b.t.Helper()
	u, err := from.Parse(reference)
	if err != nil {
		b.t.Fatal(err)
	}
	u.Fragment = ""
	return u
}

// open loads a path, as if it was typed into the address bar.
func (b *browser) open(path string) *page {
	b.t.Helper()
	return b.navigate(request{method: http.MethodGet, url: b.resolve(b.base, path), site: "none"})
}

// fetch makes a request as a script of the page does.
func (b *browser) fetch(path string) *page {
	b.t.Helper()
	return b.send(b.fetching(path))
}

func (b *browser) fetching(path string) request {
	return request{method: http.MethodGet, url: b.resolve(b.base, path), site: "same-origin", header: http.Header{
		"Accept": {"*/*"}, "X-Requested-With": {"fetch"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-User": nil,
	}}
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

// text returns the text of a selector, with a space between elements.
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

// want fails the test unless the page is at path, with the status, and its main
// part contains the words.
func (p *page) want(status int, path string, words ...string) *page {
	p.b.t.Helper()
	text := p.text("main")
	if p.status != status || p.url.Path != path {
		p.b.t.Fatalf("page = %d at %s, want %d at %s: %.300s", p.status, p.url.Path, status, path, text)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			p.b.t.Errorf("%s = %.1000s, want %q in it", path, text, word)
		}
	}
	return p
}

// follow clicks the link with that text.
func (p *page) follow(text string) *page {
	p.b.t.Helper()
	link := p.doc().Find("a").FilterFunction(func(_ int, a *goquery.Selection) bool { return strings.TrimSpace(a.Text()) == text })
	href, ok := link.First().Attr("href")
	if !ok {
		p.b.t.Fatalf("%s has no link %q", p.url.Path, text)
	}
	return p.b.navigate(request{method: http.MethodGet, url: p.b.resolve(p.url, href), site: "same-origin"})
}

// submit fills in a form of the page and presses one of its buttons. fill is
// names and values by turns; a button is found by its text or its value.
func (p *page) submit(action, button string, fill ...string) *page {
	p.b.t.Helper()
	return p.b.navigate(p.filled(action, button, fill...))
}

// filled returns the request that submit makes.
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
		p.b.t.Fatalf("method of the form for %s = %q, want POST", action, form.AttrOr("method", ""))
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

// fits reports whether the form's hidden fields have the values in fill. That
// tells forms with the same action apart.
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

// values returns the fields of form as a browser sends them, with fill typed in.
func (p *page) values(form *goquery.Selection, fill []string) url.Values {
	p.b.t.Helper()
	values := url.Values{}
	form.Find("input[name]").Each(func(_ int, in *goquery.Selection) {
		name, value := in.AttrOr("name", ""), in.AttrOr("value", "")
		typed := slices.Index(fill, name)
		switch kind := in.AttrOr("type", "text"); {
		case kind == "radio" && typed >= 0 && fill[typed+1] != value, (kind == "radio" || kind == "checkbox") && typed < 0 && !in.Is("[checked]"):
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

// signIn signs a user of identityServer in, and returns the page that follows.
func (b *browser) signIn(email, client string) *page {
	b.t.Helper()
	return b.signInBy(email, passwords[email], client)
}

// signInBy signs in by the form of /sign-in.
func (b *browser) signInBy(email, password, client string) *page {
	b.t.Helper()
	return b.open("/sign-in").submit("/sign-in", "Sign in", "email", email, "password", password, "client", client)
}
