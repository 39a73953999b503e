package redisstore

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// With Sentinel, a deletion and a successor are at a replica before the call
// returns.
func TestWritesWaitForAReplica(t *testing.T) { // field 20
	t.Parallel()
	group := servers.StartRedisSentinel(t)
	s := open(t, Config{URL: group.URL, ReplicaWait: time.Minute})
	r := put(t, s, "key", "one")
	for _, name := range []string{"Put", "Delete"} {
		write := func() error { return s.Delete(t.Context(), "key") }
		if name == "Put" {
			write = func() error { _, err := s.Put(t.Context(), r); return err }
		}
		group.Replica.Signal(t, syscall.SIGSTOP)
		done := make(chan error, 1)
		go func() { done <- write() }()
		storetest.Until(t, func() bool {
			return len(done) > 0 || strings.Contains(group.Primary.MustDo(t, "INFO", "clients"), "blocked_clients:1")
		})
		if len(done) > 0 {
			t.Errorf("%s returned while the replica was stopped, want it to wait", name)
		}
		group.Replica.Signal(t, syscall.SIGCONT)
		if err := <-done; err != nil {
			t.Errorf("%s = %v, want no error", name, err)
		}
		record := s.name.record(r.Key)
		if at, want := group.Replica.MustDo(t, "GET", record), group.Primary.MustDo(t, "GET", record); at != want {
			t.Errorf("the replica has %q after %s, want %q", at, name, want)
		}
	}
}

// Without a replica that answers, writes wait once and then go on.
func TestWritesGoOnWithoutReplicas(t *testing.T) { // field 20
	t.Parallel()
	server := servers.StartRedis(t)
	for wait, most := range map[time.Duration]int{0: 0, -1: 0, time.Millisecond: 1} {
		s := open(t, Config{URL: server.URL(0), Prefix: wait.String(), ReplicaWait: wait})
		before := server.Calls(t, "wait")
		for range 3 {
			storetest.Put(t, s, store.Record{Key: time.Now().String()})
		}
		if calls := server.Calls(t, "wait") - before; calls != most {
			t.Errorf("3 writes with ReplicaWait %v = %d times WAIT, want %d", wait, calls, most)
		}
	}
	if got := (Config{}).waitFor("cluster"); got != time.Second {
		t.Errorf("default of ReplicaWait in a cluster = %v, want 1 s", got)
	}
}
