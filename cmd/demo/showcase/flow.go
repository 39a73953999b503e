package showcase

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web"
)

// The bounds of what is kept of one sign-in.
const (
	maxParameters    = 12  // of one exchange
	maxParameterSize = 120 // bytes
	maxLanes         = 5   // flow.css has as many
)

// flowValue names the Flow of the sign-in in the session.
const flowValue = "flow"

// The lanes that each sign-in has. Another host, such as that of -identity-jwks-url,
// has a lane of its own.
const (
	laneBrowser = iota
	laneServer
	laneIdentity
)

// KeepFlow keeps the exchanges of a sign-in for the page Flow. It is for
// web.Config.OnSignIn.
func KeepFlow(s *web.Session, exchanges []tokenapi.Exchange) {
	if err := s.Put(flowValue, newFlow(exchanges)); err != nil {
		s.Logger().Warn("sign-in diagram not kept", "error", err)
	}
}

// flow shows the messages of the sign-in that began the session.
func (*Showcase) flow(w http.ResponseWriter, _ *http.Request, s *web.Session) error {
	var recorded Flow
	s.Get(flowValue, &recorded)
	return s.Render(w, web.Content{Title: "The flow of your sign-in", Styles: styles, Body: flowPage(recorded)})
}

// newFlow describes exchanges, which are in the order in which they began. An
// answer stands where it came: after everything that happened before it.
func newFlow(exchanges []tokenapi.Exchange) Flow {
	f := Flow{Lanes: []string{"Browser", "This server", "IdentityServer"}}
	var hosts []string // of the lanes from laneIdentity on
	var open []Message // the answers to come
	for _, e := range exchanges {
		m := Message{From: laneBrowser, To: laneServer, At: e.Started.Sub(exchanges[0].Started), Details: parameters(e)}
		path := e.URL
		if u, err := url.Parse(e.URL); err == nil && u.Host != "" {
			path, m.From = u.Path, laneServer
			if !slices.Contains(hosts, u.Host) {
				hosts = append(hosts, u.Host)
			}
			m.To = min(laneIdentity+slices.Index(hosts, u.Host), maxLanes-1)
			if m.To == len(f.Lanes) {
				f.Lanes = append(f.Lanes, short(u.Host))
			}
		}
		m.Label = e.Method + " " + short(path)
		for len(open) > 0 && answeredBefore(open[len(open)-1], m) {
			f.Messages, open = append(f.Messages, open[len(open)-1]), open[:len(open)-1]
		}
		f.Messages, open = append(f.Messages, m), append(open, answerTo(m, e))
	}
	slices.Reverse(open)
	f.Messages = append(f.Messages, open...)
	slices.SortStableFunc(f.Messages, func(a, b Message) int { return cmp.Compare(a.At, b.At) })
	return f
}

// answerTo returns the answer to a request.
func answerTo(request Message, e tokenapi.Exchange) Message {
	a := Message{
		From: request.To, To: request.From, At: request.At + e.Duration, Answer: true, Lost: e.StatusCode == 0,
		Label: statusLine(e.StatusCode) + " · " + took(e.Duration), Kind: statusKind(e.StatusCode),
	}
	if e.Err != nil {
		a.Kind = "bad"
	}
	if e.Redirect != "" {
		a.Details = []string{short("redirects to " + e.Redirect)}
	}
	return a
}

// answeredBefore reports whether an answer came before a request. Of two at the
// same time it did, unless the answer waits for the request.
func answeredBefore(answer, request Message) bool {
	return answer.At < request.At || answer.At == request.At && answer.From != request.From
}

// parameters lists the parameters of a request, sorted by name.
func parameters(e tokenapi.Exchange) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(e.Parameters)) {
		if len(lines) == maxParameters {
			break
		}
		lines = append(lines, short(name+"="+strings.Join(e.Parameters[name], " ")))
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
