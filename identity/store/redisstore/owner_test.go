package redisstore

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

func listed(t *testing.T, s *Store, want int) {
	t.Helper()
	list, err := s.List(t.Context(), "owner")
	if err != nil || len(list) != want {
		t.Errorf("List = %d records, %v, want %d", len(list), err, want)
	}
}

// soon calls f with a time of expiry. If f takes longer, on a slow machine, it
// calls f again with a later time.
func soon(t *testing.T, f func(expires time.Time) error) {
	t.Helper()
	for life := time.Second; ; life *= 2 {
		expires := time.Now().Add(life)
		err := f(expires)
		if time.Until(expires) <= 0 {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
}

// A process ends after it wrote the list and before it wrote the record.
func TestCrashBetweenListAndRecord(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := store.Record{Key: "key", Owner: "owner", Expires: time.Now().Add(time.Second)}
	if err := s.index(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	listed(t, s, 0)
	put(t, s, "other", "value")
	listed(t, s, 1)
	storetest.Until(t, func() bool { // the key leaves the list when the record would have expired
		listed(t, s, 1)
		return server.MustDo(t, "ZCARD", s.name.owner("owner")) == "1"
	})
}

// A process deletes a record and is slow to remove it from the list. Meanwhile
// the tombstone expires and the key is used again.
func TestLateRemovalFromList(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	var tombstone stored
	soon(t, func(expires time.Time) error {
		_, err := s.Put(t.Context(), store.Record{Key: "key", Owner: "owner", Expires: expires})
		if err == nil {
			tombstone, err = s.delete(t.Context(), "key")
		}
		return err
	})
	listed(t, s, 0)
	storetest.Until(t, func() bool { return server.MustDo(t, "EXISTS", s.name.record("key")) == "0" })
	put(t, s, "key", "again")
	s.unindex(t.Context(), tombstone.record)
	listed(t, s, 1)
}

// A failover lost the list of an owner.
func TestSwapRepairsTheList(t *testing.T) {
	t.Parallel()
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

// A record does not outlive its place in the list: if the list cannot be written,
// the record gets no longer life.
func TestNoLongerLifeWithoutTheList(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, s, "key", "value")
	server.MustDo(t, "SET", s.name.owner("owner"), "not a list")
	r.Expires = r.Expires.Add(time.Hour)
	if _, err := s.Put(t.Context(), r); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Put with a longer life = %v, want ErrUnavailable", err)
	}
	if got, err := s.Get(t.Context(), "key"); err != nil || got.Version != r.Version {
		t.Errorf("Get = version %d, %v, want version %d", got.Version, err, r.Version)
	}
	r.Expires = r.Expires.Add(-time.Hour)
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Errorf("Put with the same life = %v, want no error", err)
	}
}

// Expired records leave nothing behind, and deleted records leave their list.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	if n := server.MustDo(t, "DBSIZE"); n != "0" {
		t.Errorf("%s keys after Open, want 0", n)
	}
	entries := ""
	soon(t, func(expires time.Time) (err error) {
		for i := range 100 {
			_, put := s.Put(t.Context(), store.Record{Key: strconv.Itoa(i), Owner: "owner", Expires: expires})
			err = errors.Join(err, put)
			if i%2 == 0 {
				err = errors.Join(err, s.Delete(t.Context(), strconv.Itoa(i)))
			}
		}
		entries = server.MustDo(t, "ZCARD", s.name.owner("owner"))
		return err
	})
	if entries != "50" {
		t.Errorf("ZCARD of the list = %s, want 50", entries)
	}
	storetest.Until(t, func() bool { return server.MustDo(t, "DBSIZE") == "0" })
}

// A swap with the same life runs one script for the record and one for the list,
// at the same time.
func TestSwapIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	server := servers.StartRedis(t)
	s := open(t, Config{URL: server.URL(0)})
	r := put(t, s, "key", "value")
	if r.Version, _ = s.Put(t.Context(), r); r.Version == 0 {
		t.Fatal("Put = version 0, want no error")
	}
	before := server.Calls(t, "evalsha") + server.Calls(t, "eval")
	for range 10 {
		var err error
		if r.Version, err = s.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if calls := server.Calls(t, "evalsha") + server.Calls(t, "eval") - before; calls != 20 {
		t.Errorf("10 swaps = %d scripts, want 10 for records and 10 for lists", calls)
	}
}

// raw returns r as the server keeps it.
func raw(r store.Record) string {
	return formatVersion(r.Version) + "+" + formatExpires(r.Expires) + formatOwner(r.Owner) + string(r.Value)
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
				t.Errorf("parseRecord(%q) = a record and %v, want one of them", text, err)
			}
			return
		}
		if again, err := parseRecord("key", raw(got.record)); err != nil || string(again.record.Value) != string(got.record.Value) {
			t.Errorf("parseRecord of the record of %q = %v, want the same record", text, err)
		}
	})
}
