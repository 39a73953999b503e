package redisstore

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// putEventually repeats Put until the server has carried it out. ErrConflict
// says that it carried out an attempt whose answer was lost.
func putEventually(t *testing.T, s *Store, r store.Record) {
	t.Helper()
	storetest.Until(t, func() bool {
		_, err := s.Put(t.Context(), r)
		if err != nil && !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("Put during an outage = %v, want ErrUnavailable", err)
		}
		return err == nil || errors.Is(err, store.ErrConflict)
	})
}

// An outage is a fault and no miss. It ends without a restart of this process.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, cache := range []int{0, -1} {
		t.Run(fmt.Sprint("CacheSize ", cache), func(t *testing.T) {
			t.Parallel()
			server := servers.StartRedis(t, "--appendfsync", "always")
			s := open(t, Config{URL: server.URL(0), Timeout: 3 * time.Second, CacheSize: cache})
			events := storetest.Observe(t, s)
			events.Await(t, store.Synced)
			r := put(t, s, "key", "value")
			value(t, s)
			server.Kill()
			events.Await(t, store.Lost)
			storetest.Until(t, func() bool { // until the driver has noticed, the cache answers
				_, err := s.Get(t.Context(), "key")
				return err != nil
			})
			storetest.CheckOutage(t, s, r)
			server.Start(t)
			putEventually(t, s, r)
			events.Await(t, store.Synced)
			put(t, s, "after", "value")
			events.Await(t, store.Changed)
		})
	}
}

func TestServerForgetsScripts(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, s, "key", "value")
	server.MustDo(t, "SCRIPT", "FLUSH", "SYNC")
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Errorf("Put after SCRIPT FLUSH = %v, want no error", err)
	}
}

func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	group := servers.StartRedisSentinel(t)
	s := open(t, Config{URL: group.URL})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	r := put(t, s, "key", "value")
	value(t, s)
	storetest.Until(t, func() bool { return group.Replica.MustDo(t, "EXISTS", s.name.record("key")) == "1" })
	group.Primary.Kill()
	events.Await(t, store.Lost)
	putEventually(t, s, r)
	events.Await(t, store.Synced)
	put(t, s, "after", "value")
	events.Await(t, store.Changed)
	if list, err := s.List(t.Context(), "owner"); len(list) != 2 {
		t.Errorf("List after the failover = %d records, %v, want 2", len(list), err)
	}
}

// The primary becomes a replica and stays alive, so no connection ends.
func TestSentinelSwitch(t *testing.T) {
	t.Parallel()
	group := servers.StartRedisSentinel(t)
	s := open(t, Config{URL: group.URL})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	r := put(t, s, "key", "value")
	storetest.Until(t, func() bool { return group.Replica.MustDo(t, "EXISTS", s.name.record("key")) == "1" })
	storetest.Until(t, func() bool { // a Sentinel refuses until it knows the state of the replica
		_, err := group.Sentinel.Do("SENTINEL", "FAILOVER", "main")
		return err == nil
	})
	events.Await(t, store.Lost)
	events.Await(t, store.Synced)
	putEventually(t, s, r)
	events.Await(t, store.Changed)
	if got := group.Replica.MustDo(t, "ROLE"); !strings.HasPrefix(got, "master") {
		t.Errorf("ROLE of the replica = %s, want master", got)
	}
}

// The store subscribes at a new node of a cluster. Events may be missed until
// then, so it reports Lost.
func TestClusterGrows(t *testing.T) {
	t.Parallel()
	cluster := servers.StartRedisCluster(t)
	s := open(t, Config{URL: cluster.URL})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	cluster.Grow(t, 16383)
	events.Await(t, store.Lost)
	events.Await(t, store.Synced)
}

func TestClusterNodeRestart(t *testing.T) {
	t.Parallel()
	cluster := servers.StartRedisCluster(t)
	s := open(t, Config{URL: cluster.URL})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	var all []store.Record
	for i := range 30 { // records and lists on all three nodes
		all = append(all, storetest.Put(t, s, store.Record{Key: fmt.Sprint("key ", i), Owner: fmt.Sprint("owner ", i%5)}))
	}
	cluster.Nodes[1].Kill()
	events.Await(t, store.Lost)
	cluster.Nodes[1].Start(t)
	for _, r := range all {
		putEventually(t, s, r)
	}
	events.Await(t, store.Synced)
	if list, err := s.List(t.Context(), "owner 3"); len(list) != 6 {
		t.Errorf("List after the restart = %d records, %v, want 6", len(list), err)
	}
}
