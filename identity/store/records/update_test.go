package records_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

// add returns a change that appends a letter, and creates what is absent.
func (k texts) add(letter string) func(*records.Record[string]) (records.Record[string], error) {
	return func(old *records.Record[string]) (records.Record[string], error) {
		next := k.record(99, "")
		if old != nil {
			next = *old
		}
		next.Value += letter
		return next, nil
	}
}

// No change is lost, however many processes write at once.
func TestUpdatesOfManyWriters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		processes := []texts{openTexts(t, s), openTexts(t, s)}
		const rounds = 25
		for range rounds {
			var all sync.WaitGroup
			for _, k := range processes {
				all.Go(func() {
					if _, err := k.Update(t.Context(), k.id, k.add("x")); err != nil {
						t.Errorf("Update = %v, want no error", err)
					}
				})
			}
			all.Wait()
		}
		synctest.Wait()
		if r, err := processes[0].Get(t.Context(), processes[0].id); err != nil || len(r.Value) != 2*rounds {
			t.Errorf("Get = %+v, %v, want %d letters", r, err, 2*rounds)
		}
	})
}

func TestUpdateGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New()}
		k := openTexts(t, s)
		s.conflicts.Store(7)
		if r, err := k.Update(t.Context(), k.id, k.add("a")); err != nil || r.Value != "a" {
			t.Errorf("Update after seven conflicts = %+v, %v, want a", r, err)
		}
		s.conflicts.Store(8)
		if _, err := k.Update(t.Context(), k.id, k.add("b")); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Update after eight conflicts = %v, want ErrConflict", err)
		}
		stop := errors.New("stop")
		_, err := k.Update(t.Context(), k.id, func(*records.Record[string]) (records.Record[string], error) {
			return records.Record[string]{}, stop
		})
		if err != stop { //nolint:errorlint // it must be that error and no other
			t.Errorf("Update = %v, want the error of change", err)
		}
	})
}

func TestUpdateDoesNotBringBackADeletedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := openTexts(t, memstore.New())
		k.put(0, "one")
		if err := k.Delete(t.Context(), k.id); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Update(t.Context(), k.id, k.add("x")); !errors.Is(err, store.ErrDeleted) {
			t.Errorf("Update of a deleted record = %v, want ErrDeleted", err)
		}
	})
}

// A store that fails is neither an absent nor an unreadable record.
func TestThreeAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New()}
		k := openTexts(t, s)
		k.put(0, "one")
		id, expires := k.ID("another"), time.Now().Add(time.Hour)
		otherKey := open(t, s, records.NewKey("other"))
		strict := records.NewKind(otherKey, "text:", records.JSON[string]())
		if _, err := strict.Get(t.Context(), k.id); !errors.Is(err, records.ErrUnreadable) || records.Absent(err) {
			t.Errorf("Get without the key = %v, want ErrUnreadable", err)
		}
		numbers := records.NewKind(open(t, s), "text:", records.JSON[int]())
		if _, err := numbers.Get(t.Context(), k.id); !errors.Is(err, records.ErrUnreadable) {
			t.Errorf("Get with another codec = %v, want ErrUnreadable", err)
		}
		if list, err := strict.List(t.Context(), k.Owner("owner")); err != nil || len(list) != 0 {
			t.Errorf("List without the key = %v, %v, want nothing", list, err)
		}
		if ids, err := strict.IDs(t.Context(), k.Owner("owner")); err != nil || len(ids) != 1 || ids[0] != k.id {
			t.Errorf("IDs without the key = %v, %v, want %v", ids, err, k.id)
		}
		codec := records.JSON[string]()
		codec.ZeroIfUnreadable = true
		lenient := texts{t, records.NewKind(otherKey, "text:", codec), k.id}
		lenient.wants("")
		if r, err := lenient.Update(t.Context(), k.id, lenient.add("new")); err != nil || r.Value != "new" {
			t.Errorf("Update of an unreadable record = %+v, %v, want it replaced", r, err)
		}
		if _, err := k.Get(t.Context(), id); !records.Absent(err) {
			t.Errorf("Get of an absent record = %v", err)
		}
		s.down.Store(true)
		if _, err := k.Get(t.Context(), id); records.Absent(err) || errors.Is(err, records.ErrUnreadable) || !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("Get with the store down = %v, want ErrUnavailable", err)
		}
		marks := records.NewUncachedKind(otherKey, "mark:", records.Codec[struct{}]{})
		if _, err := marks.Put(t.Context(), records.Record[struct{}]{ID: marks.ID("m"), Expires: expires}); err != nil {
			t.Error(err)
		}
		if raw, err := s.Store.Get(t.Context(), string(marks.ID("m"))); err != nil || len(raw.Value) != 0 {
			t.Errorf("a record without a value is stored as %q, %v, want nothing", raw.Value, err)
		}
	})
}
