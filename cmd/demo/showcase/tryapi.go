package showcase

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"b2trader.identity.auth/web"
)

// apiCalls lists the calls of the APIs that are configured. All of them only
// read.
func apiCalls(c Config) []apiCall {
	var calls []apiCall
	add := func(base, api, path, id, summary string) {
		if base != "" {
			calls = append(calls, apiCall{id: id, api: api, scope: api, summary: summary, url: base + path})
		}
	}
	add(c.FrontOfficeURL, "FrontOffice", "/api/v3/account", "account", "Your trading account")
	add(c.FrontOfficeURL, "FrontOffice", "/api/v3/instruments", "instruments", "Instruments and prices")
	add(c.FrontOfficeURL, "FrontOffice", "/api/v3/orders", "orders", "Your orders")
	add(c.BackOfficeURL, "BackOffice", "/api/v1/users", "users", "All users")
	add(c.BackOfficeURL, "BackOffice", "/api/v1/clients", "clients", "All clients")
	return calls
}

func (s *Showcase) tryPage(w http.ResponseWriter, _ *http.Request, session *web.Session) error {
	return s.renderTry(w, session, nil)
}

// tryCall makes the chosen call with the session's token, and shows the API's
// answer, whatever it is.
func (s *Showcase) tryCall(w http.ResponseWriter, r *http.Request, session *web.Session) error {
	i := slices.IndexFunc(s.calls, func(c apiCall) bool { return c.id == r.PostForm.Get("call") })
	if i < 0 {
		return &web.Error{Status: http.StatusBadRequest, Err: errors.New("unknown call")}
	}
	sent := &witness{base: s.config.APITransport}
	result, err := s.callAPI(r.Context(), s.calls[i], session.Transport(sent), sent)
	if err != nil {
		if len(sent.tokens) == 0 || r.Context().Err() != nil {
			return fmt.Errorf("try an API: %w", err)
		}
		session.Logger().Warn("API call failed", "call", s.calls[i].id, "error", err)
	}
	return s.renderTry(w, session, result)
}

func (s *Showcase) renderTry(w http.ResponseWriter, session *web.Session, result *CallResult) error {
	var offers []Offer
	for _, c := range s.calls {
		offers = append(offers, c.offer(session.Scopes))
	}
	return session.Render(w, web.Content{Title: "Try an API", Styles: styles, Body: tryPage(offers, result)})
}

// apisOf returns the APIs of offers, each once.
func apisOf(offers []Offer) []string {
	var apis []string
	for _, o := range offers {
		if !slices.Contains(apis, o.API) {
			apis = append(apis, o.API)
		}
	}
	return apis
}

// offer describes the call for a token with these scopes.
func (c apiCall) offer(scopes []string) Offer {
	offer := Offer{ID: c.id, API: c.api, Method: http.MethodGet, Path: c.url, Summary: c.summary, Allowed: slices.Contains(scopes, c.scope)}
	if u, err := url.Parse(c.url); err == nil {
		offer.Path = u.EscapedPath()
	}
	offer.Why = "Your token has the scope " + c.scope + "."
	if !offer.Allowed {
		offer.Why = "Your token lacks the scope " + c.scope + ": the API will refuse it. Sign in to an application that has the scope."
	}
	return offer
}
