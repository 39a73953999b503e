package records_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

func TestUnchangedRecordsAreReadFromMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New()}
		here, there := openTexts(t, s), openTexts(t, s)
		first := here.put(0, "one")
		synctest.Wait()
		for range 10 {
			here.wants("one")
		}
		if n := s.reads.Load(); n != 0 {
			t.Errorf("%d reads of a record that this process wrote, want 0", n)
		}
		there.wants("one")
		here.put(first.Version, "two")
		synctest.Wait()
		for range 10 {
			there.wants("two")
		}
		if n := s.reads.Load(); n != 2 {
			t.Errorf("%d reads in the other process, want one before the change and one after", n)
		}
		if _, err := there.Put(t.Context(), there.record(first.Version, "old")); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Put of an older version = %v, want ErrConflict", err)
		}
	})
}

func TestOneWatchServesAllKinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New()}
		c := open(t, s)
		a, b := records.NewKind(c, "a:", records.JSON[string]()), records.NewKind(c, "b:", records.JSON[int]())
		other := records.NewKind(open(t, s.Store), "b:", records.JSON[int]())
		expires := time.Now().Add(time.Hour)
		if _, err := a.Put(t.Context(), records.Record[string]{ID: a.ID("k"), Value: "x", Expires: expires}); err != nil {
			t.Fatal(err)
		}
		saved, err := b.Put(t.Context(), records.Record[int]{ID: b.ID("k"), Value: 1, Expires: expires})
		if err != nil {
			t.Fatal(err)
		}
		next := *saved
		next.Value = 2
		if _, err := other.Put(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got, err := b.Get(t.Context(), b.ID("k")); err != nil || got.Value != 2 {
			t.Errorf("Get after another process's write = %+v, %v, want 2", got, err)
		}
		if got, err := a.Get(t.Context(), a.ID("k")); err != nil || got.Value != "x" {
			t.Errorf("Get of the other kind = %+v, %v, want x", got, err)
		}
		if n := s.watches.Load(); n != 1 {
			t.Errorf("%d watches of the store, want 1", n)
		}
	})
}

// A caller that joins a read which began before it does not get what that read
// found before a change, if the change may not be reported.
func TestCallDoesNotJoinAnOlderRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New(), events: make(chan store.Event)} // no event: the watch is interrupted
		here, there := openTexts(t, s), openTexts(t, &testStore{Store: s.Store})
		here.put(0, "one")
		gate := make(chan struct{})
		s.hold.Store(&gate)
		get := func() <-chan string {
			got := make(chan string, 1)
			go func() {
				if r, err := here.Get(t.Context(), here.id); err == nil {
					got <- r.Value
				} else {
					got <- err.Error()
				}
			}()
			synctest.Wait()
			return got
		}
		first := get()
		there.put(1, "two")
		second := get()
		s.hold.Store(nil)
		close(gate)
		if got := <-first; got != "one" {
			t.Errorf("Get before the change = %s, want one", got)
		}
		if got := <-second; got != "two" {
			t.Errorf("Get after the change = %s, want two", got)
		}
	})
}

// While the watch is interrupted, nothing is answered from memory.
func TestInterruptedWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New(), events: make(chan store.Event)}
		k := openTexts(t, s)
		k.put(0, "one")
		reads := func(when string, want int64) {
			t.Helper()
			k.wants("one")
			k.wants("one")
			if n := s.reads.Swap(0); n != want {
				t.Errorf("%d reads of the store for two calls %s, want %d", n, when, want)
			}
		}
		reads("before the watch is up", 2)
		s.report(store.Synced)
		reads("while the watch is up", 1)
		s.report(store.Lost)
		reads("while the watch is interrupted", 2)
		s.report(store.Synced)
		reads("after the interruption", 1)
	})
}

