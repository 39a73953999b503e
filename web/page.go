package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/static"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// A Page is one path of the site that the host application answers, for
// signed-in users. Requests without a session, from another site or with a body
// over 64 KiB do not reach it: they get the site's own answers. Every answer
// carries the site's security headers and is not stored, see [Session.Render]
// for what the Content-Security-Policy allows.
type Page struct {
	// Path is the path of the page, such as "/orders". It may have wildcards,
	// as patterns of http.ServeMux have: "/orders/{id}".
	Path string

	// Name is the text of the page's entry in the navigation. Empty: the page
	// has no entry.
	Name string

	// AdministratorsOnly refuses other users with 403, and hides the page's
	// entry in the navigation from them.
	AdministratorsOnly bool

	// Get answers GET and HEAD, and Post answers POST. At least one is needed.
	// The other method gets 405.
	Get, Post PageHandler
}

// A PageHandler answers one request of a signed-in user. For a POST, r.PostForm
// is parsed if the body is a form.
//
// If it returns an error, it must not have answered: the site logs the error
// and answers for it. An [*Error] has a status and may have words of its own.
// An error of [Session.Transport] that says that there is no token becomes 503
// with Retry-After, or 401 and the end of the session. Any other error becomes
// 500, and its text is not shown.
type PageHandler func(w http.ResponseWriter, r *http.Request, s *Session) error

// An Error tells the site how to answer for a [PageHandler].
type Error struct {
	Status int // the HTTP status

	// Headline and Explanation are shown to the user. Empty: the site's usual
	// words for the status.
	Headline, Explanation string

	RetryAfter time.Duration // the header Retry-After. Zero: no header

	Err error // the cause, for the log only; it may be nil
}

// Error returns the status and the cause.
func (e *Error) Error() string {
	if e.Err == nil {
		return http.StatusText(e.Status)
	}
	return fmt.Sprintf("%s: %v", http.StatusText(e.Status), e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// addPages routes the pages of the host application.
func (s *Server) addPages(mux *http.ServeMux) {
	for _, p := range s.config.Pages {
		for method, h := range map[string]PageHandler{http.MethodGet: p.Get, http.MethodPost: p.Post} {
			if h == nil {
				continue
			}
			serve := s.hostPage(h)
			if p.AdministratorsOnly {
				serve = s.administrator(serve)
			}
			mux.Handle(method+" "+p.Path, named(p.Path, s.answers.Page(s.signedIn(serve))))
		}
	}
}

// hostPage calls a handler of the host application with the session.
func (s *site) hostPage(h PageHandler) userHandler {
	return func(w http.ResponseWriter, r *http.Request, u user) error {
		if r.Method == http.MethodPost {
			if _, err := answer.Form(r); err != nil {
				return err
			}
		}
		session, err := s.hostSession(r, u)
		if err != nil {
			return err
		}
		return hostError(h(w, r, session))
	}
}

// hostError makes the site's error of one of the host application. Only an
// error of [Session.Transport] may say that the session has ended: the host
// application may have a vault of its own, whose errors are the same.
func hostError(err error) error {
	if err == nil {
		return nil
	}
	if ofSession, ok := errors.AsType[*sessionError](err); ok {
		return ofSession.err
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge
	}
	e := &answer.Error{Status: http.StatusInternalServerError, Err: errors.New(err.Error())}
	if told, ok := errors.AsType[*Error](err); ok {
		e.Status, e.RetryAfter = told.Status, told.RetryAfter
		e.Words = templates.ErrorText{Headline: told.Headline, Explanation: told.Explanation}
	}
	return e
}

// navigation lists the entries of the pages that u may open.
func (c Config) navigation(u user) []templates.Link {
	var links []templates.Link
	for _, p := range c.Pages {
		if p.Name != "" && (u.Administrator || !p.AdministratorsOnly) {
			links = append(links, templates.Link{Text: p.Name, Href: p.Path})
		}
	}
	return links
}

// checkPages reports every problem of Config.Pages and Config.Public.
func (c Config) checkPages(p *tokenapi.Problems) {
	taken := http.NewServeMux()
	for _, path := range []string{"/healthz", "/readyz", backChannelPath} {
		_ = register(taken, path)
	}
	for pattern := range new(Server).pageRoutes(taken) {
		_, path, _ := strings.Cut(pattern, "/") // after the method, if there is one
		_ = register(taken, "/"+path)           // the error says that the path has two methods
	}
	for i, page := range c.Pages {
		field := fmt.Sprintf("Pages[%d]", i)
		if problem := pathProblem(taken, page.Path); problem != "" {
			p.Add(field+".Path", "%s", problem)
		}
		if page.Get == nil && page.Post == nil {
			p.Add(field+".Get", "is missing, and so is Post: one of them must answer")
		}
		if page.Name != "" && page.Get == nil {
			p.Add(field+".Get", "is missing: the navigation leads to the page")
		}
		if page.Name != "" && strings.Contains(page.Path, "{") {
			p.Add(field+".Name", "must be empty: the navigation cannot fill in the wildcard of the path")
		}
	}
	if c.FrontPage != nil && c.FrontPage.Body == nil {
		p.Add("FrontPage.Body", "is missing")
	}
	for path, h := range c.Public {
		field := fmt.Sprintf("Public[%q]", path)
		if problem := pathProblem(taken, path); problem != "" {
			p.Add(field, "%s", problem)
		}
		if h == nil {
			p.Add(field, "has no handler")
		}
	}
}

// pathProblem says what is wrong with a path of the host application, or
// returns "" and registers the path.
func pathProblem(taken *http.ServeMux, path string) string {
	switch {
	case path == "":
		return "is missing"
	case !strings.HasPrefix(path, "/"):
		return "must begin with a slash"
	case strings.ContainsAny(path, " ?#"):
		return "must be a path alone, without method, query and fragment"
	case request.BelowAPIs(path), strings.HasPrefix(path, static.Prefix):
		return "is below a path that belongs to the site"
	}
	if err := register(taken, path); err != nil {
		return "cannot be added: it is a path of the site or of another page, or it is malformed"
	}
	return ""
}

// register adds path to taken. Its error says that the path conflicts with
// another or is malformed, which http.ServeMux reports by a panic.
func register(taken *http.ServeMux, path string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	taken.Handle(path, http.NotFoundHandler())
	return nil
}
