package pgstore

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// Replicas that start together create one schema and leave no lock.
func TestReplicasMigrateTogether(t *testing.T) {
	t.Parallel()
	server := servers.SharedPostgres(t)
	pooler := servers.StartPgBouncer(t, server)
	for range 3 {
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
			t.Fatal(err)
		}
		for query, want := range map[string]string{
			`SELECT count(*) FROM b2trader_store`:                      "8",
			`SELECT count(*), max(version) FROM b2trader_store_schema`: "1|1",
			`SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database AND datname = current_database()
				WHERE locktype = 'advisory'`: "0",
		} {
			if got := server.SQL(t, database, query); got != want {
				t.Errorf("%s = %s, want %s", query, got, want)
			}
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	s, server := openShared(t, Config{})
	server.SQL(t, "postgres", "UPDATE "+s.table+"_schema SET version = 99")
	_, err := Open(t.Context(), Config{URL: server.URL("postgres"), Table: s.table})
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "newer release") {
		t.Errorf("Open(schema 99) = %v, want ErrUnavailable that names a newer release", err)
	}
}

// When the table exists, the service needs no right to create one. Open says
// which right is missing. field 34
func TestRoleWithFewRights(t *testing.T) {
	t.Parallel()
	owner, server := openShared(t, Config{})
	server.SQL(t, "postgres", strings.ReplaceAll(`CREATE ROLE %_service LOGIN;
		GRANT SELECT, INSERT, UPDATE, DELETE ON % TO %_service;
		GRANT SELECT ON %_schema TO %_service`, "%", owner.table))
	s := open(t, Config{URL: strings.Replace(server.URL("postgres"), "postgres@", owner.table+"_service@", 1), Table: owner.table})
	storetest.Observe(t, s).Await(t, store.Synced)
	storetest.Put(t, s, storetest.Put(t, s, store.Record{Key: "key"}))
	if err := s.Delete(t.Context(), "key"); err != nil {
		t.Errorf("Delete = %v, want no error", err)
	}
	if _, err := s.sweep(t.Context()); err != nil {
		t.Errorf("sweep = %v, want no error", err)
	}
	server.SQL(t, "postgres", strings.ReplaceAll(`REVOKE INSERT, DELETE ON % FROM %_service`, "%", owner.table))
	refused, err := Open(t.Context(), Config{URL: strings.Replace(server.URL("postgres"), "postgres@", owner.table+"_service@", 1), Table: owner.table})
	if err == nil {
		_ = refused.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "GRANT INSERT, DELETE ON "+owner.table) {
		t.Errorf("Open by a role without two rights = %v, want an error that names both", err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s, server := openShared(t, Config{})
	for i := range 40 {
		storetest.Put(t, s, store.Record{Key: fmt.Sprint("long ", i)})
		storetest.Put(t, s, store.Record{Key: fmt.Sprint("short ", i)})
		if i%2 == 0 {
			if err := s.Delete(t.Context(), fmt.Sprint("short ", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	server.SQL(t, "postgres", `UPDATE `+s.table+` SET expires = now() WHERE key LIKE 'short%'`)
	if removed, err := s.sweep(t.Context()); err != nil || removed != 40 {
		t.Errorf("sweep = %d, %v, want 40 removed records", removed, err)
	}
	if got := server.SQL(t, "postgres", `SELECT count(*) FROM `+s.table); got != "40" {
		t.Errorf("%s records are left, want 40", got)
	}
}

// No frequent statement reads the whole table.
func TestQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	s, server := openShared(t, Config{})
	server.SQL(t, "postgres", strings.ReplaceAll(`INSERT INTO %
		SELECT n::text::bytea, mod(n, 1000)::text::bytea, n, false, now() + n * interval '1 second', 'value' FROM generate_series(1, 20000) n;
		ANALYZE %`, "%", s.table))
	for query, index := range map[string]string{
		strings.NewReplacer("$1", `'7'::bytea`).Replace(s.sql.get):                        "_pkey",
		strings.NewReplacer("$1", `'7'::bytea`).Replace(s.sql.list):                       "_owner",
		strings.NewReplacer("$1", "500").Replace(s.sql.sweep):                             "_expires",
		strings.NewReplacer("$1", `'7'::bytea`, "$2", "'x'").Replace(s.sql.delete):        "_pkey",
		strings.NewReplacer("$1", `'7'::bytea`, "$2", "'2100-1-1'").Replace(s.sql.whyNot): "_pkey",
	} {
		plan := server.SQL(t, "postgres", "EXPLAIN "+query)
		if !strings.Contains(plan, s.table+index) || strings.Contains(plan, "Seq Scan") {
			t.Errorf("plan of %s is\n%s\nwant the index %s", query, plan, s.table+index)
		}
	}
}

// The clock of the server decides. Here it is an hour ahead.
func TestServersClockDecides(t *testing.T) {
	t.Parallel()
	s := open(t, Config{URL: servers.StartPostgresAhead(t).URL("postgres")})
	if now, err := s.Time(t.Context()); err != nil || time.Until(now) < 59*time.Minute { // field 12
		t.Errorf("Time = %v, %v, want an hour ahead", now, err)
	}
	r := store.Record{Key: "key", Owner: "owner", Expires: time.Now().Add(30 * time.Minute)}
	if _, err := s.Put(t.Context(), r); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("Put(expired by the clock of the server) = %v, want ErrInvalid", err)
	}
	life := time.Second
	storetest.Until(t, func() bool { // a slow machine needs a longer life
		r.Expires = time.Now().Add(time.Hour + life)
		life *= 2
		_, err := s.Put(t.Context(), r)
		return err == nil
	})
	storetest.Until(t, func() bool {
		_, err := s.Get(t.Context(), "key")
		return errors.Is(err, store.ErrNotFound)
	})
	if list, err := s.List(t.Context(), "owner"); len(list) != 0 {
		t.Errorf("List = %d expired records, %v, want none", len(list), err)
	}
}

func TestConfigProblemsComeTogetherWithoutSecrets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cfg  Config
		says []string
	}{
		{Config{Table: "a b", Timeout: -1}, []string{"Config.URL", "Table", "Timeout"}},
		{Config{URL: "postgres://user:hunter2@host:port/db", ListenURL: "postgres://user:hunter2@host:port/db2"}, []string{"Config.URL", "Config.ListenURL"}},
		{Config{URL: "postgres://user:hunter2/x@host/db"}, []string{"Config.URL"}},
		{Config{URL: "postgres://user:hunter2%t@host/db"}, []string{"postgres://…"}}, // field 26
		{Config{URL: "postgres://user:2024#hunter2@host/db"}, []string{"postgres://…", "%XX"}},
		{Config{URL: "postgres://user:hunter2@host/db?sslmode=verify-full&sslrootcert=/nowhere.pem"}, []string{"Config.URL", "/nowhere.pem"}},
		{Config{URL: "postgres://user:hunter2@127.0.0.1:1/db"}, []string{"refused"}},
		// field 29
		{Config{URL: "postgres://user:hunter2@host/db?sslmode=disable"}, []string{"Config.URL", "verify-full", "InsecureAllowPlaintext"}},
		{Config{URL: "postgres://user:hunter2@127.0.0.1:1/db", ListenURL: "postgres://user:hunter2@host/db?sslmode=require"}, []string{"Config.ListenURL"}},
	} {
		s, err := Open(t.Context(), test.cfg)
		storetest.CheckConfigError(t, s, err, test.says...)
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
			t.Errorf("parseEvent(%q) = %+v, %v, want an event with key, version and kind, or none", payload, e, ok)
		}
	})
}
