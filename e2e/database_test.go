package e2e

import (
	"sync/atomic"
	"testing"

	"b2trader.identity.auth/identity/store/storetest/servers"
)

// database is a database server, which a test can stop and start again.
type database struct {
	process *servers.Process
	part    func() string // returns the URL of a database that no other test uses
}

// startRedis starts a server that has on disk what it acknowledged.
func startRedis(t testing.TB) *database {
	t.Helper()
	r := servers.StartRedis(t, "--appendfsync", "always", "--databases", "64")
	var parts atomic.Int64
	return &database{process: r.Process, part: func() string { return r.URL(int(parts.Add(1) - 1)) }}
}

func startPostgres(t testing.TB) *database {
	t.Helper()
	p := servers.StartPostgres(t)
	return &database{process: p.Process, part: func() string { return p.URL(p.NewDatabase(t)) }}
}
