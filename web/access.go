package web

import (
	"errors"
	"log/slog"
	"net/http"

	"b2trader.identity.auth/templates"
)

// signedIn lets h serve those who are signed in, and counts as use of the session.
func (s *Server) signedIn(h userHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		u, err := s.user(r)
		if err != nil {
			return s.askToSignIn(w, r, err)
		}
		if err := s.sessions.Touch(r.Context()); err != nil {
			s.log(r.Context(), slog.LevelWarn, "use of the session not noted", "error", err)
		}
		return h(w, r, u)
	}
}

// watching is signedIn for what is asked without a person's doing.
func (s *Server) watching(h userHandler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		u, err := s.user(r)
		if err != nil {
			return err
		}
		return h(w, r, u)
	}
}

// userHandler is a handler for someone who is signed in.
type userHandler func(w http.ResponseWriter, r *http.Request, u user) error

// administrator refuses everyone else.
func (s *Server) administrator(h userHandler) userHandler {
	return func(w http.ResponseWriter, r *http.Request, u user) error {
		if !u.Administrator {
			return &fault{
				Status:      http.StatusForbidden,
				Headline:    "This page is for administrators",
				Explanation: "It takes an administrator's account, signed in with a client that is granted the scope BackOffice. Sign in with another account or client to see it.",
				Actions:     []templates.Link{linkAccount, {Text: "Sign in as someone else", Href: "/sign-in"}},
			}
		}
		return h(w, r, u)
	}
}

// user returns who is signed in. The vault has the last word: a session whose
// tokens are gone is over, whoever still has its cookie.
func (s *Server) user(r *http.Request) (user, error) {
	u, ok := s.sessions.User(r.Context())
	if !ok {
		return user{}, errNoSession
	}
	if _, err := s.vault.Status(r.Context(), u.VaultKey); err != nil {
		return user{}, err
	}
	return u, nil
}

// askToSignIn sends a person who asks for a page to the sign-in page, and
// from there back. Scripts and forms get the error instead.
func (s *Server) askToSignIn(w http.ResponseWriter, r *http.Request, err error) error {
	if !errors.Is(err, errNoSession) || wantsJSON(r) || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return err
	}
	if fromElsewhere(r) {
		return s.landing(w, r)
	}
	http.Redirect(w, r, signInPath(r), http.StatusSeeOther) //nolint:gosec // a fixed path; only its query is from the request
	return nil
}

// fromElsewhere reports whether a link on another site led here. The browser
// then keeps a SameSite=Strict cookie back, so nothing is known of the session.
func fromElsewhere(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") == "navigate"
}

// landing is a page that loads the one asked for once more. The site itself
// then asks, so the browser sends the cookie, if there is one.
func (s *Server) landing(w http.ResponseWriter, r *http.Request) error {
	target := returnTo(r.URL.RequestURI())
	w.Header().Set("Refresh", "0; url="+target)
	return s.render(w, r, http.StatusOK, templates.ErrorPageView(templates.ErrorPage{
		Page:        s.frame(r, "One moment"),
		Headline:    "One moment",
		Explanation: "You came from another site. Your page opens at once.",
		Actions:     []templates.Link{{Text: "Go on", Href: target}},
	}))
}

// frame is what every page shows around its content, error pages included: who
// is signed in, with a way to sign out.
func (s *Server) frame(r *http.Request, title string) templates.Page {
	page := templates.Page{Title: title, Path: r.URL.Path, RequestID: visitOf(r.Context()).ID}
	if !hasSession(r.Context()) {
		return page
	}
	if u, ok := s.sessions.User(r.Context()); ok {
		page.User = &templates.User{Name: u.Nickname, Email: u.Email, Client: u.Client, Administrator: u.Administrator}
		page.Navigation = s.navigation(u)
		page.Machine = u.Administrator && len(s.config.Machine) > 0
		page.Platforms = u.Administrator && len(s.config.Platforms) > 0
	}
	return page
}

// view is frame for the pages of someone signed in, with the news there are.
func (s *Server) view(r *http.Request, title string) templates.Page {
	page := s.frame(r, title)
	page.Notice = s.sessions.Notice(r.Context())
	return page
}
