package records_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

// A forgetful is a store for two processes that goes back to an older copy of
// its data.
type forgetful struct {
	*testing.T
	here, there texts
	stores      [2]*testStore
}

func newForgetful(t *testing.T) *forgetful {
	t.Helper()
	f := &forgetful{T: t}
	s := memstore.New()
	for i := range f.stores {
		f.stores[i] = &testStore{Store: s, events: make(chan store.Event)}
	}
	f.here, f.there = openTexts(t, f.stores[0]), openTexts(t, f.stores[1])
	f.all(store.Event{Kind: store.Synced, At: time.Now().Add(time.Hour)})
	return f
}

// writeThree writes three versions here. There, only the number of the last one
// is known.
func (f *forgetful) writeThree() {
	f.Helper()
	one := f.here.put(0, "one")
	f.there.wants("one")
	two := f.here.put(one.Version, "two")
	three := f.here.put(two.Version, "three")
	f.all(store.Event{Kind: store.Changed, Key: string(f.here.id), Version: three.Version})
}

// all reports an event to both processes.
func (f *forgetful) all(e store.Event) {
	for _, s := range f.stores {
		s.events <- e
	}
	synctest.Wait()
}

// forget replaces the store by one that has only a record with value, and
// interrupts the watches.
func (f *forgetful) forget(value string) *memstore.Store {
	f.Helper()
	older := memstore.New()
	openTexts(f.T, older).put(0, value)
	for _, s := range f.stores {
		s.events <- store.Event{Kind: store.Lost, Err: errDown}
		s.Store = older
	}
	synctest.Wait()
	return older
}

// An older record that the store shows again is replaced by the newer one, which
// one of the processes has.
func TestStoreForgetsAVersion(t *testing.T) { // field 20
	for name, first := range map[string]func(f *forgetful) texts{
		"asked where the newer copy is":         func(f *forgetful) texts { return f.here },
		"asked where only its version is known": func(f *forgetful) texts { return f.there },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newForgetful(t)
				f.writeThree()
				older := f.forget("two")
				done := make(chan error, 1)
				go func() {
					r, err := first(f).Get(t.Context(), f.here.id)
					if err == nil && r.Value != "three" {
						err = errors.New("got " + r.Value)
					}
					done <- err
				}()
				synctest.Wait()
				go func() { // the watch of the older store
					for e := range older.Watch(t.Context()) {
						for _, s := range f.stores {
							select {
							case s.events <- e:
							case <-t.Context().Done():
								return
							}
						}
					}
				}()
				if err := <-done; err != nil {
					t.Errorf("Get after the store forgot \"three\": %v, want \"three\"", err)
				}
				f.here.wants("three")
				f.there.wants("three")
				r, err := f.there.Get(t.Context(), f.here.id)
				if err != nil {
					t.Fatal(err)
				}
				f.there.put(r.Version, "four") // the versions go on
				f.there.wants("four")
			})
		})
	}
}

// A process waits for the newer copy of another one also if its own watch comes
// up first.
func TestWatchComesUpBeforeTheRestoration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newForgetful(t)
		f.writeThree()
		f.forget("one")
		done := make(chan error, 1)
		go func() {
			_, err := f.there.Get(t.Context(), f.there.id)
			done <- err
		}()
		synctest.Wait()
		f.stores[1].report(store.Synced)
		f.here.wants("three")
		if err := <-done; err != nil {
			t.Errorf("Get = %v, want the newer copy", err)
		}
		f.there.wants("three")
	})
}

// The process that has the newer copy may reach the store late: until then the
// record is unavailable elsewhere, and from then on the copy counts everywhere,
// with or without a watch, and so does what is written after it.
func TestForgottenVersionIsRestoredLate(t *testing.T) { // field 20
	synctest.Test(t, func(t *testing.T) {
		f := newForgetful(t)
		one := f.here.put(0, "one")
		f.there.wants("one")
		newest := one
		for range 5 {
			newest = f.here.put(newest.Version, "newest")
		}
		f.all(store.Event{Kind: store.Changed, Key: string(f.here.id), Version: newest.Version})
		f.forget("one")
		<-time.After(time.Second)
		f.there.wantsError(store.ErrUnavailable)
		f.here.wants("newest")
		restored, err := f.here.Get(t.Context(), f.here.id)
		if err != nil {
			t.Fatal(err)
		}
		next := f.here.put(restored.Version, "next")
		if next.Version >= newest.Version {
			t.Fatalf("version after the restored one = %d, want less than %d: this test is about such versions", next.Version, newest.Version)
		}
		began := time.Now()
		f.there.wants("next")
		if took := time.Since(began); took != 0 {
			t.Errorf("Get of the restored record took %v, want 0", took)
		}
	})
}

