package web

import (
	"net/http"

	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/request"
	"b2trader.identity.auth/web/internal/session"
)

// texts are the words of the pages. Those of the errors are in
// templates.ErrorTexts.
var texts = &templates.English

// noticeValue keeps a sentence for the next page.
var noticeValue = session.NewValue[string]("n")

// frame returns what every page shows around its content, error pages included:
// who is signed in, with a way to sign out, and the navigation.
func (s *Server) frame(r *http.Request, title string) templates.Page {
	page := templates.Page{Title: title, Path: r.URL.Path, RequestID: request.Of(r.Context()).ID, Texts: texts}
	if !session.Loaded(r.Context()) {
		return page
	}
	if u, ok := s.sessions.User(r.Context()); ok {
		page.User = &templates.User{Name: u.Nickname, Email: u.Email, Client: u.Client, Administrator: u.Administrator}
		page.Navigation = s.navigation(u)
	}
	return page
}

// view returns the frame of a page for a signed-in user, with the notice that
// waits for it.
func (s *Server) view(r *http.Request, title string) templates.Page {
	page := s.frame(r, title)
	page.Notice, _ = noticeValue.Pop(r.Context(), s.sessions)
	return page
}
