package redisstore

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

const (
	defaultReplicaWait = time.Second     // with Sentinel and in a cluster
	replicaPause       = 5 * time.Second // without waiting, after no replica confirmed a write in time
	replicaConnections = 64              // that wait at the same time, per server
)

// replicas makes writes wait until a replica has them, so that a failover does
// not forget them. It is off if wait is zero.
type replicas struct {
	wait   time.Duration
	paused atomic.Int64 // Unix time in nanoseconds until which writes do not wait
}

// waitFor returns how long writes wait at a server of the mode.
func (c Config) waitFor(mode rueidis.ClientMode) time.Duration {
	switch {
	case c.ReplicaWait != 0:
		return max(0, c.ReplicaWait)
	case mode == rueidis.ClientModeStandalone:
		return 0
	}
	return defaultReplicaWait
}

// replicate waits until a replica has the last write of a key. The write counts
// even if none confirms it in time: without a replica, sign-ins and renewals go
// on.
//
// WAIT waits for what its own connection did last, so a command that reads the
// key comes first. Replicas confirm writes in their order.
func (s *Store) replicate(ctx context.Context, name string) {
	r := &s.replicas
	if r.wait == 0 || time.Now().UnixNano() < r.paused.Load() {
		return
	}
	connection, release := s.client.Dedicate()
	defer release()
	answers := connection.DoMulti(ctx,
		connection.B().Exists().Key(name).Build(),
		connection.B().Wait().Numreplicas(1).Timeout(max(1, r.wait.Milliseconds())).Build())
	if confirmed, err := answers[1].AsInt64(); err != nil || confirmed == 0 {
		r.paused.Store(time.Now().Add(replicaPause).UnixNano())
	}
}
