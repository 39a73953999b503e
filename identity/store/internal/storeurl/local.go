package storeurl

import (
	"crypto/tls"
	"net"
	"strings"
)

// Private reports whether a connection to a host, given without a port, cannot
// be read by strangers: it stays on this machine, or uses TLS that verifies the
// server's certificate and name.
func Private(host string, config *tls.Config) bool {
	return Local(host) || config != nil && !config.InsecureSkipVerify
}

// Local reports whether a host is this machine's loopback interface or the path
// of a Unix socket.
func Local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback() || strings.HasPrefix(host, "/")
}
