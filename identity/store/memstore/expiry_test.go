package memstore

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
)

func put(t *testing.T, s *Store, key, owner string, life time.Duration) store.Record {
	t.Helper()
	r := store.Record{Key: key, Owner: owner, Value: []byte("value"), Expires: time.Now().Add(life)}
	v, err := s.Put(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	r.Version = v
	return r
}

// count returns the number of entries and of keys in lists of owners.
func count(s *Store) (entries, owned int) {
	for i := range s.records {
		entries += len(s.records[i].entries)
		if len(s.records[i].entries) != len(s.records[i].expiry) {
			panic("an entry is not in the order of expiry")
		}
	}
	for i := range s.owners {
		for _, keys := range s.owners[i].owners {
			owned += len(keys)
		}
	}
	return entries, owned
}

func TestWritesRemoveExpiredRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, extended = 1000, 200
		s := New()
		first := make([]store.Record, extended)
		for i := range first {
			first[i] = put(t, s, fmt.Sprint("extended ", i), "", time.Second)
		}
		for i := range n {
			put(t, s, fmt.Sprint("old ", i), "owner", time.Minute)
			if i%2 == 0 {
				_ = s.Delete(t.Context(), fmt.Sprint("old ", i))
			}
		}
		for _, r := range first { // they move to the end of the order of expiry
			r.Expires = r.Expires.Add(2 * time.Hour)
			if _, err := s.Put(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(time.Minute)
		for i := range n {
			put(t, s, fmt.Sprint("new ", i), "other", time.Hour)
		}
		if entries, owned := count(s); entries > n+extended+n/20 || owned > n+n/20 {
			t.Errorf("%d entries and %d keys in lists for %d live records, want at most 5%% more", entries, owned, n+extended)
		}
		if list, _ := s.List(t.Context(), "owner"); len(list) != 0 {
			t.Errorf("List = %d expired records, want none", len(list))
		}
	})
}

func TestExpiryIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		r := put(t, s, "key", "owner", time.Minute)
		<-time.After(time.Minute - time.Millisecond)
		if _, err := s.Get(t.Context(), "key"); err != nil {
			t.Errorf("Get a millisecond before the expiry = %v, want the record", err)
		}
		r.Expires = r.Expires.Add(time.Minute)
		if _, err := s.Put(t.Context(), r); err != nil {
			t.Errorf("Put with a later expiry = %v, want no error", err)
		}
		<-time.After(time.Minute + time.Millisecond)
		if _, err := s.Get(t.Context(), "key"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get a millisecond after the expiry = %v, want ErrNotFound", err)
		}
	})
}

func TestOwnersWithoutRecordsAreRemoved(t *testing.T) {
	s := New()
	put(t, s, "key", "owner", time.Hour)
	if err := s.Delete(t.Context(), "key"); err != nil {
		t.Fatal(err)
	}
	if _, owned := count(s); owned != 0 {
		t.Errorf("%d keys in lists, want none", owned)
	}
	for i := range s.owners {
		if len(s.owners[i].owners) != 0 {
			t.Errorf("shard %d has owners %v, want none", i, s.owners[i].owners)
		}
	}
}
