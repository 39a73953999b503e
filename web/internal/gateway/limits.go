package gateway

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// Limits bounds the calls of one API. web.Upstream describes the fields.
type Limits struct {
	Methods         []string
	RequestHeaders  []string
	ResponseHeaders []string
	MaxBody         int64
	MaxCalls        int
	MaxStreams      int

	MaxCallsPerSession, MaxCallsPerUser int
}

func (l Limits) withDefaults() Limits {
	if l.Methods == nil {
		l.Methods = []string{
			http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		}
	}
	if l.MaxBody == 0 {
		l.MaxBody = 10 << 20
	}
	if l.MaxCalls == 0 {
		l.MaxCalls = 256
	}
	if l.MaxCallsPerSession == 0 {
		l.MaxCallsPerSession = max(2, l.MaxCalls/4)
	}
	if l.MaxCallsPerUser == 0 {
		l.MaxCallsPerUser = max(2, l.MaxCalls/2)
	}
	if l.MaxStreams == 0 {
		l.MaxStreams = 16
	}
	return l
}

// ForwardableMethod reports whether calls with a method can be passed on.
func ForwardableMethod(method string) bool {
	return method != "" && method == strings.ToUpper(method) && method != http.MethodTrace && method != http.MethodConnect
}

// ForwardableHeader reports whether a request header can be passed on. It
// cannot if this site sets it, or if it concerns one connection only (RFC 9110
// section 7.6.1).
func ForwardableHeader(name string) bool {
	name = textproto.CanonicalMIMEHeaderKey(name)
	return name != "" && !strings.HasPrefix(name, "X-Forwarded-") && !strings.HasPrefix(name, "Sec-") && !slices.Contains([]string{
		"Authorization", "Connection", "Content-Length", "Cookie", "Forwarded", "Host", "Keep-Alive", "Proxy-Authorization",
		"Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "X-Real-Ip", "X-Request-Id", "X-Requested-With",
	}, name)
}
