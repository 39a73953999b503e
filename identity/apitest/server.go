package apitest

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Endpoint names a part of a server, for faults and the record.
type Endpoint string

// Handler answers one request. It may use x until it returns.
type Handler func(x *Exchange)

// Config describes a test server. Its zero value is ready to use.
type Config struct {
	// Name is the test server's package, such as "b2coretest". Errors, panics
	// and the printed server begin with it. Empty means "apitest".
	Name string

	// Now is the clock. Nil means time.Now, which is virtual in a
	// testing/synctest bubble. It must be safe for concurrent use.
	Now func() time.Time

	// Arrived, if set, is called for each request that has a route, before its
	// fault happens and before it is recorded. It must be safe for concurrent
	// use, and must not answer.
	Arrived func(x *Exchange)

	// FoldCase matches paths without regard to letter case, as ASP.NET does.
	FoldCase bool
}

// Server answers requests with the handlers that Handle adds. It is an
// http.Handler, safe for concurrent use, and answers on loopback connections
// only.
type Server struct {
	config   Config
	faults   faultQueue
	recorder recorder

	mu     sync.RWMutex
	routes map[string]route // by path, in lower case if FoldCase
	url    string
}

type route struct {
	endpoint Endpoint
	handle   Handler
}

// New returns a server without handlers; see Handle.
func New(cfg Config) *Server {
	cfg.Name = cmp.Or(cfg.Name, "apitest")
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Server{config: cfg, routes: make(map[string]route)}
}

// Format prints the name of the test server only, for every verb.
func (s *Server) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%s.Server", s.config.Name) }

// Handle answers path with h and records its requests under endpoint, which
// several paths may share. A path that ends in "/*" stands for all paths below
// it. An exact path takes precedence, then the longest one. A method and a
// space before the path, such as "OPTIONS /token", limit it to that method and
// take precedence. Otherwise the handler checks the method, see
// [Exchange.AllowOnly]. Handle panics on a path that does not begin with a
// slash or has a handler already.
func (s *Server) Handle(path string, endpoint Endpoint, h Handler) {
	method, path := splitMethod(s.fold(path))
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.routes[method+path]; taken || !strings.HasPrefix(path, "/") {
		panic(fmt.Sprintf("%s: Handle: the path %q does not begin with a slash or has a handler already", s.config.Name, path))
	}
	s.routes[method+path] = route{endpoint, h}
}

// splitMethod returns the method before a path, in capitals, or "".
func splitMethod(pattern string) (method, path string) {
	if method, path, ok := strings.Cut(pattern, " /"); ok {
		return strings.ToUpper(method), "/" + path
	}
	return "", pattern
}

func (s *Server) fold(path string) string {
	if s.config.FoldCase {
		return strings.ToLower(path)
	}
	return path
}

// route returns the route of a request.
func (s *Server) route(method, path string) (route, bool) {
	path = s.fold(path)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r, ok := s.exactRoute(method, path); ok {
		return r, true
	}
	for end := strings.LastIndexByte(path, '/'); end >= 0; end = strings.LastIndexByte(path[:end], '/') {
		if r, ok := s.exactRoute(method, path[:end]+"/*"); ok {
			return r, true
		}
	}
	return route{}, false
}

// exactRoute returns the route of a path as Handle got it.
func (s *Server) exactRoute(method, path string) (route, bool) {
	if r, ok := s.routes[method+path]; ok {
		return r, true
	}
	r, ok := s.routes[path]
	return r, ok
}

// Knows reports whether the endpoint has a path.
func (s *Server) Knows(e Endpoint) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.routes {
		if r.endpoint == e {
			return true
		}
	}
	return false
}

// ServeHTTP answers r with the injected fault of its endpoint or the handler of
// its path. A connection whose local address is not loopback gets 403, so that
// the server cannot be deployed. A path without a handler gets 404 and a body
// over 1 MiB 413; neither is recorded.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !onLoopback(r) {
		http.Error(w, s.config.Name+": this server is for tests and answers on loopback only", http.StatusForbidden)
		return
	}
	found, ok := s.route(r.Method, r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	x, ok := open(r, found.endpoint)
	if !ok {
		http.Error(w, http.StatusText(http.StatusRequestEntityTooLarge), http.StatusRequestEntityTooLarge)
		return
	}
	entry := newEntry(x, s.config.Now())
	x.Fault = s.faults.take(entry)
	if s.config.Arrived != nil {
		s.config.Arrived(x)
	}
	s.recorder.begin(entry)
	x.run(found.handle)
	s.recorder.end(entry, x)
	if x.upgrade != nil {
		s.upgrade(x, w, r)
		return
	}
	maps.Copy(w.Header(), x.out.Header())
	w.WriteHeader(x.out.Code)
	_, _ = w.Write(x.out.Body.Bytes()) // the client may have disconnected
}

// upgrade answers with the handler of Exchange.Upgrade.
func (s *Server) upgrade(x *Exchange, w http.ResponseWriter, r *http.Request) {
	if _, ok := w.(http.Hijacker); !ok {
		http.Error(w, s.config.Name+": a connection can be taken over on a socket only", http.StatusNotImplemented)
		return
	}
	x.upgrade.ServeHTTP(w, r)
}

// onLoopback reports whether r came by a loopback connection, or without a
// connection.
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
