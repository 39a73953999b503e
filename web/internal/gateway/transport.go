package gateway

import (
	"net"
	"net/http"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// NewTransport returns the default transport to the APIs. It verifies the
// servers' certificates. An answer's body may take any time, since it may be a
// stream. Bounds: 5 seconds to connect, 5 seconds for TLS, 30 seconds and 64 KiB
// for an answer's header.
func NewTransport() *http.Transport {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    512, // the default is 2: other calls would each open a connection
		MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2:      true, // our own DialContext would switch it off
		DisableCompression:     true, // browser and API agree on an encoding
	}
	tokenapi.SetConnectionTimes(t)
	return t
}
