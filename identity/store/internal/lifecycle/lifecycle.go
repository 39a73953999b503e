// Package lifecycle is what all stores have in common between Open and Close:
// watches, background work, and the check before each call.
package lifecycle

import (
	"context"
	"sync"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/watch"
)

// A Lifecycle belongs to one open store.
type Lifecycle struct {
	Hub watch.Hub

	name    string          // of the store, in errors
	ctx     context.Context //nolint:containedctx // the life of the store
	stop    context.CancelFunc
	running sync.WaitGroup
	closed  chan struct{}
	once    sync.Once
}

// New returns the Lifecycle of an open store. Its background work keeps the
// values of ctx and ends at Close.
func New(ctx context.Context, name string) *Lifecycle {
	l := &Lifecycle{name: name, closed: make(chan struct{})}
	l.ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	return l
}

// Go runs f in the background. Its context ends at Close, which waits for f.
func (l *Lifecycle) Go(f func(context.Context)) { l.running.Go(func() { f(l.ctx) }) }

// Sweep calls sweep each minute in the background, and repeats it at once if it
// has removed at least batch records. An error waits for the next minute,
// because other calls report the same fault.
func (l *Lifecycle) Sweep(batch int64, sweep func(context.Context) (removed int64, err error)) {
	l.Go(func(ctx context.Context) {
		tick := time.NewTicker(time.Minute)
		defer tick.Stop()
		for {
			for {
				removed, err := sweep(ctx)
				if err != nil || removed < batch {
					break
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// Closed is closed when Close begins.
func (l *Lifecycle) Closed() <-chan struct{} { return l.closed }

// Check returns why a call cannot begin: the store is closed or ctx has ended.
func (l *Lifecycle) Check(ctx context.Context, op string) error {
	select {
	case <-l.closed:
		return l.Fault(ctx, op, store.ErrClosed)
	default:
		return l.Fault(ctx, op, ctx.Err())
	}
}

// Fault is store.NewFault with the name of the store before op.
func (l *Lifecycle) Fault(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	return store.NewFault(ctx, l.name+": "+op, err)
}

// Close ends every watch, stops the background work, waits for it and then
// calls release. Later calls do nothing and return nil.
func (l *Lifecycle) Close(release func() error) (err error) {
	l.once.Do(func() {
		close(l.closed)
		l.stop()
		l.Hub.Close()
		l.running.Wait()
		err = release()
	})
	return err
}
