package web_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/a-h/templ"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// hostPages is a host application with a page for everyone signed in, one for
// administrators, and a style sheet.
func hostPages(c *web.Config) {
	orders := func(w http.ResponseWriter, r *http.Request, s *web.Session) error {
		switch r.URL.Query().Get("do") {
		case "refuse":
			return &web.Error{Status: http.StatusConflict, Headline: "The market is closed", Err: errors.New("private")}
		case "fail":
			return errors.New("private")
		case "call":
			resp, err := s.HTTPClient().Get("http://127.0.0.1/frontoffice/api/v3/account")
			if err != nil {
				return err
			}
			defer func() { _ = resp.Body.Close() }()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				return err
			}
			return s.Render(w, web.Content{Title: "Answer", Status: resp.StatusCode, Body: templ.Raw(templ.EscapeString(string(body)))})
		}
		var last string
		s.Get("last", &last)
		text := fmt.Sprintf("<h1>Orders</h1><p>%s %s %s %v %t last=%s</p>", s.Nickname, s.Email, s.Client, s.Scopes, s.Administrator, last)
		return s.Render(w, web.Content{Title: "Orders", Styles: []string{"/assets/orders.css"}, Body: templ.Raw(text)})
	}
	place := func(w http.ResponseWriter, r *http.Request, s *web.Session) error {
		if r.PostForm.Get("order") == "" {
			return &web.Error{Status: http.StatusBadRequest}
		}
		if err := s.Put("last", r.PostForm.Get("order")); err != nil {
			return err
		}
		s.Notify("The order is placed.")
		http.Redirect(w, r, "/orders", http.StatusSeeOther)
		return nil
	}
	c.Pages = []web.Page{
		{Path: "/orders", Name: "Orders", Get: orders, Post: place},
		{Path: "/risk", Name: "Risk", AdministratorsOnly: true, Get: orders},
	}
	c.Public = map[string]http.Handler{"/assets/": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "h1{}") })}
}

func TestHostPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t, hostPages).browser()
		b.get("/orders").leadsTo("/sign-in?return_to=%2Forders")
		b.post("/orders", "order", "1").is(401)
		b.get("/assets/orders.css").is(200)
		b.signIn("trader", "spa", "return_to", "/orders").leadsTo("/orders")
		page := b.get("/orders").is(200, "<h1>Orders</h1>", "trader@example.com spa", "FrontOffice", "false last=")
		doc := page.doc()
		if got := doc.Find(`nav a[aria-current="page"]`).Text(); got != "Orders" {
			t.Errorf("the current entry of the navigation is %q, want Orders", got)
		}
		if doc.Find(`nav a[href="/risk"]`).Length() != 0 || doc.Find(`link[rel=stylesheet][href="/assets/orders.css"]`).Length() != 1 {
			t.Errorf("the frame of /orders offers /risk to a trader, or lacks the style sheet: %s", page.body)
		}
		b.post("/orders", "order", "10 BTC").leadsTo("/orders")
		b.get("/orders").is(200, "last=10 BTC", "The order is placed.")
		if a := b.get("/orders"); strings.Contains(a.body, "is placed.") {
			t.Error("the notice is shown twice")
		}
		b.post("/orders").is(400)
		b.post("/orders", "order", strings.Repeat("x", 65<<10)).is(413)
		b.get("/orders?do=refuse").is(409, "The market is closed")
		b.get("/orders?do=fail").is(500, "Something went wrong here")
		b.get("/orders?do=call").is(200, "trader@example.com")
		b.get("/risk").is(403, "for administrators")
		b.post("/risk").is(405)
		b.signIn("admin", "spa_admin").leadsTo("/account")
		b.get("/risk").is(200, "admin@example.com spa_admin", "true last=</p>") // what the trader kept is not the administrator's
	})
}

// A page whose token is gone ends the session, and one whose token cannot be
// had just now keeps it.
func TestHostPageWithoutAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, hostPages)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 503, Times: -1})
		pass(time.Minute) // the token expires
		if a := b.get("/orders?do=call").is(503); a.header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
		s.identity.ClearFaults()
		pass(time.Minute)
		b.get("/orders?do=call").is(200)
		s.lockOut("trader@example.com")
		pass(time.Minute)
		b.get("/orders?do=call").is(401)
		b.get("/orders").leadsTo("/sign-in?return_to=%2Forders")
	})
}

// An error does not arrive as the file that the page was about to send.
func TestHostPageThatFailsLate(t *testing.T) {
	file := func(w http.ResponseWriter, r *http.Request, _ *web.Session) error {
		for name, value := range map[string]string{
			"Content-Type": "text/csv", "Content-Length": "5", "Content-Encoding": "gzip", "Content-Disposition": "attachment",
			"Etag": `"1"`, "Cache-Control": "private, max-age=60", "Expires": "Fri, 27 Nov 2099 00:00:00 GMT", "X-Own": "1",
		} {
			w.Header().Set(name, value)
		}
		if r.URL.Query().Has("panic") {
			panic("late")
		}
		return errors.New("private")
	}
	upload := func(_ http.ResponseWriter, r *http.Request, _ *web.Session) error {
		_, err := io.Copy(io.Discard, r.Body)
		return err
	}
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t, func(c *web.Config) { c.Pages = []web.Page{{Path: "/file", Get: file, Post: upload}} }).browser()
		b.signIn("trader", "spa").leadsTo("/account")
		b.send(b.request(http.MethodPost, "/file", strings.NewReader(strings.Repeat("x", 65<<10)))).is(413)
		for _, path := range []string{"/file", "/file?panic"} {
			h := b.get(path).is(500, "Something went wrong here").header
			for _, name := range []string{"Content-Length", "Content-Encoding", "Content-Disposition", "Etag", "Expires"} {
				if h.Get(name) != "" {
					t.Errorf("the error of %s has %s: %s", path, name, h.Get(name))
				}
			}
			if h.Get("Cache-Control") != "no-store" || !strings.HasPrefix(h.Get("Content-Type"), "text/html") || h.Get("X-Own") != "1" {
				t.Errorf("the error of %s has %v", path, h)
			}
		}
	})
}

