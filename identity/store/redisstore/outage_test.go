package redisstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// An outage is a fault and no miss. It ends without a restart of this process.
func TestRestart(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t, "--appendfsync", "always")
	s := open(t, Config{URL: server.URL(0), Timeout: 3 * time.Second})
	storetest.CheckRestart(t, s, server.Kill, func() { server.Start(t) })
}

// A server that answers no more is a fault, and heals.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0), Timeout: time.Second})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	storetest.PutEventually(t, s, store.Record{Key: "key"})
	get := func() error {
		_, err := s.Get(t.Context(), "key")
		return err
	}
	storetest.Until(t, func() bool { return get() == nil })
	server.Signal(t, syscall.SIGSTOP)
	storetest.CheckOutage(t, s, store.Record{Key: "key", Owner: "owner", Expires: time.Now().Add(time.Hour)}) // field 43
	events.Await(t, store.Lost)
	server.Signal(t, syscall.SIGCONT)
	storetest.Until(t, func() bool { return get() == nil })
	events.Await(t, store.Synced)
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
	storetest.Until(t, func() bool { return group.Replica.MustDo(t, "EXISTS", s.name.record("key")) == "1" })
	group.FailAfter(t, time.Second)
	group.Primary.Kill()
	events.Await(t, store.Lost)
	storetest.PutEventually(t, s, r)
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
	storetest.PutEventually(t, s, r)
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
		storetest.PutEventually(t, s, r)
	}
	events.Await(t, store.Synced)
	if list, err := s.List(t.Context(), "owner 3"); len(list) != 6 {
		t.Errorf("List after the restart = %d records, %v, want 6", len(list), err)
	}
}

// A cluster that has lost a server refuses the keys of all servers.
func TestClusterDown(t *testing.T) { // field 65
	t.Parallel()
	cluster := servers.StartRedisCluster(t)
	s := open(t, Config{URL: cluster.URL, Timeout: 3 * time.Second})
	r := put(t, s, "key", "value")
	cluster.FailAfter(t, time.Second)
	cluster.Nodes[1].Kill()
	for _, node := range []*servers.Redis{cluster.Nodes[0], cluster.Nodes[2]} {
		storetest.Until(t, func() bool { return strings.Contains(node.MustDo(t, "CLUSTER", "INFO"), "cluster_state:fail") })
	}
	for i := range 4 {
		r.Key, r.Owner = fmt.Sprint("key ", i), fmt.Sprint("owner ", i)
		storetest.CheckOutage(t, s, r)
	}
	cluster.Nodes[1].Start(t)
	storetest.PutEventually(t, s, store.Record{Key: "after"})
}

// The primary becomes a replica of its replica, and its name leads to the new
// primary. The old connections stay open. Writes work within 2 s.
func TestDemotedServer(t *testing.T) { // field 1
	t.Parallel()
	old := servers.StartRedis(t, "--repl-diskless-sync-delay", "0")
	promoted := servers.StartRedis(t, "--replicaof", "127.0.0.1 "+strconv.Itoa(old.Port))
	storetest.Until(t, func() bool {
		return strings.Contains(promoted.MustDo(t, "INFO", "replication"), "master_link_status:up")
	})
	relay := servers.StartRelay(t, old.Addr)
	s := open(t, Config{URL: "redis://" + relay.Addr})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	put(t, s, "before", "value")
	promoted.MustDo(t, "REPLICAOF", "NO", "ONE")
	old.MustDo(t, "REPLICAOF", "127.0.0.1", strconv.Itoa(promoted.Port))
	if _, err := s.Put(t.Context(), store.Record{Key: "between", Expires: time.Now().Add(time.Hour)}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Put at a replica = %v, want ErrUnavailable", err)
	}
	relay.Lead(promoted.Addr)
	began := time.Now()
	storetest.PutEventually(t, s, store.Record{Key: "after", Owner: "owner"})
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("writes work %v after the name leads to the new primary, want within 2 s", took)
	}
	if got := promoted.MustDo(t, "EXISTS", s.name.record("after")); got != "1" {
		t.Errorf("EXISTS at the promoted server = %s, want 1", got)
	}
	events.Await(t, store.Lost) // the connection for events is dropped too
	events.Await(t, store.Synced)
}

func TestWrongServer(t *testing.T) { // field 1
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	for text, want := range map[string]bool{
		"READONLY You can't write against a read only replica.":               true,
		"ERR Error running script: @user_script: -READONLY You can't write":   true,
		"LOADING Redis is loading the dataset in memory":                      true,
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is": true,
		"CLUSTERDOWN The cluster is down":                                     true,
		"NOREPLICAS Not enough good replicas to write.":                       true,
		"WRONGTYPE Operation against a key holding the wrong kind of value":   false,
		"OOM command not allowed when used memory > 'maxmemory'.":             false,
	} {
		err := s.client.Do(t.Context(), s.client.B().Arbitrary("EVAL").Args("return redis.error_reply(ARGV[1])", "0", text).Build()).Error()
		if got := wrongServer(err); got != want {
			t.Errorf("wrongServer(%v) = %v, want %v", err, got, want)
		}
	}
}
