package web

import (
	"net/http"
	"time"

	"b2trader.identity.auth/templates"
)

// The lanes of the sequence diagram.
const (
	laneBrowser = iota
	laneServer
	laneIdentity
)

func (s *Server) flow(w http.ResponseWriter, r *http.Request, _ user) error {
	return s.answers.Render(w, r, http.StatusOK, templates.FlowPage(templates.Flow{
		Page:  s.view(r, "The flow of your sign-in"),
		Lanes: []string{"Browser", "This server", "IdentityServer"},
		Steps: steps(s.sessions.Flow(r.Context())),
	}))
}

// steps draws exchanges, which are in the order in which they began.
func steps(exchanges []exchange) []templates.Step {
	var began time.Time
	if len(exchanges) > 0 {
		began = exchanges[0].Started
	}
	views := make([]templates.Step, len(exchanges))
	for i, e := range exchanges {
		views[i] = templates.Step{
			From: laneServer, To: laneIdentity,
			Label: e.Method + " " + e.Path, Details: e.Details,
			Status: e.Status, After: e.Started.Sub(began), Took: e.Took, Failed: e.Failed,
		}
		if e.Browser {
			views[i].From, views[i].To = laneBrowser, laneServer
		}
	}
	return views
}