// A read that found the older version does not wait for the newer one, if that
// was written again while it read.
func TestForgottenVersionIsRestoredDuringARead(t *testing.T) { // field 20
	synctest.Test(t, func(t *testing.T) {
		f := newForgetful(t)
		f.writeThree()
		f.forget("one")
		arrives := make(chan struct{})
		f.stores[1].hold.Store(&arrives)
		began := time.Now()
		read := make(chan time.Duration, 1)
		go func() {
			_, _ = f.there.Get(t.Context(), f.here.id)
			read <- time.Since(began)
		}()
		synctest.Wait()
		restored, err := f.here.Get(t.Context(), f.here.id)
		if err != nil {
			t.Fatal(err)
		}
		f.stores[1].events <- store.Event{Kind: store.Changed, Key: string(f.here.id), Version: restored.Version}
		synctest.Wait()
		f.stores[1].hold.Store(nil)
		close(arrives)
		if took := <-read; took != 0 {
			t.Errorf("Get took %v, want 0", took)
		}
		f.there.wants("three")
	})
}

// If no process writes the newer copy within ten seconds, the older one counts.
func TestForgottenVersionIsLost(t *testing.T) { // field 20
	synctest.Test(t, func(t *testing.T) {
		f := newForgetful(t)
		f.here.put(0, "one")
		f.there.wants("one")
		f.there.Forget(f.there.id)
		f.all(store.Event{Kind: store.Changed, Key: string(f.here.id), Version: 9})
		f.forget("one")
		for range 9 {
			f.there.wantsError(store.ErrUnavailable)
			<-time.After(200 * time.Millisecond)
		}
		f.there.wants("one")
		began := time.Now()
		f.there.wants("one")
		if took := time.Since(began); took != 0 {
			t.Errorf("Get after the older version was taken for the newest took %v, want 0", took)
		}
	})
}

// A deleted record that the store shows again stays deleted, in each process
// that heard of the deletion, and is deleted again.
func TestStoreForgetsADeletion(t *testing.T) { // field 20
	for name, act := range map[string]func(f *forgetful){
		"a read": func(f *forgetful) { f.there.wantsError(store.ErrDeleted) },
		"a list": func(f *forgetful) {
			if list, err := f.there.List(f.Context(), f.there.Owner("owner")); err != nil || len(list) != 0 {
				f.Errorf("List = %d records, %v, want none", len(list), err)
			}
		},
		"the watch that is up again": func(f *forgetful) { f.all(store.Event{Kind: store.Synced}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newForgetful(t)
				one := f.here.put(0, "one")
				f.there.wants("one")
				if err := f.here.Delete(t.Context(), f.here.id); err != nil {
					t.Fatal(err)
				}
				f.all(store.Event{Kind: store.Deleted, Key: string(f.here.id), Version: one.Version + 1})
				older := f.forget("one")
				if _, err := f.there.Put(t.Context(), f.there.record(one.Version, "late")); !errors.Is(err, store.ErrDeleted) {
					t.Errorf("Put of the deleted version = %v, want ErrDeleted", err)
				}
				act(f)
				if _, err := older.Get(t.Context(), string(f.here.id)); !records.Absent(err) {
					t.Errorf("Get from the store after %s = %v, want the deletion", name, err)
				}
			})
		})
	}
}

// A process that deletes a record need not hear of it from the store: neither to
// answer from its memory no more, nor to keep the record deleted.
func TestOwnDeletionCountsWithoutTheWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newForgetful(t)
		f.here.put(0, "one")
		f.here.wants("one")
		deleted := f.here.Ref(f.here.id).Deleted()
		if err := f.here.Delete(t.Context(), f.here.id); err != nil {
			t.Fatal(err)
		}
		if !isClosed(deleted) {
			t.Error("the callers that wait for the deletion are not told")
		}
		f.here.wantsError(store.ErrDeleted)
		f.forget("one")
		f.here.wantsError(store.ErrDeleted)
	})
}
