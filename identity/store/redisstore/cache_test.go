package redisstore

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

func put(t *testing.T, s *Store, key, value string) store.Record {
	t.Helper()
	r := store.Record{Key: key, Owner: "owner", Value: []byte(value), Expires: time.Now().Add(time.Hour).Truncate(time.Millisecond)}
	version, err := s.Put(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	r.Version = version
	return r
}

func value(t *testing.T, s *Store) string {
	t.Helper()
	r, err := s.Get(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	return string(r.Value)
}

// raw is r as the server keeps it, to be written behind the back of every Store, without an event.
func raw(r store.Record) string {
	return formatVersion(r.Version) + "+" + formatExpires(r.Expires) + formatOwner(r.Owner) + string(r.Value)
}

func TestUnchangedRecordIsReadFromMemory(t *testing.T) {
	server := servers.StartRedis(t)
	put(t, open(t, Config{URL: server.URL(0)}), "key", "value")
	for _, test := range []struct {
		cfg  Config
		most int
	}{
		{Config{URL: server.URL(0)}, 1},
		{Config{URL: server.URL(0), CacheSize: -1}, 1000}, // shows that the counter counts
	} {
		s := open(t, test.cfg)
		before := server.Calls(t, "get")
		for range 1000 {
			value(t, s)
		}
		if calls := server.Calls(t, "get") - before; calls != test.most {
			t.Errorf("CacheSize %d: 1000 reads cost %d round trips, want %d", test.cfg.CacheSize, calls, test.most)
		}
	}
}

func TestMissesAreReadFromMemoryToo(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	put(t, s, "deleted", "value")
	if err := s.Delete(t.Context(), "deleted"); err != nil {
		t.Fatal(err)
	}
	s = open(t, Config{URL: server.URL(0)})
	for range 100 {
		if _, err := s.Get(t.Context(), "deleted"); !errors.Is(err, store.ErrDeleted) {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	}
	if calls := server.Calls(t, "get"); calls != 2 {
		t.Errorf("200 reads cost %d round trips, want 2", calls)
	}
}

func TestWriteElsewhereEndsWhatIsRemembered(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, open(t, Config{URL: server.URL(0)}), "key", "old")
	if got := value(t, s); got != "old" {
		t.Fatal(got)
	}
	r.Version, r.Value = r.Version+1, []byte("new")
	server.MustDo(t, "SET", s.name.record("key"), raw(r))
	servers.Until(t, func() bool { return value(t, s) == "new" })
}

// The notice is lost together with the connection that it would have come over.
func TestLostConnectionEndsWhatIsRemembered(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, open(t, Config{URL: server.URL(0)}), "key", "old")
	if got := value(t, s); got != "old" {
		t.Fatal(got)
	}
	r.Version, r.Value = r.Version+1, []byte("new")
	server.Atomically(t, []string{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}, []string{"SET", s.name.record("key"), raw(r)})
	servers.Until(t, func() bool { return value(t, s) == "new" })
	for range 100 {
		if got := value(t, s); got != "new" {
			t.Fatalf("read %q after the reconnect", got)
		}
	}
}

// A server that says nothing any more is a fault within Timeout and a second, even for what is remembered.
func TestSilentServer(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0), Timeout: 500 * time.Millisecond})
	put(t, s, "key", "value")
	began := watchUntil(t, s, store.Synced, func() {
		value(t, s)
		server.Signal(t, syscall.SIGSTOP)
	})
	servers.Until(t, func() bool {
		_, err := s.Get(t.Context(), "key")
		return errors.Is(err, store.ErrUnavailable)
	})
	watchUntil(t, s, store.Lost, func() {})
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v to notice", took)
	}
	server.Signal(t, syscall.SIGCONT)
	servers.Until(t, func() bool {
		_, err := s.Get(t.Context(), "key")
		return err == nil
	})
	watchUntil(t, s, store.Synced, func() {})
}

// watchUntil waits for an event of a kind, does something, and returns when it did.
func watchUntil(t *testing.T, s *Store, kind store.Kind, do func()) time.Time {
	t.Helper()
	for e := range s.Watch(t.Context()) {
		if e.Kind == kind {
			break
		}
	}
	now := time.Now()
	do()
	return now
}

// A process that was told of a change or wrote it never reads what was before.
func TestFloorAsksTheServer(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, open(t, Config{URL: server.URL(0)}), "key", "value")
	value(t, s)
	before := server.Calls(t, "get")
	s.event(formatVersion(r.Version+1) + "+key")
	value(t, s)
	if calls := server.Calls(t, "get") - before; calls != 1 {
		t.Errorf("%d round trips after an event that names a newer version, want 1", calls)
	}
}

func TestConfigProblemsComeTogetherWithoutSecrets(t *testing.T) {
	for _, test := range []struct {
		cfg  Config
		says []string
	}{
		{Config{Timeout: -1}, []string{"URL", "Timeout"}},
		{Config{URL: "http://user:hunter2@host"}, []string{"URL"}},
		{Config{URL: "redis://user:hunter2/x@host:1"}, []string{"URL"}},
		{Config{URL: "redis://user:hunter2@host:1/hunter2"}, []string{"database"}},
		{Config{URL: "redis://user:hunter2@127.0.0.1:1/0", SentinelPassword: "hunter2"}, []string{"master_set"}},
		{Config{URL: "redis://user:hunter2@127.0.0.1:1/0"}, []string{"refused"}},
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
