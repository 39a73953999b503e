package identitytest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// basePath is the path of the IdentityServer below the origin.
const basePath = "/identity"

// Server is an IdentityServer with a FrontOffice and a BackOffice API. It is an
// http.Handler, safe for concurrent use, and answers on loopback connections
// only.
type Server struct {
	config   Config
	users    map[string]*user // by lower-case address
	byID     map[string]*user
	clients  map[string]Client
	scopes   scopeOrder
	usesCORS bool // a client has AllowedCORSOrigins
	api      *apitest.Server

	keys     keyring
	issuers  issuers
	access   *apitest.Tokens // by user ID, "" for client_credentials
	pending  *apitest.Tokens // the cookies of sign-ins before their second factor, by user ID
	sessions sessionStore
	grants   grantStore
	granted  grantCounter
	orders   orderBook
}

// user is a User whose state can change.
type user struct {
	User
	disabled atomic.Bool
	role     atomic.Value // string
}

func (u *user) active() bool { return !u.disabled.Load() }

// currentRole returns the claim role of new tokens, or "".
func (u *user) currentRole() string { return u.role.Load().(string) }

// New returns a server for the installation that cfg describes. The error joins
// every problem of cfg.
func New(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Server{
		config:  cfg,
		users:   make(map[string]*user),
		byID:    make(map[string]*user),
		clients: make(map[string]Client),
		scopes:  newScopeOrder(cfg.Clients),
	}
	for _, u := range cfg.Users {
		known := &user{User: u}
		known.disabled.Store(u.Disabled)
		known.role.Store(u.Role)
		s.users[strings.ToLower(u.Email)] = known
		s.byID[u.ID] = known
	}
	for _, c := range cfg.Clients {
		s.clients[c.ID] = c
		s.usesCORS = s.usesCORS || len(c.AllowedCORSOrigins) > 0
	}
	s.keys.named = cfg.KeyID
	s.access = apitest.NewTokens(cfg.Now, cfg.AccessTokenLifetime)
	s.pending = apitest.NewTokens(cfg.Now, secondFactorLifetime)
	s.grants.codeLifetime = cfg.AuthorizationCodeLifetime
	s.grants.tokenLifetime = cfg.RefreshTokenLifetime
	s.grants.reuseRevokesFamily = cfg.ReuseRevokesFamily
	s.api = apitest.New(apitest.Config{
		Name: "identitytest", Now: cfg.Now, Arrived: s.arrived, FoldCase: true, // as ASP.NET Core
	})
	s.handleIdentity()
	s.handleAPIs()
	return s, nil
}

// arrived prepares each request before its fault happens.
func (s *Server) arrived(x *apitest.Exchange) {
	s.granted.arrived(x)
	s.addCORSHeaders(x, x.Endpoint)
}

// DisableUser refuses every further sign-in, authorize and renewal of the user.
// Issued access tokens stay valid for the FrontOffice and BackOffice
// APIs until they expire.
func (s *Server) DisableUser(email string) {
	if u := s.userByEmail(email); u != nil {
		u.disabled.Store(true)
	}
}

// SetRole changes the claim role of the tokens that the user gets from now on,
// also by a renewal. Empty: they have none.
func (s *Server) SetRole(email, role string) {
	if u := s.userByEmail(email); u != nil {
		u.role.Store(role)
	}
}

// EndSessions ends the user's IdentityServer sessions: their cookies stop
// working. Tokens stay valid.
func (s *Server) EndSessions(email string) {
	if u := s.userByEmail(email); u != nil {
		s.sessions.endAll(u.ID)
		s.pending.Forget(u.ID)
	}
}

// ExpireTokens expires the user's access tokens, of every client. Refresh
// tokens and later access tokens are valid. Mind that a renewal in the second
// of the sign-in issues the same access token again.
func (s *Server) ExpireTokens(email string) {
	if u := s.userByEmail(email); u != nil {
		s.access.Forget(u.ID)
	}
}

// RevokeTokens revokes all refresh tokens of the user, of every client. Access
// tokens are not revocable and last until they expire, or until ExpireTokens.
func (s *Server) RevokeTokens(email string) {
	if u := s.userByEmail(email); u != nil {
		s.grants.revoke(func(g refreshGrant) bool { return g.userID == u.ID })
	}
}

// RotateKeys makes a new signing key. The old ones stay published, so that
// tokens signed by them still verify, until DropOldKeys is called.
func (s *Server) RotateKeys() { s.keys.rotate() }

// DropOldKeys publishes the current signing key only.
func (s *Server) DropOldKeys() { s.keys.dropOld() }

func (s *Server) userByEmail(email string) *user { return s.users[strings.ToLower(email)] }

func (s *Server) now() time.Time { return s.config.Now() }

