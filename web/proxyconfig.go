package web

import (
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// Upstream bounds what may be sent to one of the APIs under /api/. Its zero
// value is good for most.
type Upstream struct {
	// Methods are passed on, all others are answered with 405. Nil: GET, HEAD,
	// POST, PUT, PATCH and DELETE. TRACE and CONNECT are never passed on.
	Methods []string

	// RequestHeaders are passed on beside those that every API needs, which are
	// the ones of content negotiation, conditions, ranges, caching and tracing,
	// Idempotency-Key and User-Agent. Everything else that a browser sends is
	// dropped, so that no header can pretend to come from us. Nil: none.
	RequestHeaders []string

	// MaxBody bounds the body of a request, in bytes. Zero: 10 MiB.
	MaxBody int64

	// MaxCalls bounds the calls under way at the same time; more are answered
	// with 503. Zero: 256.
	MaxCalls int

	// MaxStreams bounds the event streams and websockets that one session has
	// open; more are answered with 429. They are not counted in MaxCalls. Zero: 16.
	MaxStreams int
}

func (u Upstream) withDefaults() Upstream {
	if u.Methods == nil {
		u.Methods = []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		}
	}
	if u.MaxBody == 0 {
		u.MaxBody = 10 << 20
	}
	if u.MaxCalls == 0 {
		u.MaxCalls = 256
	}
	if u.MaxStreams == 0 {
		u.MaxStreams = 16
	}
	return u
}

// validate returns every problem of u, the Config's field name.
func (u Upstream) validate(name string) []error {
	var problems []error
	for _, method := range u.Methods {
		if method != strings.ToUpper(method) || method == "" || method == http.MethodTrace || method == http.MethodConnect {
			problems = append(problems, fmt.Errorf("Config.%s.Methods: %q cannot be passed on", name, method))
		}
	}
	for _, header := range u.RequestHeaders {
		if neverForwarded(textproto.CanonicalMIMEHeaderKey(header)) {
			problems = append(problems, fmt.Errorf("Config.%s.RequestHeaders: %q cannot be passed on", name, header))
		}
	}
	if u.MaxBody < 0 || u.MaxCalls < 0 || u.MaxStreams < 0 {
		problems = append(problems, fmt.Errorf("the limits Config.%s.MaxBody, MaxCalls and MaxStreams must not be negative", name))
	}
	return problems
}

// neverForwarded reports whether a request header is ours to set, or means
// something to one connection only (RFC 9110 section 7.6.1).
func neverForwarded(name string) bool {
	return name == "" || strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Sec-") || slices.Contains([]string{
		"Authorization", "Connection", "Content-Length", "Cookie", "Forwarded", "Host", "Keep-Alive", "Proxy-Authorization",
		"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "X-Real-Ip", "X-Request-Id", "X-Requested-With",
	}, name)
}

// NewAPITransport returns the transport that sends the calls to the APIs where
// Config.APITransport is nil. It verifies the servers' certificates; for a
// private authority set RootCAs in its TLSClientConfig. Nothing bounds an
// answer's body in time, since it may be a stream; connecting may take 5
// seconds, TLS as much, and an answer's header 30 seconds and 64 KiB.
func NewAPITransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    512, // not 2: the others would be dialed anew for each call
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true, // which a DialContext of one's own switches off otherwise
		DisableCompression:     true, // what browser and API agree on passes as it is
		HTTP2: &http.HTTP2Config{ // a connection that is dead must not keep a stream waiting for ever
			SendPingTimeout: 15 * time.Second,
			PingTimeout:     15 * time.Second,
		},
	}
}