// Memory answers for a second after a sign of life. A sign of life that waited
// while the process was stopped is none.
func TestMemoryNeedsSignsOfLife(t *testing.T) { // field 41
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New(), events: make(chan store.Event)}
		k := openTexts(t, s)
		k.put(0, "one")
		reads := func(when string, want int64) {
			t.Helper()
			k.wants("one")
			k.wants("one")
			if n := s.reads.Swap(0); n != want {
				t.Errorf("%d reads of the store for two calls %s, want %d", n, when, want)
			}
		}
		began := time.Now()
		s.alive(store.Alive, began)
		reads("after a sign of life before Synced", 2)
		s.alive(store.Synced, began)
		reads("after Synced", 1)
		<-time.After(time.Second - 1)
		reads("just before a second is over", 0)
		<-time.After(1)
		reads("after a second without a sign of life", 2)
		s.alive(store.Alive, began)
		reads("after a sign of life that is a second old", 2)
		s.alive(store.Alive, time.Now())
		reads("after a new sign of life", 0)
		s.alive(store.Synced, time.Time{})
		reads("with a store that gives no signs of life", 2)
		s.alive(store.Lost, time.Time{})
		s.alive(store.Alive, time.Now())
		reads("after a sign of life while the watch is interrupted", 2)
	})
}

// A read that began before a deletion or a change must not outlive it.
func TestSlowRead(t *testing.T) {
	for name, act := range map[string]func(k texts, version uint64) error{
		"deleted": func(k texts, _ uint64) error { return k.Delete(k.Context(), k.id) },
		"changed": func(k texts, version uint64) error { k.put(version, "new"); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := memstore.New()
				slow := &testStore{Store: memory}
				here, there := openTexts(t, memory), openTexts(t, slow)
				first := here.put(0, "old")
				gate, done := make(chan struct{}), make(chan error)
				slow.hold.Store(&gate)
				go func() { _, err := there.Get(t.Context(), there.id); done <- err }()
				synctest.Wait()
				if err := act(here, first.Version); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				close(gate)
				if err := <-done; records.Absent(err) != (name == "deleted") {
					t.Errorf("the slow Get = %v", err)
				}
				slow.hold.Store(nil)
				if r, err := there.Get(t.Context(), there.id); err == nil && r.Value == "old" {
					t.Error("Get = \"old\" after the change was reported, want the change")
				}
			})
		})
	}
}

// A slow read does not replace what this process wrote meanwhile, even before
// that write is reported.
func TestSlowReadDuringAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := memstore.New()
		first := openTexts(t, memory).put(0, "old")
		silent := &testStore{Store: memory, events: make(chan store.Event)}
		k := openTexts(t, silent)
		silent.report(store.Synced)
		gate, done := make(chan struct{}), make(chan error)
		silent.hold.Store(&gate)
		go func() { _, err := k.Get(t.Context(), k.id); done <- err }()
		synctest.Wait()
		k.put(first.Version, "new")
		close(gate)
		if err := <-done; err != nil {
			t.Errorf("the slow Get = %v, want no error", err)
		}
		k.wants("new")
	})
}

// A refused write shows that the copy in memory is out of date, before that is
// reported.
func TestRefusedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := memstore.New()
		silent := &testStore{Store: memory, events: make(chan store.Event)}
		here, there := openTexts(t, memory), openTexts(t, silent)
		silent.report(store.Synced)
		first := here.put(0, "one")
		there.wants("one")
		here.put(first.Version, "two")
		there.wants("one") // nothing was reported
		if _, err := there.Put(t.Context(), there.record(first.Version, "late")); !errors.Is(err, store.ErrConflict) {
			t.Fatalf("Put of an older version = %v, want ErrConflict", err)
		}
		there.wants("two")
		if err := here.Delete(t.Context(), here.id); err != nil {
			t.Fatal(err)
		}
		if _, err := there.Put(t.Context(), there.record(first.Version, "late")); !errors.Is(err, store.ErrDeleted) {
			t.Fatalf("Put of a deleted record = %v, want ErrDeleted", err)
		}
		there.wantsError(store.ErrDeleted)
	})
}

