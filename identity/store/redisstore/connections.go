package redisstore

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// dropInterval is the time between two drops. It is longer than the calls that
// were under way at the first, and a server that stays useless does not make
// every call dial.
const dropInterval = 500 * time.Millisecond

// connections are the open connections of a Store. The driver keeps a connection
// to a server that was demoted, so the Store drops it.
type connections struct {
	check func(addr string, config *tls.Config) error // before each dial

	mu      sync.Mutex
	open    map[*connection]struct{}
	dropped time.Time
}

type connection struct {
	net.Conn

	all *connections
}

// dial is rueidis.ClientOption.DialCtxFn.
func (c *connections) dial(ctx context.Context, addr string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	if err := c.check(addr, config); err != nil { // Sentinels and clusters name servers
		return nil, err
	}
	var conn net.Conn
	var err error
	if config != nil {
		conn, err = (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", addr)
	} else {
		conn, err = dialer.DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	added := &connection{Conn: conn, all: c}
	if c.open == nil {
		c.open = map[*connection]struct{}{}
	}
	c.open[added] = struct{}{}
	return added, nil
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}

// drop closes all connections, also those for events. The driver dials again and
// so looks the name of the server up again.
func (c *connections) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.dropped) < dropInterval {
		return
	}
	c.dropped = time.Now()
	for conn := range c.open {
		_ = conn.Conn.Close() // the driver calls connection.Close afterwards
	}
}

// wrongServer reports whether a server answers that it cannot serve: it is a
// replica, it loads its records, it lost its replicas (min-replicas-to-write, as
// a master that another one has replaced), or its cluster is down. In Redis 6.2
// the code stands inside the error of a script.
func wrongServer(err error) bool {
	answer, ok := rueidis.IsRedisErr(err)
	if !ok {
		return false
	}
	for _, code := range []string{"READONLY ", "LOADING ", "MASTERDOWN ", "NOREPLICAS ", "CLUSTERDOWN "} {
		if strings.Contains(answer.Error(), code) {
			return true
		}
	}
	return false
}
