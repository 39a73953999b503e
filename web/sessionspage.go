package web

import (
	"context"
	"net/http"
	"slices"

	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/session"
)

// sessionsPage lists the user's own sessions.
func (s *Server) sessionsPage(w http.ResponseWriter, r *http.Request, u user) error {
	list, err := s.sessions.Of(r.Context(), u.Owner)
	if err != nil {
		return err
	}
	return s.answers.Render(w, r, http.StatusOK, templates.SessionsPage(templates.Sessions{
		Page: s.view(r, ""), Sessions: sessionViews(list, s.sessions.ID(r.Context())), Limit: s.config.MaxSessionsPerUser,
	}))
}

// sessionViews shows sessions; the one at here is "this one".
func sessionViews(list []session.Session, here string) []templates.Session {
	views := make([]templates.Session, len(list))
	for i, c := range list {
		views[i] = templates.Session{
			ID: c.ID, Device: deviceOf(c.User.UserAgent), Client: c.User.Client,
			SignedIn: c.User.SignedIn, LastSeen: c.Seen, Current: c.ID == here,
		}
		if c.Address.IsValid() {
			views[i].Address = c.Address.String()
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
	if id == s.sessions.ID(r.Context()) {
		return s.signOut(w, r)
	}
	notice := texts.Notices.SessionEndedBefore
	ended, err := s.endSessionsOf(r, u.Owner, func(c session.Session) bool { return c.ID == id })
	if err != nil {
		return err
	}
	if ended > 0 {
		notice = texts.Notices.SessionEnded
	}
	return s.backTo(w, r, "/sessions", notice)
}

// endOtherSessions ends all of the user's sessions but this one, as after a change of the password.
func (s *Server) endOtherSessions(w http.ResponseWriter, r *http.Request, u user) error {
	here := s.sessions.ID(r.Context())
	if _, err := s.endSessionsOf(r, u.Owner, func(c session.Session) bool { return c.ID != here }); err != nil {
		return err
	}
	return s.backTo(w, r, "/sessions", texts.Notices.OthersEnded)
}

// endSessionsOf ends those sessions of an owner that which chooses.
func (s *Server) endSessionsOf(r *http.Request, owner string, which func(session.Session) bool) (int, error) {
	list, err := s.sessions.Of(r.Context(), owner)
	if err != nil {
		return 0, err
	}
	list = slices.DeleteFunc(list, func(c session.Session) bool { return !which(c) })
	s.events.record(r.Context(), eventSessionsEnded, "user", owner, "sessions", len(list))
	return len(list), s.endSessions(r.Context(), list, endOne)
}

func (s *Server) backTo(w http.ResponseWriter, r *http.Request, path, notice string) error {
	noticeValue.Put(r.Context(), s.sessions, notice)
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// endSessions ends sessions in every process: first their cookies, then their
// tokens and the streams that live by them, and then, not waiting long, what
// the IdentityServer knows of them.
//
// Errors: the store's, after which some may still be there, with their tokens.
func (s *Server) endSessions(ctx context.Context, list []session.Session, what remoteEnd) error {
	ctx = context.WithoutCancel(ctx)
	var held []holding
	var failed error
	for _, c := range list {
		if err := s.sessions.EndAt(ctx, c.ID); err != nil {
			failed = err
			break
		}
		held = append(held, holdingOf(c.User))
	}
	s.endTokens(ctx, what, held...)
	return failed
}

// keepToLimit ends the user's oldest sessions if there are more than
// Config.MaxSessionsPerUser. The one with id is the newest, whatever the clocks say.
func (s *Server) keepToLimit(ctx context.Context, u user, id string) error {
	if s.config.MaxSessionsPerUser == 0 {
		return nil
	}
	list, err := s.sessions.Of(ctx, u.Owner)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(list, func(c session.Session) bool { return c.ID == id })
	if len(others) < s.config.MaxSessionsPerUser {
		return nil
	}
	oldest := others[s.config.MaxSessionsPerUser-1:]
	s.events.record(ctx, eventSessionLimit, "user", u.Owner, "sessions", len(oldest))
	return s.endSessions(ctx, oldest, endOne)
}
