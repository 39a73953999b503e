package identitytest

import (
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// basePath is where the IdentityServer lives below the origin.
const basePath = "/identity"

// maxRequestBody bounds what is read of a request, in bytes.
const maxRequestBody = 1 << 20

// Server is an IdentityServer with a FrontOffice and a BackOffice API beside it. It is an
// http.Handler, safe for concurrent use, and answers on loopback connections only.
type Server struct {
	config  Config
	users   map[string]*user // by lower-case address
	byID    map[string]*user
	clients map[string]Client
	scopes  scopeOrder
	routes  map[string]route // by lower-case path

	keys     keyring
	sessions sessionStore
	grants   grantStore
	faults   faultQueue
	recorder recorder
	orders   orderBook

	mu  sync.Mutex
	url string
}

// user is a User whose state can change.
type user struct {
	User
	disabled atomic.Bool
}

func (u *user) active() bool { return !u.disabled.Load() }

// New returns a server for the installation that cfg describes. The error joins every
// problem of cfg.
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
		s.users[strings.ToLower(u.Email)] = known
		s.byID[u.ID] = known
	}
	for _, c := range cfg.Clients {
		s.clients[c.ID] = c
	}
	s.keys.named = cfg.KeyID
	s.grants.codeLifetime = cfg.AuthorizationCodeLifetime
	s.grants.tokenLifetime = cfg.RefreshTokenLifetime
	s.grants.reuseRevokesFamily = cfg.ReuseRevokesFamily
	s.routes = s.newRoutes()
	return s, nil
}

// DisableUser refuses the user every further sign-in, authorize and renewal. Access tokens
// already issued stay valid for the FrontOffice and BackOffice APIs until they expire.
func (s *Server) DisableUser(email string) {
	if u := s.userByEmail(email); u != nil {
		u.disabled.Store(true)
	}
}

// EndSessions kills the user's IdentityServer sessions: their cookies stop working.
// Tokens are untouched.
func (s *Server) EndSessions(email string) {
	if u := s.userByEmail(email); u != nil {
		s.sessions.endAll(u.ID)
	}
}

// RevokeTokens revokes all refresh tokens of the user, of every client. Access tokens are
// not revocable and last until they expire.
func (s *Server) RevokeTokens(email string) {
	if u := s.userByEmail(email); u != nil {
		s.grants.revoke(func(g refreshGrant) bool { return g.userID == u.ID })
	}
}

// RotateKeys makes a new signing key. The old ones stay published, so that tokens signed
// by them still verify, until DropOldKeys is called.
func (s *Server) RotateKeys() { s.keys.rotate() }

// DropOldKeys publishes the current signing key only.
func (s *Server) DropOldKeys() { s.keys.dropOld() }

func (s *Server) userByEmail(email string) *user { return s.users[strings.ToLower(email)] }

func (s *Server) now() time.Time { return s.config.Now() }

// handler answers one request into x.
type handler func(x *exchange)

type route struct {
	endpoint Endpoint
	handle   handler
}

// newRoutes lists everything the server answers. Paths are matched without regard to
// letter case, as ASP.NET Core does.
func (s *Server) newRoutes() map[string]route {
	identity := map[string]route{
		"/sign-in":                               {EndpointSignIn, s.signIn},
		"/sign-out":                              {EndpointSignOut, s.signOut},
		"/connect/authorize":                     {EndpointAuthorize, s.authorize},
		"/connect/authorize/callback":            {EndpointAuthorize, s.authorize},
		"/connect/token":                         {EndpointToken, s.token},
		"/connect/revocation":                    {EndpointRevocation, s.revocation},
		"/connect/userinfo":                      {EndpointUserInfo, s.userInfo},
		"/connect/endsession":                    {EndpointEndSession, s.endSession},
		"/.well-known/openid-configuration":      {EndpointDiscovery, s.discovery},
		"/.well-known/openid-configuration/jwks": {EndpointKeys, s.jwks},
		"/account/logout":                        {EndpointPage, s.logoutPage},
		"/sign-in-done":                          {EndpointPage, s.signInDonePage},
		"/unauthorized":                          {EndpointPage, s.unauthorizedPage},
	}
	front := map[string]route{
		"/account":     {EndpointFrontOffice, s.frontOffice(s.account)},
		"/orders":      {EndpointFrontOffice, s.frontOffice(s.ordersResource)},
		"/instruments": {EndpointFrontOffice, s.frontOffice(s.instruments)},
	}
	back := map[string]route{
		"/users":   {EndpointBackOffice, s.backOffice(s.listUsers)},
		"/clients": {EndpointBackOffice, s.backOffice(s.listClients)},
	}
	routes := make(map[string]route)
	for prefix, group := range map[string]map[string]route{
		basePath: identity, frontOfficePath: front, backOfficePath: back,
	} {
		for path, r := range group {
			routes[prefix+path] = r
		}
	}
	return routes
}

// route finds what answers path.
func (s *Server) route(path string) (route, bool) {
	path = strings.ToLower(path)
	if r, ok := s.routes[path]; ok {
		return r, true
	}
	switch {
	case strings.HasPrefix(path, frontOfficePath+"/"):
		return route{EndpointFrontOffice, s.frontOffice(unknownResource)}, true
	case strings.HasPrefix(path, backOfficePath+"/"):
		return route{EndpointBackOffice, s.backOffice(unknownResource)}, true
	}
	return route{}, false
}

// ServeHTTP answers r: what the fault injected for its endpoint says, or what an
// IdentityServer says. A connection whose local address is not loopback gets 403, so that
// the server cannot be deployed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !onLoopback(r) {
		http.Error(w, "this IdentityServer is for tests and answers on loopback only", http.StatusForbidden)
		return
	}
	found, ok := s.route(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	x, err := s.open(r, found.endpoint)
	if err != nil {
		http.Error(w, http.StatusText(http.StatusRequestEntityTooLarge), http.StatusRequestEntityTooLarge)
		return
	}
	entry := s.recorder.begin(x, s.now())
	x.run(found.handle)
	s.recorder.end(entry, x)
	x.out.sendTo(w)
}

// onLoopback reports whether r came in on a loopback connection, or on none at all.
func onLoopback(r *http.Request) bool {
	switch local := r.Context().Value(http.LocalAddrContextKey).(type) {
	case nil, *net.UnixAddr:
		return true
	case *net.TCPAddr:
		return local.IP.IsLoopback()
	default:
		return false
	}
}

// scopeOrder is every known scope in the order in which IdentityServer names them:
// identity scopes, API scopes, offline_access.
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