// Callers that come while the store is read share the read. Each leaves when
// its own context ends.
func TestOneReadForAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := memstore.New()
		openTexts(t, memory).put(0, "one")
		s := &testStore{Store: memory}
		k := openTexts(t, s)
		gate := make(chan struct{})
		s.hold.Store(&gate)
		impatient, cancel := newCanceled(t)
		defer cancel()
		if _, err := k.Get(impatient, k.id); !errors.Is(err, impatient.Err()) {
			t.Errorf("Get with an ended context = %v, want %v", err, impatient.Err())
		}
		done := make(chan error)
		for range 20 {
			go func() { _, err := k.Get(t.Context(), k.id); done <- err }()
		}
		synctest.Wait()
		close(gate)
		for range 20 {
			if err := <-done; err != nil {
				t.Errorf("Get = %v, want no error", err)
			}
		}
		if n := s.reads.Load(); n != 1 {
			t.Errorf("%d reads of the store for 21 callers, want 1", n)
		}
	})
}

// The time of a call is over because of the store; the caller's is not.
func TestStoreHangs(t *testing.T) { // field 43
	synctest.Test(t, func(t *testing.T) {
		s := &hanging{memstore.New()}
		k := openTexts(t, s)
		late, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for ctx, want := range map[context.Context]error{late: context.DeadlineExceeded, t.Context(): store.ErrUnavailable} {
			_, get := k.Get(ctx, k.id)
			_, put := k.Put(ctx, k.record(0, "one"))
			_, list := k.List(ctx, k.Owner("owner"))
			_, ids := k.IDs(ctx, k.Owner("owner"))
			for op, err := range map[string]error{"Get": get, "Put": put, "Delete": k.Delete(ctx, k.id), "List": list, "IDs": ids} {
				if !errors.Is(err, want) || errors.Is(err, store.ErrUnavailable) != errors.Is(want, store.ErrUnavailable) {
					t.Errorf("%s = %v, want %v", op, err, want)
				}
			}
		}
	})
}

// Strangers choose keys: absent records and failed reads leave nothing behind.
func TestUnknownKeysAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New()}
		k := openTexts(t, s)
		ref := k.Ref(k.id)
		k.wantsError(store.ErrNotFound)
		if !ref.Dropped() || k.Ref(k.id) == ref {
			t.Error("an absent record is kept in memory")
		}
		ref = k.Ref(k.id)
		s.down.Store(true)
		k.wantsError(store.ErrUnavailable)
		if !ref.Dropped() || k.Ref(k.id) == ref {
			t.Error("a record that was never read is kept in memory")
		}
	})
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New()}
		k := openTexts(t, s)
		k.put(0, "one")
		ref := k.Ref(k.id)
		k.Forget(k.id)
		k.Forget(k.id)
		if n := k.held(); n != 0 || ref.IsDeleted() {
			t.Errorf("%d records in memory, deleted %v, want none, and no deletion", n, ref.IsDeleted())
		}
		k.wants("one")
	})
}

func TestUncachedKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New()}
		kind := records.NewUncachedKind(open(t, s), "text:", records.JSON[string]())
		k := texts{t, kind, kind.ID("key")}
		k.put(0, "one")
		k.wants("one")
		k.wants("one")
		if n := s.reads.Load(); n != 2 || k.held() != 0 {
			t.Errorf("%d reads for two calls and %d records in memory, want 2 and none", n, k.held())
		}
		k.Forget(k.id)
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New()}
		c := open(t, s)
		kind := records.NewKind(c, "text:", records.JSON[string]())
		k := texts{t, kind, kind.ID("key")}
		k.put(0, "one")
		c.Close()
		k.wantsError(records.ErrClosed)
	})
}

func TestConfigProblems(t *testing.T) {
	if _, err := records.Open(records.Config{}); err == nil {
		t.Error("Open without a store and keys = nil, want an error")
	}
}
