package web

import (
	"net/http"
	"slices"

	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/session"
)

// sessionsPage lists the user's own sessions.
func (s *sessionPages) sessionsPage(w http.ResponseWriter, r *http.Request, u user) error {
	list, err := s.sessions.Of(r.Context(), u.Owner)
	if err != nil {
		return err
	}
	return s.answers.Render(w, r, http.StatusOK, templates.SessionsPage(templates.Sessions{
		Page: s.view(r, ""), Sessions: s.sessionViews(list, s.sessions.ID(r.Context())), Limit: s.config.MaxSessionsPerUser,
	}))
}

// sessionViews returns what a page shows of sessions. The session with the ID
// here is the one that asks, and comes first.
func (s *site) sessionViews(list []session.Session, here string) []templates.Session {
	views := make([]templates.Session, len(list))
	for i, c := range list {
		device, kind := s.deviceOf(c.User.UserAgent)
		views[i] = templates.Session{
			ID: c.ID, Device: device, Kind: kind, Client: c.User.Client,
			SignedIn: c.User.SignedIn, LastSeen: c.Seen, Current: c.ID == here,
		}
		if c.Address.IsValid() {
			views[i].Address = c.Address.String()
		}
	}
	if i := slices.IndexFunc(views, func(v templates.Session) bool { return v.Current }); i > 0 {
		current := views[i]
		views = slices.Insert(slices.Delete(views, i, i+1), 0, current)
	}
	return views
}
