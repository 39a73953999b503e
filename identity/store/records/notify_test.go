package records_test

import (
	"context"
	"testing"
	"testing/synctest"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
)

func newCanceled(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx, cancel
}

func isClosed(c <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestChangesAndDeletionsAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		here, there := openTexts(t, s), openTexts(t, s)
		first := here.put(0, "one")
		there.wants("one")
		ref := there.Ref(there.id)
		changed, deleted := ref.Changed(), ref.Deleted()
		here.put(first.Version, "two")
		if !isClosed(changed) || isClosed(deleted) {
			t.Errorf("after a change: changed %v, deleted %v, want true and false", isClosed(changed), isClosed(deleted))
		}
		changed = ref.Changed()
		if err := here.Delete(t.Context(), here.id); err != nil {
			t.Fatal(err)
		}
		if !isClosed(changed) || !isClosed(deleted) || !isClosed(ref.Deleted()) || !ref.IsDeleted() {
			t.Error("a deletion by another process is not reported")
		}
		here.wantsError(store.ErrDeleted)
		there.wantsError(store.ErrDeleted)
		if n := there.held(); n != 0 {
			t.Errorf("%d records in memory after the deletion, want none", n)
		}
	})
}

// Listeners hear of a deletion during an interruption once it has ended.
func TestListenersSurviveAnInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := memstore.New()
		s := &testStore{Store: memory, events: make(chan store.Event)}
		here, there := openTexts(t, memory), openTexts(t, s)
		s.report(store.Synced)
		here.put(0, "one")
		there.wants("one")
		deleted, stop := there.Ref(there.id).Listen()
		s.report(store.Lost)
		if err := here.Delete(t.Context(), here.id); err != nil {
			t.Fatal(err)
		}
		if isClosed(deleted) {
			t.Fatal("a deletion is reported while the watch is interrupted")
		}
		s.report(store.Synced)
		if !isClosed(deleted) {
			t.Error("a deletion during an interruption is not reported after it")
		}
		stop()
	})
}

// A reader of the watch that was too slow gets Synced in place of the events, of
// which one may have been the change that a caller waits for.
func TestWaitersAreWokenWhenTheWatchComesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := memstore.New()
		s := &testStore{Store: memory, events: make(chan store.Event)}
		here, there := openTexts(t, memory), openTexts(t, s)
		first := here.put(0, "one")
		for _, when := range []string{"for the first time", "again, without an interruption"} {
			there.wants(valueOf(first))
			changed := there.Ref(there.id).Changed()
			first = here.put(first.Version, "newer") // is not reported
			if isClosed(changed) {
				t.Fatal("the change was reported")
			}
			s.report(store.Synced)
			if !isClosed(changed) {
				t.Errorf("the callers that wait for a change are not woken when the watch comes up %s", when)
			}
			there.wants("newer")
		}
	})
}

func TestForgetSparesListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := openTexts(t, memstore.New())
		k.put(0, "one")
		ref := k.Ref(k.id)
		_, stop := ref.Listen()
		if k.Forget(k.id); ref.Dropped() {
			t.Error("a record with a listener was forgotten")
		}
		stop()
		stop()
		if k.Forget(k.id); !ref.Dropped() {
			t.Error("a record without a listener was not forgotten")
		}
	})
}

// A copy is out of date once this process has written a newer version, also
// before the store reports that. Callers that the write wakes see the change.
func TestOwnWriteReplacesCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := &testStore{Store: memstore.New(), events: make(chan store.Event)}
		k := openTexts(t, silent)
		silent.report(store.Synced)
		ref := k.Ref(k.id)
		first := k.put(0, "one")
		if !ref.Current(first) {
			t.Fatal("the copy that was just written is not current")
		}
		k.put(first.Version, "two") // nothing was reported
		if ref.Current(first) {
			t.Error("the copy is current after a newer one was written, want it out of date")
		}
	})
}
