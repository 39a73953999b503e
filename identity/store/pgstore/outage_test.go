package pgstore

import (
	"errors"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// An outage is a fault and no miss. It ends without a restart of this process.
func TestRestart(t *testing.T) {
	t.Parallel()
	server := servers.StartPostgres(t)
	s := open(t, Config{URL: server.URL("postgres")})
	storetest.CheckRestart(t, s, server.Kill, func() { server.Start(t) })
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

// A server that answers no more is a fault, and heals.
func TestSilentServer(t *testing.T) { // field 43
	t.Parallel()
	server := servers.SharedPostgres(t)
	relay := servers.StartRelay(t, server.Addr)
	s, _ := openShared(t, Config{URL: strings.Replace(server.URL("postgres"), server.Addr, relay.Addr, 1), Timeout: time.Second})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	storetest.PutEventually(t, s, store.Record{Key: "key"})
	relay.Silence()
	storetest.CheckOutage(t, s, store.Record{Key: "key", Owner: "owner", Expires: time.Now().Add(time.Hour)})
	events.Await(t, store.Lost)
	relay.Speak()
	storetest.PutEventually(t, s, store.Record{Key: "after"})
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
	storetest.PutEventually(t, s, store.Record{Key: "key"})
}

// The primary becomes read-only, and its name leads to the new primary. The old
// connections stay open. The store follows even if it writes nothing.
func TestSwitchover(t *testing.T) { // field 2
	t.Parallel()
	old, promoted := servers.StartPostgres(t), servers.StartPostgres(t)
	relay := servers.StartRelay(t, old.Addr)
	url := func(addr string) string { return "postgres://postgres@" + addr + "/postgres?sslmode=disable" }
	open(t, Config{URL: url(promoted.Addr)}) // creates the table
	s := open(t, Config{URL: url(relay.Addr)})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	storetest.Put(t, s, store.Record{Key: "before"})
	relay.Lead(promoted.Addr)
	old.SQL(t, "postgres", `ALTER SYSTEM SET default_transaction_read_only = on`)
	old.SQL(t, "postgres", `SELECT pg_reload_conf()`)
	storetest.Until(t, func() bool { return old.SQL(t, "postgres", `SHOW transaction_read_only`) == "on" })
	events.Await(t, store.Lost)
	events.Await(t, store.Synced)
	if _, err := s.Get(t.Context(), "before"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get of a record of the old primary = %v, want %v of the new one", err, store.ErrNotFound)
	}
	storetest.PutEventually(t, s, store.Record{Key: "after"})
	if n := promoted.SQL(t, "postgres", `SELECT count(*) FROM b2trader_store`); n != "1" {
		t.Errorf("records at the new primary = %s, want 1", n)
	}
}

// The primary ends, and its name leads to a standby that is promoted later.
func TestStandby(t *testing.T) { // field 2
	t.Parallel()
	primary := servers.StartPostgres(t)
	standby := servers.StartStandby(t, primary)
	relay := servers.StartRelay(t, primary.Addr)
	s := open(t, Config{URL: strings.Replace(primary.URL("postgres"), primary.Addr, relay.Addr, 1), Timeout: 3 * time.Second})
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	r := storetest.Put(t, s, store.Record{Key: "key"})
	storetest.Until(t, func() bool { return standby.SQL(t, "postgres", `SELECT count(*) FROM b2trader_store`) == "1" })
	relay.Lead(standby.Addr)
	primary.Kill()
	events.Await(t, store.Lost)
	if _, err := s.Put(t.Context(), r); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Put at a standby = %v, want ErrUnavailable", err)
	}
	standby.Promote(t)
	storetest.PutEventually(t, s, r)
	events.Await(t, store.Synced)
	if got, err := s.Get(t.Context(), "key"); err != nil || got.Version <= r.Version {
		t.Errorf("Get after the promotion = version %d, %v, want a version above %d", got.Version, err, r.Version)
	}
}

func TestPrimaryIsTheDefault(t *testing.T) { // field 2
	t.Parallel()
	for url, want := range map[string]bool{
		"postgres://host/db":                                 true,
		"host=host dbname=db":                                true,
		"postgres://host/db?target_session_attrs=any":        false,
		"postgres://host/db?target_session_attrs=read-write": true,
	} {
		o, err := Config{URL: url}.options()
		if err != nil {
			t.Fatal(err)
		}
		for role, config := range map[string]*pgx.ConnConfig{"calls": o.pool.ConnConfig, "events": o.listen} {
			if got := config.ValidateConnect != nil; got != want {
				t.Errorf("the connection for %s of %s requires a primary: %v, want %v", role, url, got, want)
			}
		}
	}
}
