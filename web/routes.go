package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"b2trader.identity.auth/static"
)

// maxRequestBody bounds what a request may bring, in bytes. The forms of this
// site are small.
const maxRequestBody = 64 << 10

// pageRoutes is every page of the site's own, grouped by who may call it.
func (s *Server) pageRoutes(mux *http.ServeMux) map[string]handler {
	return map[string]handler{
		// Everyone.
		"GET /{$}":                    s.home,
		"GET /sign-in":                s.signInPage,
		"POST /sign-in":               s.signIn,
		"GET /sign-in/second-factor":  s.secondFactorPage,
		"POST /sign-in/second-factor": s.secondFactor,
		"POST /sign-out":              s.signOut,
		"/":                           s.notFound(mux),

		// Who is signed in; a call of these is use of the session.
		"GET /account":              s.signedIn(s.account),
		"GET /try":                  s.signedIn(s.tryPage),
		"POST /try":                 s.signedIn(s.tryCall),
		"GET /flow":                 s.signedIn(s.flow),
		"GET /sessions":             s.signedIn(s.sessionsPage),
		"POST /sessions/end":        s.signedIn(s.endSession),
		"POST /sessions/end-others": s.signedIn(s.endOtherSessions),
		"POST /sign-out/everywhere": s.signedIn(s.signOutEverywhere),

		// Who is signed in; these are asked by scripts, which is not use.
		"GET /account/token": s.watching(s.tokenCard),
		"GET /session":       s.watching(s.sessionJSON),

		// Administrators.
		"GET /machine":  s.signedIn(s.administrator(s.machinePage)),
		"POST /machine": s.signedIn(s.administrator(s.machineAction)),

		"GET /platforms":  s.signedIn(s.administrator(s.platformsPage)),
		"POST /platforms": s.signedIn(s.administrator(s.platformAction)),

		"GET /admin/sessions":      s.signedIn(s.administrator(s.adminSessionsPage)),
		"POST /admin/sessions":     s.signedIn(s.administrator(s.searchUser)),
		"POST /admin/sessions/end": s.signedIn(s.administrator(s.adminEndSessions)),
	}
}

// routes is every route of the site.
func (s *Server) routes() (http.Handler, error) {
	pages := http.NewServeMux()
	for pattern, h := range s.pageRoutes(pages) {
		pages.Handle(pattern, s.page(h))
	}
	s.addPages(pages) // of the host application

	// Whose scripts call: /api/frontoffice/ and /api/backoffice/, see proxy.Or below.

	site := http.NewServeMux()
	site.Handle("/", s.withSession(pages))
	site.Handle(static.Prefix, static.Handler())
	for path, h := range s.config.Public {
		site.Handle(path, h)
	}
	site.HandleFunc("POST "+backChannelPath, s.backChannelLogout) // the IdentityServer: neither session nor origin, but a signed token
	site.HandleFunc("GET /healthz", healthz)
	site.HandleFunc("GET /readyz", s.ready.serve)

	crossOrigin := http.NewCrossOriginProtection()
	if err := crossOrigin.AddTrustedOrigin(s.config.PublicURL); err != nil {
		return nil, fmt.Errorf("web: Config.PublicURL: %w", err)
	}
	crossOrigin.AddInsecureBypassPattern("POST " + backChannelPath)
	crossOrigin.SetDenyHandler(s.page(s.crossOriginRefused))

	return chain(
		s.identify,                         // first: everything logged has a request id
		s.logAccess,                        // outside of recoverPanics, to see the status it gives
		securityHeaders(s.config.secure()), // before whatever may answer
		s.recoverPanics,                    // outside of the session, so that a panic saves nothing
		crossOrigin.Handler,                // before any work is done for a forged request
		func(next http.Handler) http.Handler { return s.proxy.Or(http.MaxBytesHandler(next, maxRequestBody)) },
	)(site), nil
}

// notFound answers what no other route does: 405 where the path exists for
// another method, 404 elsewhere.
func (s *Server) notFound(pages *http.ServeMux) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			probe := r.Clone(r.Context())
			probe.Method = method
			if _, pattern := pages.Handler(probe); pattern != "/" {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) == 0 {
			return &fault{Status: http.StatusNotFound}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return &fault{Status: http.StatusMethodNotAllowed}
	}
}

func (s *Server) crossOriginRefused(_ http.ResponseWriter, r *http.Request) error {
	s.log(r.Context(), slog.LevelWarn, "cross-origin request refused",
		"origin", clip(r.Header.Get("Origin"), 200), "fetch_site", clip(r.Header.Get("Sec-Fetch-Site"), 20))
	return &fault{
		Status: http.StatusForbidden, Code: "cross_origin",
		Headline:    "This request came from another site",
		Explanation: "Nothing was done. If you meant it, open this site itself and do it there.",
	}
}
