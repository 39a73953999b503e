package tokenapi

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// HTTP says how a client sends its requests. Its zero value fits most clients.
type HTTP struct {
	// Timeout bounds each HTTP exchange, including the answer's body. Zero: one
	// minute. It does not shorten the exchange of a refresh token, which gets at
	// least [RefreshTimeout]: a server may use the token up however late it
	// answers. Callers in a hurry end their context.
	Timeout time.Duration

	// Transport sends the requests. It is the place of TLS settings, such as a
	// private CA. Nil: a clone of http.DefaultTransport that keeps more idle
	// connections to the one host, for a shorter time. If the program replaced
	// http.DefaultTransport by another type, nil is http.DefaultTransport.
	//
	// A Transport with a timeout of its own, such as ResponseHeaderTimeout, cuts
	// refreshes, too: leave it out, or make it RefreshTimeout at least.
	Transport http.RoundTripper

	// Observe, if set, is called after each HTTP exchange, in the goroutine of
	// the call and with its context. An Exchange contains no secrets.
	Observe func(context.Context, Exchange)

	// Now is the clock. Nil: time.Now.
	Now func() time.Time

	// InsecureAllowHTTP permits http URLs beyond loopback, which show passwords
	// and tokens to every host on the way.
	InsecureAllowHTTP bool
}

// RefreshTimeout bounds the exchange of a refresh token, and each exchange of a
// resumption, unless HTTP.Timeout is longer. It equals the default of
// vault.Config.Timeout.
const RefreshTimeout = 90 * time.Second

// WithDefaults returns h with every zero field replaced by its default.
func (h HTTP) WithDefaults() HTTP {
	if h.Timeout == 0 {
		h.Timeout = time.Minute
	}
	if h.Transport == nil {
		h.Transport = defaultTransport()
	}
	h.Now = wallClock(h.Now)
	return h
}

// SetConnectionTimes makes t give up a connection before a request is lost on
// it: an idle one after 25 seconds, because common load balancers and servers
// close theirs after 60 (a request on a connection that the peer is closing
// loses its refresh token), and an HTTP/2 one that is silent within 9 seconds,
// by a ping (RFC 9113 section 6.7). Clients and the API gateway use it for their
// default transports, as does [APITransport]; use it for one of your own.
func SetConnectionTimes(t *http.Transport) {
	t.IdleConnTimeout = 25 * time.Second
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 4 * time.Second}
}

// defaultTransport keeps enough idle connections for parallel sign-ins at one
// host, and bounds an answer's header as the API gateway does.
func defaultTransport() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // replaced by the program, for example to trace requests
		return http.DefaultTransport
	}
	t := standard.Clone()
	t.MaxIdleConnsPerHost = 64
	t.MaxResponseHeaderBytes = 64 << 10
	SetConnectionTimes(t)
	return t
}

// APITransport returns the transport of API calls whose caller names none. It is
// that of the zero HTTP, and all callers share its connections.
func APITransport() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.of != standard {
		shared.of, shared.transport = standard, defaultTransport()
	}
	return shared.transport
}

// shared is the transport that was made of http.DefaultTransport as it was then.
var shared struct {
	sync.Mutex
	of        *http.Transport
	transport http.RoundTripper
}

// An Exchange describes one HTTP exchange to an observer. It contains no
// secret: only parameters that are known to be harmless have their values.
type Exchange struct {
	Op         string     // the operation, such as "refresh token"
	Method     string     // GET or POST
	URL        string     // without query
	Parameters url.Values // of the query and the body, secrets redacted
	StatusCode int        // 0: no answer
	Redirect   string     // the target of a 3xx answer, without query
	Started    time.Time
	Duration   time.Duration
	Err        error // why there was no answer
}
