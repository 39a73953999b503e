package redisstore

import (
	"net"
	"strings"
	"testing"
)

// A server that Sentinels or a cluster name is not asked in plaintext either.
//
// field 29
func TestNamedServersNeedTLS(t *testing.T) {
	t.Parallel()
	c := connections{check: Config{}.checkPrivate}
	conn, err := c.dial(t.Context(), "192.0.2.7:6379", &net.Dialer{}, nil)
	if err == nil || conn != nil || !strings.Contains(err.Error(), "192.0.2.7:6379") || !strings.Contains(err.Error(), "verified TLS") {
		t.Errorf("dial of a server beyond loopback in plaintext = %v, %v, want an error that names it", conn, err)
	}
}
