package pgstore

import (
	"errors"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

func put(t *testing.T, s *Store, key string) store.Record {
	t.Helper()
	r := store.Record{Key: key, Owner: "owner", Value: []byte("value"), Expires: time.Now().Add(time.Hour)}
	version, err := s.Put(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	r.Version = version
	return r
}

func watch(t *testing.T, s *Store) <-chan store.Event {
	t.Helper()
	c := make(chan store.Event, 1000)
	go func() {
		for e := range s.Watch(t.Context()) {
			c <- e
		}
	}()
	return c
}

func await(t *testing.T, c <-chan store.Event, want store.Kind) store.Event {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		select {
		case e := <-c:
			if e.Kind == want {
				return e
			}
		case <-deadline.C:
			t.Fatalf("%v did not come", want)
		}
	}
}

// An outage is a fault and never a miss, and it ends without a restart of this process.
func TestRestart(t *testing.T) {
	server := servers.StartPostgres(t)
	s := open(t, Config{URL: server.URL("postgres"), Timeout: time.Second})
	events := watch(t, s)
	await(t, events, store.Synced)
	r := put(t, s, "key")
	server.Kill()
	await(t, events, store.Lost)
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
		return err == nil || errors.Is(err, store.ErrConflict) // a backend outlived the server, and carried out the swap
	})
	await(t, events, store.Synced)
	put(t, s, "after")
	await(t, events, store.Changed)
}

// All connections are cut between two calls, as by a failover: a reader does not notice, its call finds new ones.
func TestReadsSurviveDeadConnections(t *testing.T) {
	server := servers.StartPostgres(t)
	s := open(t, Config{URL: server.URL("postgres") + "&pool_max_conns=10"})
	put(t, s, "key")
	var busy []*pgxpool.Conn
	for range 10 {
		conn, err := s.pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		busy = append(busy, conn)
	}
	for _, conn := range busy {
		conn.Release()
	}
	server.SQL(t, "postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`)
	if _, err := s.Get(t.Context(), "key"); err != nil {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.List(t.Context(), "owner"); err != nil {
		t.Errorf("List: %v", err)
	}
}

func TestPoolerRestart(t *testing.T) {
	server := servers.StartPostgres(t)
	pooler := servers.StartPgBouncer(t, server)
	s := open(t, Config{URL: pooler.URL("postgres"), ListenURL: server.URL("postgres"), Timeout: time.Second})
	r := put(t, s, "key")
	pooler.Kill()
	if _, err := s.Get(t.Context(), "key"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Get during the outage: %v", err)
	}
	pooler.Start(t)
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Errorf("Put after it: %v", err)
	}
}

// What happens while nobody listens is not reported, and Synced says so.
func TestNotificationsAreInterrupted(t *testing.T) {
	server := servers.StartPostgres(t)
	s := open(t, Config{URL: server.URL("postgres")})
	events := watch(t, s)
	await(t, events, store.Synced)
	r := put(t, s, "key")
	await(t, events, store.Changed)
	server.SQL(t, "postgres", `DO $$ BEGIN
		PERFORM pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE query LIKE 'LISTEN%';
		UPDATE b2trader_store SET version = version + 1; END $$`)
	if e := await(t, events, store.Lost); e.Err == nil {
		t.Error("Lost gives no reason")
	}
	await(t, events, store.Synced)
	if got, err := s.Get(t.Context(), "key"); err != nil || got.Version == r.Version {
		t.Errorf("version %d, %v", got.Version, err)
	}
	put(t, s, "after")
	if e := await(t, events, store.Changed); e.Key != "after" {
		t.Errorf("reported %q", e.Key)
	}
}

// A connection that is open and says nothing must not pass for one that has nothing to say.
func TestSilentListener(t *testing.T) {
	server := servers.StartPostgres(t)
	s := open(t, Config{URL: server.URL("postgres"), Timeout: 500 * time.Millisecond})
	events := watch(t, s)
	await(t, events, store.Synced)
	pid, err := strconv.Atoi(server.SQL(t, "postgres", `SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'`))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	began := time.Now()
	e := await(t, events, store.Lost)
	if took := time.Since(began); !strings.Contains(e.Err.Error(), "silent") || took > 10*time.Second {
		t.Errorf("after %v: %v", took, e.Err)
	}
	await(t, events, store.Synced)
}

// Through a transaction pooler all works but Watch, which says why instead of being silent.
func TestListenThroughPooler(t *testing.T) {
	server := servers.StartPostgres(t)
	pooler := servers.StartPgBouncer(t, server)
	s := open(t, Config{URL: pooler.URL("postgres"), Timeout: 500 * time.Millisecond})
	servers.Until(t, func() bool { return errors.Is(state(t, s).Err, errSilent) })
	put(t, s, "key")
}

// state is what a new reader is told first.
func state(t *testing.T, s *Store) store.Event {
	t.Helper()
	for e := range s.Watch(t.Context()) {
		if e.Kind == store.Synced {
			t.Fatal("reports that it hears of changes")
		}
		return e
	}
	t.Fatal("reports nothing")
	return store.Event{}
}
