package records

import (
	"context"
	"errors"
	"time"

	"b2trader.identity.auth/identity/store"
)

// updateTries bounds how often Update starts again after another writer was
// quicker.
const updateTries = 8

// Update replaces a record by what change returns for it, and returns the
// record as stored. Old is nil if there is no record. Update sets the ID and
// Version of what change returns. If another writer is quicker, it calls change
// again with that writer's record, up to eight times in all.
//
// Errors: change's, unchanged; store.ErrConflict if others were quicker each
// time; store.ErrDeleted if the record was deleted and change returned one;
// else as Get and Put.
func (k *Kind[T]) Update(ctx context.Context, id ID, change func(old *Record[T]) (Record[T], error)) (*Record[T], error) {
	for try := 1; ; try++ {
		old, err := k.whole(ctx, id)
		if err != nil && !Absent(err) {
			return nil, err
		}
		next, err := change(old)
		if err != nil {
			return nil, err
		}
		next.Version = 0
		if old != nil {
			next.Version = old.Version
		}
		saved, err := k.Ref(id).Put(ctx, next)
		switch {
		case err == nil:
			return saved, nil
		case try == updateTries:
			return nil, err
		case errors.Is(err, store.ErrConflict):
			// The store may answer from a memory of its own until it hears of
			// the other write: wait for that, but not long.
			wait(ctx, k.Ref(id).Changed(), time.Duration(try-1)*time.Millisecond)
		case errors.Is(err, store.ErrNotFound): // it expired meanwhile
		default:
			return nil, err
		}
	}
}

// whole returns a record with the whole value.
func (k *Kind[T]) whole(ctx context.Context, id ID) (*Record[T], error) {
	if k.codec.Keep != nil {
		return k.Ref(id).Read(ctx)
	}
	return k.Get(ctx, id)
}

// wait blocks until changed is closed, for at most d.
func wait(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}
