package web

import (
	"net/http"

	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/session"
)

// user is the signed-in user of a session.
type user = session.User

// userHandler is a handler for a user who is signed in.
type userHandler func(w http.ResponseWriter, r *http.Request, u user) error

// signedIn makes h a page for signed-in users. A request for it is use of the
// session, which keeps the session from becoming idle. Without a session a
// person is asked to sign in.
func (s *Server) signedIn(h userHandler) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		u, err := s.user(r)
		if err != nil {
			return answer.AskToSignIn(err)
		}
		if err := s.sessions.Touch(r.Context()); err != nil {
			s.events.record(r.Context(), eventTouchFailed, "error", err)
		}
		return h(w, r, u)
	}
}

// polled makes h a resource that the scripts of a page load by themselves. A
// request for it is not use of the session.
func (s *Server) polled(h userHandler) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		u, err := s.user(r)
		if err != nil {
			return err
		}
		return h(w, r, u)
	}
}

// administrator refuses users who are not administrators.
func (s *Server) administrator(h userHandler) userHandler {
	return func(w http.ResponseWriter, r *http.Request, u user) error {
		if !u.Administrator {
			return &answer.Error{
				Status: http.StatusForbidden, Code: "forbidden.administrators",
				Actions: []templates.Link{templates.LinkAccount, templates.LinkOtherAccount},
			}
		}
		return h(w, r, u)
	}
}

// user returns the signed-in user. The session is over if its entry in the
// vault has ended or was deleted, even if the browser still has the cookie.
//
// Errors: answer.ErrNoSession, and those of [vault.Vault.Status].
func (s *Server) user(r *http.Request) (user, error) {
	u, ok := s.sessions.User(r.Context())
	if !ok {
		return user{}, answer.ErrNoSession
	}
	if _, err := s.vault.Status(r.Context(), u.VaultKey); err != nil {
		return user{}, err
	}
	return u, nil
}
