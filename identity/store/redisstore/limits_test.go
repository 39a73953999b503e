package redisstore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// A server whose memory is full refuses new records. Reading, listing, changing
// and deleting work.
func TestFullServer(t *testing.T) { // field 33
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	deleted, kept := put(t, s, "deleted", "value"), put(t, s, "kept", "value")
	events := storetest.Observe(t, s)
	events.Await(t, store.Synced)
	server.MustDo(t, "CONFIG", "SET", "maxmemory-policy", "noeviction")
	server.MustDo(t, "CONFIG", "SET", "maxmemory", "1")
	if _, err := s.Put(t.Context(), store.Record{Key: "new", Expires: kept.Expires}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Put at a full server = %v, want ErrUnavailable", err)
	}
	if got, err := s.Get(t.Context(), "kept"); err != nil || got.Version != kept.Version {
		t.Errorf("Get at a full server = version %d, %v, want version %d", got.Version, err, kept.Version)
	}
	kept.Value = []byte("other")
	if version, err := s.Put(t.Context(), kept); err != nil || version <= kept.Version {
		t.Errorf("Put of an existing record at a full server = version %d, %v, want one after %d", version, err, kept.Version)
	}
	if got, err := s.Get(t.Context(), "kept"); err != nil || string(got.Value) != "other" || !got.Expires.Equal(kept.Expires) {
		t.Errorf("Get after that = %q until %v, %v, want %q until %v", got.Value, got.Expires, err, "other", kept.Expires)
	}
	if err := s.Delete(t.Context(), "deleted"); err != nil {
		t.Errorf("Delete at a full server = %v, want no error", err)
	}
	events.Await(t, store.Deleted)
	if _, err := s.Get(t.Context(), "deleted"); !errors.Is(err, store.ErrDeleted) {
		t.Errorf("Get after Delete = %v, want ErrDeleted", err)
	}
	listed(t, s, 1)
	server.MustDo(t, "CONFIG", "SET", "maxmemory", "0")
	if _, err := s.Put(t.Context(), deleted); !errors.Is(err, store.ErrDeleted) {
		t.Errorf("Put after Delete = %v, want ErrDeleted", err)
	}
}

// A user without channels cannot announce changes. Open says so, and a write that
// was done is not reported as failed.
func TestUserWithoutChannels(t *testing.T) { // field 34
	t.Parallel()
	server := servers.StartRedis(t)
	server.MustDo(t, "ACL", "SETUSER", "service", "on", ">secret", "~*", "+@all", "resetchannels")
	url := strings.Replace(server.URL(0), "redis://", "redis://service:secret@", 1)
	config := Config{URL: url, Timeout: time.Minute} // a slow machine is to finish the check
	s, err := Open(t.Context(), config)
	if err == nil {
		_ = s.Close()
	}
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "&b2trader:changes") {
		t.Errorf("Open by a user without channels = %v, want ErrUnavailable that names &b2trader:changes", err)
	}
	server.MustDo(t, "ACL", "SETUSER", "service", "&b2trader:changes")
	for _, missing := range []string{"-subscribe", "-publish", "-evalsha", "-set", "-zadd", "-get", "-time", "resetkeys"} {
		server.MustDo(t, "ACL", "SETUSER", "service", missing)
		if s, err := Open(t.Context(), config); err == nil || !strings.Contains(err.Error(), "~b2trader:*") {
			t.Errorf("Open by a user with %s = %v, want an error that names what is needed", missing, err)
			if err == nil {
				_ = s.Close()
			}
		}
		server.MustDo(t, "ACL", "SETUSER", "service", "+@all", "~*")
	}
	server.MustDo(t, "ACL", "SETUSER", "service", "-set")
	server.MustDo(t, "CLIENT", "PAUSE", "1500", "WRITE")
	if s, err := Open(t.Context(), config); err == nil {
		t.Error("Open of a slow server by a user with -set = nil, want an error")
		_ = s.Close()
	}
	server.MustDo(t, "ACL", "SETUSER", "service", "+@all")
	server.MustDo(t, "ACL", "SETUSER", "service", "-@all", "+@read", "+@write", "+@scripting", "+@pubsub", "+@connection", "+time", "resetkeys", "~b2trader:*")
	s = open(t, Config{URL: url})
	storetest.Observe(t, s).Await(t, store.Synced)
	r := put(t, s, "key", "value")
	server.MustDo(t, "ACL", "SETUSER", "service", "resetchannels")
	storetest.Until(t, func() bool { // Redis ends the connections that used the channel
		version, err := s.Put(t.Context(), r)
		if err == nil {
			r.Version = version
		}
		return err == nil
	})
	if err := s.Delete(t.Context(), "key"); err != nil {
		t.Errorf("Delete without a channel = %v, want no error", err)
	}
	if _, err := s.Get(t.Context(), "key"); !errors.Is(err, store.ErrDeleted) {
		t.Errorf("Get after Delete = %v, want ErrDeleted", err)
	}
}
