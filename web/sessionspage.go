package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
)

// sessionsPage lists the user's own sessions.
func (s *Server) sessionsPage(w http.ResponseWriter, r *http.Request, u user) error {
	list, err := s.sessions.store.Of(r.Context(), u.Owner)
	if err != nil {
		return answer.StoreUnavailable(err)
	}
	return s.answers.Render(w, r, http.StatusOK, templates.SessionsPage(templates.Sessions{
		Page: s.view(r, "Sessions"), Sessions: sessionViews(list, s.sessions.Place(r.Context())), Limit: s.config.MaxSessionsPerUser,
	}))
}

// sessionViews shows sessions; the one at here is "this one".
func sessionViews(list []*storedSession, here string) []templates.Session {
	views := make([]templates.Session, len(list))
	for i, c := range list {
		v := c.Value
		views[i] = templates.Session{
			ID: strings.TrimPrefix(c.Key, sessionPrefix), Device: deviceOf(v.user.UserAgent), Client: v.user.Client,
			SignedIn: v.user.SignedIn, LastSeen: v.seen, Current: c.Key == here,
		}
		if v.address.IsValid() {
			views[i].Address = v.address.String()
		}
	}
	return views
}

// endSession ends one of the user's own sessions. Ending this one is a sign-out.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request, u user) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	id := form.Get("session")
	if sessionPrefix+id == s.sessions.Place(r.Context()) {
		return s.signOut(w, r)
	}
	notice := "The session had ended already."
	ended, err := s.endSessionsOf(r, u.Owner, func(c *storedSession) bool { return c.Key == sessionPrefix+id })
	if err != nil {
		return err
	}
	if ended > 0 {
		notice = "The session is ended."
	}
	return s.backTo(w, r, "/sessions", notice)
}

// endOtherSessions ends all of the user's sessions but this one, as after a change of the password.
func (s *Server) endOtherSessions(w http.ResponseWriter, r *http.Request, u user) error {
	here := s.sessions.Place(r.Context())
	if _, err := s.endSessionsOf(r, u.Owner, func(c *storedSession) bool { return c.Key != here }); err != nil {
		return err
	}
	return s.backTo(w, r, "/sessions", "All other sessions are ended.")
}

// endSessionsOf ends those sessions of an owner that which chooses.
func (s *Server) endSessionsOf(r *http.Request, owner string, which func(*storedSession) bool) (int, error) {
	list, err := s.sessions.store.Of(r.Context(), owner)
	if err != nil {
		return 0, answer.StoreUnavailable(err)
	}
	list = slices.DeleteFunc(list, func(c *storedSession) bool { return !which(c) })
	s.events.record(r.Context(), eventSessionsEnded, "user", owner, "sessions", len(list))
	return len(list), s.endSessions(r.Context(), list, endOne)
}

func (s *Server) backTo(w http.ResponseWriter, r *http.Request, path, notice string) error {
	s.sessions.PutNotice(r.Context(), notice)
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

var errUnknownUser = errors.New("no such user")