// A panic after the first bytes cuts the connection: a part of an answer must not
// look complete.
func TestPanicHalfway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) {
			c.Pages = []web.Page{{Path: "/half", Get: func(w http.ResponseWriter, _ *http.Request, _ *web.Session) error {
				_, _ = io.WriteString(w, "half")
				return errors.New(w.Header()["X-None"][0])
			}}}
		})
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		defer func() {
			if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // a panic's value, as net/http compares it
				t.Errorf("the panic is %v, want http.ErrAbortHandler", p)
			}
			if !strings.Contains(s.log.String(), "index out of range") {
				t.Error("the log lacks the cause")
			}
		}()
		b.get("/half")
	})
}

func TestPagesAreValidated(t *testing.T) {
	page := func(http.ResponseWriter, *http.Request, *web.Session) error { return nil }
	for _, c := range []struct {
		page  web.Page
		field string // empty: the page is good
	}{
		{web.Page{Path: "/orders", Name: "Orders", Get: page, Post: page}, ""},
		{web.Page{Path: "/orders/{id}", Get: page}, ""},
		{web.Page{Path: "/import", Post: page}, ""},
		{web.Page{Get: page}, "Path"},
		{web.Page{Path: "orders", Get: page}, "Path"},
		{web.Page{Path: "GET /orders", Get: page}, "Path"},
		{web.Page{Path: "/orders?x", Get: page}, "Path"},
		{web.Page{Path: "/{id", Get: page}, "Path"},
		{web.Page{Path: "/", Get: page}, "Path"},
		{web.Page{Path: "/account", Get: page}, "Path"},
		{web.Page{Path: "/sessions/end", Get: page}, "Path"}, // the site's own answers POST
		{web.Page{Path: "/healthz", Get: page}, "Path"},
		{web.Page{Path: "/api/orders", Get: page}, "Path"},
		{web.Page{Path: "/static/orders", Get: page}, "Path"},
		{web.Page{Path: "/orders"}, "Get"},
		{web.Page{Path: "/orders", Name: "Orders", Post: page}, "Get"},
		{web.Page{Path: "/orders/{id}", Name: "Order", Get: page}, "Name"},
	} {
		got := pageProblems(t, web.Config{Pages: []web.Page{c.page}})
		var want []string
		if c.field != "" {
			want = []string{"Config.Pages[0]." + c.field}
		}
		if !slices.Equal(got, want) {
			t.Errorf("problems of %+v = %q, want %q", c.page, got, want)
		}
	}
	twice := web.Config{Pages: []web.Page{{Path: "/a", Get: page}, {Path: "/a", Get: page}}, Public: map[string]http.Handler{"/a": http.NotFoundHandler(), "/b": nil}}
	if got := pageProblems(t, web.Config{FrontPage: &web.Content{Title: "Welcome"}}); !slices.Equal(got, []string{"Config.FrontPage.Body"}) {
		t.Errorf("problems of a front page without a body = %q, want its Body", got)
	}
	got := pageProblems(t, twice)
	slices.Sort(got)
	if want := []string{`Config.Pages[1].Path`, `Config.Public["/a"]`, `Config.Public["/b"]`}; !slices.Equal(got, want) {
		t.Errorf("problems of two pages with one path = %q, want %q", got, want)
	}
}

// A host application's front page is for users who are not signed in.
func TestFrontPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) {
			c.FrontPage = &web.Content{Title: "Welcome", Styles: []string{"/front.css"}, Body: templ.Raw("<h1>Shown in front</h1>")}
		})
		b := s.browser()
		page := b.get("/").is(200, "Shown in front").doc()
		if title := page.Find("title").Text(); !strings.HasPrefix(title, "Welcome · ") || page.Find(`link[href="/front.css"]`).Length() != 1 {
			t.Errorf("title = %q, want Welcome and the style sheet of the page", title)
		}
		b.get("/account").leadsTo("/sign-in")
		b.signIn("guarded", "spa") // its second factor is pending
		b.get("/").is(200, "Shown in front")
		b.signIn("trader", "spa").leadsTo("/account")
		b.get("/").leadsTo("/account")
		b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
		b.get("/").is(200, "Shown in front")
		b.header.Set("Sec-Fetch-Site", "cross-site")
		b.header.Set("Sec-Fetch-Mode", "navigate")
		b.get("/").is(200, "Continue") // the request lacks the Strict cookie
	})
}

// pageProblems returns the fields of Config.Pages and Config.Public that New refuses.
func pageProblems(t *testing.T, c web.Config) []string {
	t.Helper()
	var fields []string
	all, _ := problemFields(c) // c has no clients, so New always refuses it
	for _, f := range all {
		if strings.HasPrefix(f, "Pages") || strings.HasPrefix(f, "Public[") || strings.HasPrefix(f, "FrontPage") {
			fields = append(fields, "Config."+f)
		}
	}
	return fields
}
