package pgstore

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// Replicas that start together find one schema, and none of them leaves a lock behind.
func TestReplicasMigrateTogether(t *testing.T) {
	server := servers.StartPostgres(t)
	pooler := servers.StartPgBouncer(t, server)
	for round := range 3 {
		database := server.NewDatabase(t)
		var running errgroup.Group
		for i := range 8 {
			running.Go(func() error {
				s, err := Open(t.Context(), Config{URL: pooler.URL(database), ListenURL: server.URL(database), Timeout: time.Minute})
				if err != nil {
					return err
				}
				_, err = s.Put(t.Context(), store.Record{Key: fmt.Sprint("key ", i), Owner: "owner", Expires: time.Now().Add(time.Hour)})
				return errors.Join(err, s.Close())
			})
		}
		if err := running.Wait(); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if got := server.SQL(t, database, `SELECT count(*) FROM b2trader_store`); got != "8" {
			t.Errorf("%s records", got)
		}
		if got := server.SQL(t, database, `SELECT count(*), max(version) FROM b2trader_store_schema`); got != "1|1" {
			t.Errorf("schema versions: %s", got)
		}
		if got := server.SQL(t, database, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'`); got != "0" {
			t.Errorf("%s advisory locks are held", got)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	server := servers.StartPostgres(t)
	s := open(t, Config{URL: server.URL("postgres"), Table: "sessions"})
	put(t, s, "key")
	server.SQL(t, "postgres", "UPDATE sessions_schema SET version = 99")
	_, err := Open(t.Context(), Config{URL: server.URL("postgres"), Table: "sessions"})
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "newer release") {
		t.Errorf("got %v", err)
	}
}

// Once the table is there, the service needs no right to create one.
func TestRoleWithFewRights(t *testing.T) {
	server := servers.StartPostgres(t)
	open(t, Config{URL: server.URL("postgres")})
	server.SQL(t, "postgres", `CREATE ROLE service LOGIN;
		GRANT SELECT, INSERT, UPDATE, DELETE ON b2trader_store TO service;
		GRANT SELECT ON b2trader_store_schema TO service`)
	s := open(t, Config{URL: strings.Replace(server.URL("postgres"), "postgres@", "service@", 1)})
	await(t, watch(t, s), store.Synced)
	r := put(t, s, "key")
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), "key"); err != nil {
		t.Error(err)
	}
	if _, err := s.sweep(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	server := servers.StartPostgres(t)
	s := open(t, Config{URL: server.URL("postgres")})
	for i := range 40 {
		put(t, s, fmt.Sprint("long ", i))
		put(t, s, fmt.Sprint("short ", i))
		if i%2 == 0 {
			if err := s.Delete(t.Context(), fmt.Sprint("short ", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	server.SQL(t, "postgres", `UPDATE b2trader_store SET expires = now() WHERE key LIKE 'short%'`)
	removed, err := s.sweep(t.Context())
	if err != nil || removed != 40 {
		t.Errorf("%d removed, %v", removed, err)
	}
	if got := server.SQL(t, "postgres", `SELECT count(*) FROM b2trader_store`); got != "40" {
		t.Errorf("%s records are left", got)
	}
}

// Nothing that runs often may read the whole table.
func TestQueriesUseIndexes(t *testing.T) {
	server := servers.StartPostgres(t)
	s := open(t, Config{URL: server.URL("postgres")})
	server.SQL(t, "postgres", `INSERT INTO b2trader_store
		SELECT n::text::bytea, (n % 1000)::text::bytea, n, false, now() + n * interval '1 second', 'value' FROM generate_series(1, 20000) n;
		ANALYZE b2trader_store`)
	for query, index := range map[string]string{
		strings.NewReplacer("$1", `'7'::bytea`).Replace(s.sql.get):                        "b2trader_store_pkey",
		strings.NewReplacer("$1", `'7'::bytea`).Replace(s.sql.list):                       "b2trader_store_owner",
		strings.NewReplacer("$1", "500").Replace(s.sql.sweep):                             "b2trader_store_expires",
		strings.NewReplacer("$1", `'7'::bytea`, "$2", "'x'").Replace(s.sql.bury):          "b2trader_store_pkey",
		strings.NewReplacer("$1", `'7'::bytea`, "$2", "'2100-1-1'").Replace(s.sql.whyNot): "b2trader_store_pkey",
	} {
		plan := server.SQL(t, "postgres", "EXPLAIN "+query)
		if !strings.Contains(plan, index) || strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s\nis done by\n%s", query, plan)
		}
	}
}

// The server's clock decides: here it is an hour ahead of the writer's.
func TestServersClockDecides(t *testing.T) {
	server := servers.StartPostgresAhead(t)
	s := open(t, Config{URL: server.URL("postgres")})
	r := store.Record{Key: "key", Owner: "owner", Expires: time.Now().Add(30 * time.Minute)}
	if _, err := s.Put(t.Context(), r); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("a life that is over by the server's clock: %v", err)
	}
	r.Expires = time.Now().Add(time.Hour + 3*time.Second)
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Errorf("a life of some seconds by the server's clock: %v", err)
	}
	servers.Until(t, func() bool {
		_, err := s.Get(t.Context(), "key")
		return errors.Is(err, store.ErrNotFound)
	})
	if list, err := s.List(t.Context(), "owner"); len(list) != 0 {
		t.Errorf("%d records are listed, %v", len(list), err)
	}
}

func TestConfigProblemsComeTogetherWithoutSecrets(t *testing.T) {
	for _, test := range []struct {
		cfg  Config
		says []string
	}{
		{Config{Table: "a b", Timeout: -1}, []string{"Config.URL", "Table", "Timeout"}},
		{Config{URL: "postgres://user:hunter2@host:port/db", ListenURL: "postgres://user:hunter2@host:port/db2"}, []string{"Config.URL", "Config.ListenURL"}},
		{Config{URL: "postgres://user:hunter2/x@host/db"}, []string{"Config.URL"}},
		{Config{URL: "postgres://user:hunter2@127.0.0.1:1/db"}, []string{"refused"}},
	} {
		s, err := Open(t.Context(), test.cfg)
		if err == nil {
			_ = s.Close()
			t.Fatalf("%+v was accepted", test.cfg)
		}
		for _, word := range test.says {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q does not say %q", err, word)
			}
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q shows the password", err)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	f.Add("c7 6b6579")
	f.Add("d7 6b6579")
	f.Add("c7")
	f.Add("x7 6b6579")
	f.Add("c0 00")
	f.Fuzz(func(t *testing.T, payload string) {
		e, ok := parseEvent(payload)
		if ok == (e.Key == "" || e.Version == 0 || e.Kind != store.Changed && e.Kind != store.Deleted) {
			t.Errorf("%q: %+v, %v", payload, e, ok)
		}
	})
}
