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
	server := servers.StartPostgres(t)
	s := open(t, Config{URL: server.URL("postgres")})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	r := storetest.Put(t, s, store.Record{Key: "key"})
	server.Kill()
	events.Await(t, store.Lost)
	storetest.CheckOutage(t, s, r)
	server.Start(t)
	putEventually(t, s, r)
	events.Await(t, store.Synced)
	storetest.Put(t, s, store.Record{Key: "after"})
	events.Await(t, store.Changed)
}

// A failover cuts all connections between two calls. Reads connect again.
func TestReadsSurviveLostConnections(t *testing.T) {
	t.Parallel()
	server := servers.SharedPostgres(t)
	s, _ := openShared(t, Config{URL: server.URL("postgres") + "&pool_max_conns=10&application_name=lost"})
	storetest.Put(t, s, store.Record{Key: "key"})
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
	server.SQL(t, "postgres", `SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'lost'`)
	if _, err := s.Get(t.Context(), "key"); err != nil {
		t.Errorf("Get = %v, want no error", err)
	}
	if _, err := s.List(t.Context(), "owner"); err != nil {
		t.Errorf("List = %v, want no error", err)
	}
}

func TestPoolerRestart(t *testing.T) {
	t.Parallel()
	server := servers.SharedPostgres(t)
	pooler := servers.StartPgBouncer(t, server)
	s, _ := openShared(t, Config{URL: pooler.URL("postgres"), ListenURL: server.URL("postgres")})
	r := storetest.Put(t, s, store.Record{Key: "key"})
	pooler.Kill()
	storetest.CheckOutage(t, s, r)
	pooler.Start(t)
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Errorf("Put after the outage = %v, want no error", err)
	}
}

// Changes during an interruption are not reported, and Synced says so.
func TestNotificationsAreInterrupted(t *testing.T) {
	t.Parallel()
	s, server := openShared(t, Config{})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	r := storetest.Put(t, s, store.Record{Key: "key"})
	events.Await(t, store.Changed)
	server.SQL(t, "postgres", strings.ReplaceAll(`DO $$ BEGIN
		PERFORM pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = '%';
		UPDATE % SET version = version + 1; END $$`, "%", s.table))
	if e := events.Await(t, store.Lost); e.Err == nil {
		t.Error("Lost has no reason")
	}
	events.Await(t, store.Synced)
	if got, err := s.Get(t.Context(), "key"); err != nil || got.Version == r.Version {
		t.Errorf("Get = version %d, %v, want a version above %d", got.Version, err, r.Version)
	}
	storetest.Put(t, s, store.Record{Key: "after"})
	if e := events.Await(t, store.Changed); e.Key != "after" {
		t.Errorf("got the event of %q, want that of \"after\"", e.Key)
	}
}

// A connection that is open and silent is found out and replaced.
func TestSilentListener(t *testing.T) {
	t.Parallel()
	s, server := openShared(t, Config{Timeout: 2 * time.Second})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	pid, err := strconv.Atoi(server.SQL(t, "postgres",
		`SELECT pid FROM pg_stat_activity WHERE application_name = '`+s.table+`'`))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	if e := events.Await(t, store.Lost); e.Err == nil || !strings.Contains(e.Err.Error(), "does not answer") {
		t.Errorf("Lost has the reason %v, want that the server does not answer", e.Err)
	}
	events.Await(t, store.Synced)
}

// Behind a pooler Watch does not work, and says why. All other methods work.
func TestListenThroughPooler(t *testing.T) {
	t.Parallel()
	pooler := servers.StartPgBouncer(t, servers.SharedPostgres(t))
	s, _ := openShared(t, Config{URL: pooler.URL("postgres"), Timeout: 2 * time.Second})
	storetest.Until(t, func() bool {
		for e := range s.Watch(t.Context()) {
			if e.Kind == store.Synced {
				t.Fatal("got Synced through a pooler, want Lost")
			}
			return errors.Is(e.Err, errNoNotifications)
		}
		return false
	})
	putEventually(t, s, store.Record{Key: "key", Expires: time.Now().Add(time.Hour)})
}
