package redisstore

import (
	"crypto/tls"
	"errors"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

func put(t *testing.T, s *Store, key, value string) store.Record {
	t.Helper()
	return storetest.Put(t, s, store.Record{Key: key, Owner: "owner", Value: []byte(value)})
}

func value(t *testing.T, s *Store) string {
	t.Helper()
	r, err := s.Get(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	return string(r.Value)
}

// raw returns r as the server keeps it, for tests that write without a Store and
// so without an event.
func raw(r store.Record) string {
	return formatVersion(r.Version) + "+" + formatExpires(r.Expires) + formatOwner(r.Owner) + string(r.Value)
}

func TestUnchangedRecordIsReadFromTheCache(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	put(t, open(t, Config{URL: server.URL(0)}), "key", "value")
	for _, test := range []struct {
		cfg  Config
		most int
	}{
		{Config{URL: server.URL(0)}, 1},
		{Config{URL: server.URL(0), CacheSize: -1}, 1000}, // shows that Calls counts
	} {
		s := open(t, test.cfg)
		before := server.Calls(t, "get")
		for range 1000 {
			value(t, s)
		}
		if calls := server.Calls(t, "get") - before; calls != test.most {
			t.Errorf("1000 reads with CacheSize %d = %d round trips, want %d", test.cfg.CacheSize, calls, test.most)
		}
	}
}

func TestMissesAreReadFromTheCache(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	put(t, s, "deleted", "value")
	if err := s.Delete(t.Context(), "deleted"); err != nil {
		t.Fatal(err)
	}
	s = open(t, Config{URL: server.URL(0)})
	for range 100 {
		if _, err := s.Get(t.Context(), "deleted"); !errors.Is(err, store.ErrDeleted) {
			t.Fatalf("Get(deleted) = %v, want ErrDeleted", err)
		}
		if _, err := s.Get(t.Context(), "unknown"); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("Get(unknown) = %v, want ErrNotFound", err)
		}
	}
	if calls := server.Calls(t, "get"); calls != 2 {
		t.Errorf("200 reads = %d round trips, want 2", calls)
	}
}

func TestWriteElsewhereInvalidatesTheCache(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, open(t, Config{URL: server.URL(0)}), "key", "old")
	if got := value(t, s); got != "old" {
		t.Fatal(got)
	}
	r.Version, r.Value = r.Version+1, []byte("new")
	server.MustDo(t, "SET", s.name.record("key"), raw(r))
	storetest.Until(t, func() bool { return value(t, s) == "new" })
}

// The message that invalidates the cache is lost together with its connection.
func TestLostConnectionEmptiesTheCache(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, open(t, Config{URL: server.URL(0)}), "key", "old")
	if got := value(t, s); got != "old" {
		t.Fatal(got)
	}
	r.Version, r.Value = r.Version+1, []byte("new")
	server.Atomically(t, []string{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}, []string{"SET", s.name.record("key"), raw(r)})
	storetest.Until(t, func() bool { return value(t, s) == "new" })
	for range 100 {
		if got := value(t, s); got != "new" {
			t.Fatalf("Get after the reconnect = %q, want new", got)
		}
	}
}

// A server that answers no more is a fault, even for cached records, and heals.
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
	storetest.Until(t, func() bool { return errors.Is(get(), store.ErrUnavailable) })
	events.Await(t, store.Lost)
	server.Signal(t, syscall.SIGCONT)
	storetest.Until(t, func() bool { return get() == nil })
	events.Await(t, store.Synced)
}

// After an event or a write of its own, a process reads no older version.
func TestNewerVersionAsksTheServer(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, open(t, Config{URL: server.URL(0)}), "key", "value")
	value(t, s)
	before := server.Calls(t, "get")
	s.publish(formatVersion(r.Version+1) + "+key")
	value(t, s)
	if calls := server.Calls(t, "get") - before; calls != 1 {
		t.Errorf("Get after the event of a newer version = %d round trips, want 1", calls)
	}
}

func TestConfigProblemsComeTogetherWithoutSecrets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		cfg  Config
		says []string
	}{
		{Config{Timeout: -1}, []string{"URL", "Timeout"}},
		{Config{URL: "http://user:hunter2@host"}, []string{"URL"}},
		{Config{URL: "redis://user:hunter2/x@host:1"}, []string{"URL"}},
		{Config{URL: "rediss://user:hunter2%t@host:1"}, []string{"rediss://…"}}, // field 26
		{Config{URL: "redis://user:hunter2@host:1/hunter2"}, []string{"database"}},
		{Config{URL: "redis://user:hunter2@127.0.0.1:1/0", SentinelPassword: "hunter2"}, []string{"master_set"}},
		{Config{URL: "redis://user:hunter2@127.0.0.1:1/0"}, []string{"refused"}},
		// field 29
		{Config{URL: "redis://user:hunter2@redis.example:1/0"}, []string{"verified TLS", "redis.example", "InsecureAllowPlaintext"}},
		{Config{URL: "redis://:hunter2@127.0.0.1:1?addr=192.0.2.7:1"}, []string{"192.0.2.7"}},
		{Config{URL: "redis://:hunter2@127.0.0.1:1/0?addr=192.0.2.7:1&master_set=main"}, []string{"192.0.2.7"}},
		{Config{URL: "rediss://:hunter2@redis.example:1/0?skip_verify=true"}, []string{"verified TLS"}},
		{Config{URL: "rediss://:hunter2@redis.example:1/0", TLS: &tls.Config{InsecureSkipVerify: true}}, []string{"verified TLS"}},
	} {
		s, err := Open(t.Context(), test.cfg)
		storetest.CheckConfigError(t, s, err, test.says...)
	}
}
