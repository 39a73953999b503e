package tokenapi

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// HTTP says how a client sends its requests. The zero value of each field is the right one for most.
type HTTP struct {
	// Timeout bounds each HTTP exchange, its answer's body included. Zero: one minute, for a server that was given a
	// refresh token may have spent it, however long it takes to say so; who cannot wait that long ends the context.
	Timeout time.Duration

	// Transport sends the requests. Nil: a clone of http.DefaultTransport that keeps more idle connections to the one host,
	// for a shorter time, or that itself if the program has replaced it by another type. TLS settings, such as a private CA, belong here.
	Transport http.RoundTripper

	// Observe, if set, is called after each HTTP exchange, in the goroutine of the call and with its context.
	// An Exchange holds no secrets.
	Observe func(context.Context, Exchange)

	// Now is the clock. Nil: time.Now.
	Now func() time.Time

	// InsecureAllowHTTP permits http URLs beyond loopback, which hand passwords and tokens to everyone on the way.
	InsecureAllowHTTP bool
}

// WithDefaults returns h with every zero field replaced by what it stands for.
func (h HTTP) WithDefaults() HTTP {
	if h.Timeout == 0 {
		h.Timeout = time.Minute
	}
	if h.Transport == nil {
		h.Transport = defaultTransport()
	}
	if h.Now == nil {
		h.Now = time.Now
	}
	return h
}

// defaultTransport keeps enough idle connections for parallel sign-ins to one host, and drops them before a server or
// proxy would: a request lost to a connection that the peer is just closing is a refresh token lost.
func defaultTransport() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // the program has replaced it, to trace requests perhaps
		return http.DefaultTransport
	}
	t := standard.Clone()
	t.MaxIdleConnsPerHost = 64
	t.IdleConnTimeout = 25 * time.Second
	return t
}

// An Exchange describes one HTTP exchange. It holds no secret: values of parameters are
// shown only for the names that are known to be harmless.
type Exchange struct {
	Op         string     // the operation that needed it, such as "refresh token"
	Method     string     // GET or POST
	URL        string     // without query
	Parameters url.Values // of the query or the body, secrets redacted
	StatusCode int        // 0: no answer
	Redirect   string     // where a 3xx answer points, without query
	Started    time.Time
	Duration   time.Duration
	Err        error // why there was no answer
}
