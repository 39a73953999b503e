package showcase

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web"
)

// The bounds of one sign-in's diagram.
const (
	maxParameters    = 12  // of one exchange
	maxParameterSize = 120 // bytes
)

// flowValue names the steps of the sign-in in the session.
const flowValue = "flow"

// The lanes of the sequence diagram.
const (
	laneBrowser = iota
	laneServer
	laneIdentity
)

// KeepFlow keeps the exchanges of a sign-in for the diagram. It is for
// web.Config.OnSignIn.
func KeepFlow(s *web.Session, exchanges []tokenapi.Exchange) {
	if err := s.Put(flowValue, steps(exchanges)); err != nil {
		s.Logger().Warn("sign-in diagram not kept", "error", err)
	}
}

// flow shows the diagram of the sign-in that began the session.
func (*Showcase) flow(w http.ResponseWriter, _ *http.Request, s *web.Session) error {
	var recorded []Step
	s.Get(flowValue, &recorded)
	return s.Render(w, web.Content{Title: "The flow of your sign-in", Styles: styles, Body: flowPage(Flow{
		Lanes: []string{"Browser", "This server", "IdentityServer"},
		Steps: recorded,
	})})
}

// steps describes exchanges, which are in the order in which they began.
func steps(exchanges []tokenapi.Exchange) []Step {
	var began time.Time
	if len(exchanges) > 0 {
		began = exchanges[0].Started
	}
	described := make([]Step, len(exchanges))
	for i, e := range exchanges {
		path, from, to := e.URL, laneServer, laneIdentity
		if u, err := url.Parse(e.URL); err == nil {
			path = u.Path
		}
		if strings.HasPrefix(e.URL, "/") { // the browser's own request
			from, to = laneBrowser, laneServer
		}
		described[i] = Step{
			From: from, To: to, Label: e.Method + " " + short(path), Details: details(e),
			Status: e.StatusCode, After: e.Started.Sub(began), Took: e.Duration,
			Failed: e.Err != nil || e.StatusCode >= http.StatusBadRequest,
		}
	}
	return described
}

// details lists the parameters, sorted by name, and where the answer redirects.
func details(e tokenapi.Exchange) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(e.Parameters)) {
		if len(lines) == maxParameters {
			break
		}
		lines = append(lines, short(name+"="+strings.Join(e.Parameters[name], " ")))
	}
	if e.Redirect != "" {
		lines = append(lines, short("answered with a redirect to "+e.Redirect))
	}
	return lines
}

// short cuts what is longer than the page has room for.
func short(s string) string {
	if len(s) <= maxParameterSize {
		return s
	}
	return strings.ToValidUTF8(s[:maxParameterSize], "") + "…"
}
