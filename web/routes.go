package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"b2trader.identity.auth/static"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// maxRequestBody bounds the body of a request, in bytes. The forms of this site
// are small.
const maxRequestBody = 64 << 10

// pageRoutes returns every page of the site, grouped by the users that may open
// it.
func (s *Server) pageRoutes(mux *http.ServeMux) map[string]answer.Handler {
	return map[string]answer.Handler{
		// Everyone.
		"GET /{$}":                    s.signIns.home,
		"GET /sign-in":                s.signIns.page,
		"POST /sign-in":               s.signIns.submit,
		"GET /sign-in/second-factor":  s.signIns.secondFactorPage,
		"POST /sign-in/second-factor": s.signIns.submitCode,
		"POST /sign-out":              s.ownSessions.signOut,
		"POST /theme":                 s.changeTheme,
		"/":                           s.notFound(mux),

		// Signed-in users; these requests are use of the session.
		"GET /account":              s.signedIn(s.account.page),
		"POST /session":             s.signedIn(s.account.sessionJSON), // Stay signed in
		"GET /sessions":             s.signedIn(s.ownSessions.sessionsPage),
		"POST /sessions/end":        s.signedIn(s.ownSessions.endSession),
		"POST /sessions/end-others": s.signedIn(s.ownSessions.endOtherSessions),
		"POST /sign-out/everywhere": s.signedIn(s.ownSessions.signOutEverywhere),

		// Signed-in users; the scripts of pages poll these, which is no use of the session.
		"GET /account/token": s.polled(s.account.tokenCard),
		"GET /session":       s.polled(s.account.sessionJSON),

		// Administrators.
		"GET /admin/sessions":      s.signedIn(s.administrator(s.users.list)),
		"POST /admin/sessions":     s.signedIn(s.administrator(s.users.search)),
		"POST /admin/sessions/end": s.signedIn(s.administrator(s.users.end)),
	}
}

// routes returns every route of the site.
func (s *Server) routes() (http.Handler, error) {
	pages := http.NewServeMux()
	for pattern, h := range s.pageRoutes(pages) {
		pages.Handle(pattern, named(pattern, s.answers.Page(h)))
	}
	s.addPages(pages) // of the host application
	s.methods = func(r *http.Request) []string { return methodsOf(pages, r) }

	// Scripts call /api/frontoffice/ and /api/backoffice/, see s.gateway.Or below.

	site := http.NewServeMux()
	site.Handle("/", s.withSession(pages))
	site.Handle(static.Prefix, named(static.Prefix, static.Handler()))
	site.Handle(brandPath, s.brand)
	for path, h := range s.config.Public {
		site.Handle(path, named(path, h))
	}
	site.Handle("POST "+backChannelPath, named(backChannelPath, http.HandlerFunc(s.backChannel.logout))) // the IdentityServer, by a signed token
	site.HandleFunc("GET /healthz", healthz)
	site.HandleFunc("GET /readyz", s.ready.serve)

	refuseCrossOrigin, err := s.refuseCrossOrigin()
	if err != nil {
		return nil, err
	}
	return chain(
		request.Identify(s.config.TrustedProxies),        // first: all log lines have the request's ID
		request.LogAccess(s.config.Logger, s.config.Now), // outside of RecoverPanics, to log the status that it sends
		traceRequests(s.config.TracerProvider),           // inside of LogAccess, which knows the status
		answer.SecurityHeaders(s.config.hsts()),          // before any handler that may answer
		s.answers.RecoverPanics,                          // outside of the session, so that a panic saves nothing
		refuseCrossOrigin,                                // before any work is done for a forged request
		func(next http.Handler) http.Handler { return s.gateway.Or(http.MaxBytesHandler(next, maxRequestBody)) },
	)(site), nil
}

// withSession loads the session for next and saves it. If the store fails, the
// answer is 503.
func (s *Server) withSession(next http.Handler) http.Handler {
	named := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request.Of(r.Context()).Session = s.logID(r.Context())
		next.ServeHTTP(w, r)
	})
	address := func(r *http.Request) netip.Addr { return request.Of(r.Context()).Address }
	return s.sessions.Handler(named, address, func(w http.ResponseWriter, r *http.Request, err error) {
		answer.ResetHeaders(w.Header(), s.config.hsts())
		s.answers.Fail(w, r, err)
	})
}

// chain applies its middlewares so that the first sees the request first.
func chain(middlewares ...func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		for _, m := range slices.Backward(middlewares) {
			h = m(h)
		}
		return h
	}
}

// notFound answers a request that matches no other route: with 405 if the path
// exists for another method, else with 404.
func (s *Server) notFound(pages *http.ServeMux) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		allowed := methodsOf(pages, r)
		if len(allowed) == 0 {
			return &answer.Error{Status: http.StatusNotFound}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return &answer.Error{Status: http.StatusMethodNotAllowed}
	}
}

// methodsOf returns the methods that the path of r exists for.
func methodsOf(pages *http.ServeMux, r *http.Request) (methods []string) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		probe := r.Clone(r.Context())
		probe.Method = method
		if _, pattern := pages.Handler(probe); pattern != "/" {
			methods = append(methods, method)
		}
	}
	return methods
}
