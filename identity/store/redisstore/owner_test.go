package redisstore

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

func listed(t *testing.T, s *Store, want int) {
	t.Helper()
	list, err := s.List(t.Context(), "owner")
	if err != nil || len(list) != want {
		t.Errorf("%d records are listed, want %d, %v", len(list), want, err)
	}
}

// A process dies after it wrote the list and before it wrote the record.
func TestCrashBetweenListAndRecord(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := store.Record{Key: "key", Owner: "owner", Expires: time.Now().Add(time.Second)}
	if err := s.index(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	listed(t, s, 0)
	put(t, s, "other", "value")
	listed(t, s, 1)
	servers.Until(t, func() bool { // it leaves the list when the record would have expired
		listed(t, s, 1)
		return server.MustDo(t, "ZCARD", s.name.owner("owner")) == "1"
	})
}

// A process dies after it left the tombstone and before it wrote the list; the key expires and is used again; then
// the rest arrives.
func TestLateRemovalFromList(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	old := store.Record{Key: "key", Owner: "owner", Expires: time.Now().Add(time.Second)}
	if _, err := s.Put(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	tombstone, err := s.bury(t.Context(), "key")
	if err != nil {
		t.Fatal(err)
	}
	listed(t, s, 0)
	servers.Until(t, func() bool { return server.MustDo(t, "EXISTS", s.name.record("key")) == "0" })
	put(t, s, "key", "again")
	s.unindex(t.Context(), tombstone.record)
	listed(t, s, 1)
}

// A failover lost the list.
func TestSwapRepairsTheList(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, s, "key", "value")
	server.MustDo(t, "DEL", s.name.owner("owner"))
	listed(t, s, 0)
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	listed(t, s, 1)
}

// A record may not outlive its place in the list: where the list cannot be written, the longer life is not granted.
func TestNoLongerLifeWithoutTheList(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, s, "key", "value")
	server.MustDo(t, "SET", s.name.owner("owner"), "not a list")
	r.Expires = r.Expires.Add(time.Hour)
	if _, err := s.Put(t.Context(), r); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a longer life: %v", err)
	}
	if got, err := s.Get(t.Context(), "key"); err != nil || got.Version != r.Version {
		t.Errorf("version %d, was %d, %v", got.Version, r.Version, err)
	}
	r.Expires = r.Expires.Add(-time.Hour)
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Errorf("the same life: %v", err)
	}
}

// Nothing is left when all has expired, and lists do not grow with records that come and go.
func TestNothingIsLeft(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	for i := range 100 {
		r := store.Record{Key: strconv.Itoa(i), Owner: "owner", Expires: time.Now().Add(2 * time.Second)}
		if _, err := s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := s.Delete(t.Context(), r.Key); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := server.MustDo(t, "ZCARD", s.name.owner("owner")); got != "50" {
		t.Errorf("the list has %s entries, want 50", got)
	}
	servers.Until(t, func() bool { return server.MustDo(t, "DBSIZE") == "0" })
}

// A swap that does not extend the life of its record asks the list's server and the record's at once, and once each.
func TestSwapIsOneRoundTrip(t *testing.T) {
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, s, "key", "value")
	if r.Version, _ = s.Put(t.Context(), r); r.Version == 0 {
		t.Fatal("refused")
	}
	before := server.Calls(t, "evalsha") + server.Calls(t, "eval")
	for range 10 {
		var err error
		if r.Version, err = s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if calls := server.Calls(t, "evalsha") + server.Calls(t, "eval") - before; calls != 20 {
		t.Errorf("10 swaps ran %d scripts, want 10 for records and 10 for lists", calls)
	}
}

func FuzzParseRecord(f *testing.F) {
	r := store.Record{Key: "key", Owner: "owner", Version: 7, Value: []byte("value"), Expires: time.UnixMilli(1_800_000_000_000)}
	f.Add(raw(r))
	f.Add("")
	f.Add(raw(r)[:headEnd])
	f.Add("000000000000000x+18000000000000005ownervalue")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseRecord("key", text)
		if err != nil {
			if got.record.Version != 0 {
				t.Errorf("%q: a record and an error", text)
			}
			return
		}
		if again, err := parseRecord("key", raw(got.record)); err != nil || string(again.record.Value) != string(got.record.Value) {
			t.Errorf("%q does not survive: %v", text, err)
		}
	})
}
