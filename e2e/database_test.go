package e2e

import (
	"sync/atomic"
	"testing"

	"b2trader.identity.auth/identity/store/storetest/servers"
)

// database is a real server of its own, which can be stopped and started again.
type database struct {
	t       testing.TB
	process *servers.Process
	part    func() string // the URL of a part of it that nobody else uses
}

// startRedis starts a server that keeps what it acknowledged.
func startRedis(t testing.TB) *database {
	t.Helper()
	r := servers.StartRedis(t, "--appendfsync", "always", "--databases", "64")
	var parts atomic.Int64
	return &database{t: t, process: r.Process, part: func() string { return r.URL(int(parts.Add(1) - 1)) }}
}

func startPostgres(t testing.TB) *database {
	t.Helper()
	p := servers.StartPostgres(t)
	return &database{t: t, process: p.Process, part: func() string { return p.URL(p.NewDatabase(t)) }}
}

// stop ends it as an operator does, without waiting for its clients.
func (d *database) stop() { d.t.Helper(); d.process.Stop(d.t) }

// start starts it again, and waits until it answers.
func (d *database) start() { d.t.Helper(); d.process.Start(d.t) }
