package redisstore

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// kinds passes on the kinds of events until the test ends.
func kinds(t *testing.T, s *Store) <-chan store.Kind {
	t.Helper()
	c := make(chan store.Kind, 1000)
	go func() {
		for e := range s.Watch(t.Context()) {
			c <- e.Kind
		}
	}()
	return c
}

func await(t *testing.T, c <-chan store.Kind, want store.Kind) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		select {
		case got := <-c:
			if got == want {
				return
			}
		case <-deadline.C:
			t.Fatalf("%v did not come", want)
		}
	}
}

// An outage is a fault and never a miss, and it ends without a restart of this process.
func TestRestart(t *testing.T) {
	for _, memory := range []int{0, -1} {
		t.Run(fmt.Sprint("CacheSize ", memory), func(t *testing.T) {
			t.Parallel()
			server := servers.StartRedis(t, "--appendfsync", "always")
			s := open(t, Config{URL: server.URL(0), Timeout: time.Second, CacheSize: memory})
			events := kinds(t, s)
			await(t, events, store.Synced)
			r := put(t, s, "key", "value")
			value(t, s)
			server.Kill()
			await(t, events, store.Lost)
			servers.Until(t, func() bool { // what was remembered is forgotten as soon as the connection is found dead
				_, err := s.Get(t.Context(), "key")
				return err != nil
			})
			_, get := s.Get(t.Context(), "key")
			_, swap := s.Put(t.Context(), r)
			_, list := s.List(t.Context(), "owner")
			for op, err := range map[string]error{"Get": get, "Put": swap, "List": list, "Delete": s.Delete(t.Context(), "key")} {
				if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s during the outage: %v", op, err)
				}
			}
			server.Start(t)
			servers.Until(t, func() bool {
				_, err := s.Put(t.Context(), r)
				return err == nil
			})
			await(t, events, store.Synced)
			put(t, s, "after", "value")
			await(t, events, store.Changed)
		})
	}
}

func TestServerForgetsScripts(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, s, "key", "value")
	server.MustDo(t, "SCRIPT", "FLUSH", "SYNC")
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Error(err)
	}
}

func TestSentinelFailover(t *testing.T) {
	group := servers.StartRedisSentinel(t)
	s := open(t, Config{URL: group.URL, Timeout: time.Second})
	events := kinds(t, s)
	await(t, events, store.Synced)
	r := put(t, s, "key", "value")
	value(t, s)
	servers.Until(t, func() bool { return group.Replica.MustDo(t, "EXISTS", s.name.record("key")) == "1" })
	group.Primary.Kill()
	await(t, events, store.Lost)
	servers.Until(t, func() bool {
		_, err := s.Put(t.Context(), r)
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			t.Fatalf("during the failover: %v", err)
		}
		return err == nil
	})
	await(t, events, store.Synced)
	put(t, s, "after", "value")
	await(t, events, store.Changed)
	if list, err := s.List(t.Context(), "owner"); len(list) != 2 {
		t.Errorf("%d records, %v", len(list), err)
	}
}

// The primary is replaced and stays alive, so no connection breaks.
func TestSentinelSwitch(t *testing.T) {
	group := servers.StartRedisSentinel(t)
	s := open(t, Config{URL: group.URL})
	events := kinds(t, s)
	await(t, events, store.Synced)
	r := put(t, s, "key", "value")
	// Redis replicates after it has answered.
	servers.Until(t, func() bool { return group.Replica.MustDo(t, "EXISTS", s.name.record("key")) == "1" })
	servers.Until(t, func() bool { // a Sentinel that has just started does not know yet how good the replica is
		_, err := group.Sentinel.Do("SENTINEL", "FAILOVER", "main")
		return err == nil
	})
	await(t, events, store.Lost)
	await(t, events, store.Synced)
	servers.Until(t, func() bool {
		_, err := s.Put(t.Context(), r)
		return err == nil
	})
	await(t, events, store.Changed)
	if got := group.Replica.MustDo(t, "ROLE"); !strings.HasPrefix(got, "master") {
		t.Errorf("the replica is still a %s", got)
	}
}

// A new server of a cluster is listened to; until then events may have been missed.
func TestClusterGrows(t *testing.T) {
	cluster := servers.StartRedisCluster(t)
	s := open(t, Config{URL: cluster.URL})
	events := kinds(t, s)
	await(t, events, store.Synced)
	cluster.Grow(t, 16383)
	await(t, events, store.Lost)
	await(t, events, store.Synced)
}

func TestClusterNodeRestart(t *testing.T) {
	cluster := servers.StartRedisCluster(t)
	s := open(t, Config{URL: cluster.URL, Timeout: time.Second})
	events := kinds(t, s)
	await(t, events, store.Synced)
	var all []store.Record
	for i := range 30 { // on all three, and so are their lists
		r := store.Record{Key: fmt.Sprint("key ", i), Owner: fmt.Sprint("owner ", i%5), Expires: time.Now().Add(time.Hour)}
		version, err := s.Put(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		r.Version = version
		all = append(all, r)
	}
	cluster.Nodes[1].Kill()
	await(t, events, store.Lost)
	cluster.Nodes[1].Start(t)
	for _, r := range all {
		servers.Until(t, func() bool {
			version, err := s.Put(t.Context(), r)
			if err != nil && !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrConflict) {
				t.Fatalf("during the outage: %v", err)
			}
			if errors.Is(err, store.ErrConflict) { // the attempt before was carried out
				got, err := s.Get(t.Context(), r.Key)
				return err == nil && got.Version > r.Version
			}
			return err == nil && version > r.Version
		})
	}
	await(t, events, store.Synced)
	if list, err := s.List(t.Context(), "owner 3"); len(list) != 6 {
		t.Errorf("%d records, %v", len(list), err)
	}
}