// Format prints identitytest.Server only, for every verb.
func (s *Server) Format(f fmt.State, verb rune) { s.api.Format(f, verb) }

// ServeHTTP answers r with the injected fault of its endpoint or as an
// IdentityServer. A connection whose local address is not loopback gets 403, so
// that the server cannot be deployed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.api.ServeHTTP(w, r) }

// Transport returns a RoundTripper that passes requests to the server without a
// socket, whatever their host is. With it a client works inside a
// testing/synctest bubble, where the server's delays pass in virtual time. A
// [Fault] that cuts the connection is io.ErrUnexpectedEOF. Answers are complete
// when RoundTrip returns; nothing is streamed.
func (s *Server) Transport() http.RoundTripper { return s.api.Transport() }

// handleIdentity lists the paths of the IdentityServer.
func (s *Server) handleIdentity() {
	s.handle("/", EndpointAbout, s.about, http.MethodGet, http.MethodHead)
	s.handle(basePath+"/sign-in", EndpointSignIn, s.signIn, http.MethodPost)
	s.handle(basePath+"/sign-out", EndpointSignOut, s.signOut, http.MethodPost)
	s.handle(basePath+"/connect/authorize", EndpointAuthorize, s.authorize, http.MethodGet, http.MethodPost)
	s.handle(callbackPath, EndpointAuthorize, s.authorize, http.MethodGet, http.MethodPost)
	s.handle(basePath+"/connect/token", EndpointToken, s.token)
	s.handle(basePath+"/connect/revocation", EndpointRevocation, s.revocation, http.MethodPost)
	s.handle(basePath+"/connect/userinfo", EndpointUserInfo, s.userInfo, http.MethodGet, http.MethodPost)
	s.handle(basePath+"/connect/endsession", EndpointEndSession, s.endSession, http.MethodGet, http.MethodPost)
	s.handle(basePath+"/.well-known/openid-configuration", EndpointDiscovery, s.discovery, http.MethodGet)
	s.handle(basePath+"/.well-known/openid-configuration/jwks", EndpointKeys, s.jwks, http.MethodGet)
	s.handle(basePath+"/account/logout", EndpointPage, s.logoutPage)
	s.handle(basePath+"/sign-in-done", EndpointPage, s.signInDonePage)
	s.handle(basePath+"/unauthorized", EndpointPage, s.unauthorizedPage)
	if s.config.SignInPage {
		s.handle(signInPagePath, EndpointSignInPage, s.signInPage, http.MethodGet, http.MethodPost)
	}
}

// handleAPIs lists the paths of the APIs.
func (s *Server) handleAPIs() {
	frontOffice := func(path string, r resource, methods ...string) {
		s.handle(frontOfficePath+path, EndpointFrontOffice, s.guard(scopeFrontOffice, r), methods...)
	}
	frontOffice("/account", s.account, http.MethodGet)
	frontOffice("/orders", s.ordersResource, http.MethodGet, http.MethodPost)
	frontOffice("/instruments", s.instruments, http.MethodGet)
	frontOffice("/*", unknownResource)
	s.handle(hubPath, EndpointHub, s.hub, http.MethodGet)
	backOffice := func(path string, r resource, methods ...string) {
		s.handle(backOfficePath+path, EndpointBackOffice, s.guard(scopeBackOffice, r), methods...)
	}
	backOffice("/users", s.listUsers, http.MethodGet)
	backOffice("/clients", s.listClients, http.MethodGet)
	backOffice("/*", unknownResource)
}

// scopeOrder has every known scope in IdentityServer's order: identity scopes,
// API scopes, offline_access.
type scopeOrder []string

const scopeOfflineAccess = "offline_access"

func identityScopes() []string { return []string{"openid", "profile", "email"} }

func newScopeOrder(clients []Client) scopeOrder {
	apis := []string{scopeFrontOffice, scopeBackOffice}
	others := make(map[string]bool)
	for _, c := range clients {
		for _, scope := range c.Scopes {
			if isAPIScope(scope) && !slices.Contains(apis, scope) {
				others[scope] = true
			}
		}
	}
	apis = append(apis, slices.Sorted(maps.Keys(others))...)
	return slices.Concat(identityScopes(), apis, []string{scopeOfflineAccess})
}

func isAPIScope(scope string) bool {
	return scope != scopeOfflineAccess && !isIdentityScope(scope)
}

func isIdentityScope(scope string) bool { return slices.Contains(identityScopes(), scope) }

func (o scopeOrder) knows(scope string) bool { return slices.Contains(o, scope) }

// sort returns requested without repetition, in the server's order.
func (o scopeOrder) sort(requested []string) []string {
	var sorted []string
	for _, scope := range o {
		if slices.Contains(requested, scope) {
			sorted = append(sorted, scope)
		}
	}
	return sorted
}
