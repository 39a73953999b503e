package records

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/store"
)

// Config says what a [Cache] works on. Store and Keys are required.
type Config struct {
	// Store keeps the records. Close of the Cache does not close it.
	Store store.Store

	// Keys seal the records. The first seals, all open. [ParseKeys] reads them
	// from a file and says how to replace one.
	Keys []Key

	// Timeout bounds one call of the store. Zero: 5 seconds.
	Timeout time.Duration

	// Logger gets a warning when the watch is interrupted, and when this
	// process's clock differs from the store's. Nil: slog.Default().
	Logger *slog.Logger

	// Now is the clock of this process. Nil: time.Now.
	Now func() time.Time
}

// A Cache is one process's view of a store. It is safe for concurrent use.
type Cache struct {
	store   store.Store
	sealer  *Sealer
	names   names
	timeout time.Duration
	logger  *slog.Logger
	clock   clock

	pulse atomic.Pointer[pulse] // nil while the watch is interrupted
	epoch uint64                // how often the watch came up; only the watch uses it

	interrupted bool // since the watch was up; only the watch uses it

	seen  *seen
	kinds atomic.Pointer[[]observer] // every Kind that keeps records in memory
	mu    sync.Mutex                 // guards writes of kinds, and closed

	ctx     context.Context //nolint:containedctx // of the watch and of shared reads, which no single caller owns
	stop    context.CancelFunc
	running sync.WaitGroup // the watch and shared reads
	closed  bool
}

// An observer is a Kind as the watch sees it.
type observer interface {
	synced()
	reread(start func(read func(context.Context)))
	changed(id ID, version uint64)
	deleted(id ID)
}

// Open returns a Cache that watches the store until Close.
//
// Errors: every problem of the Config, joined, each a *tokenapi.FieldError.
func Open(config Config) (*Cache, error) {
	p := checkconfig.Problems{Package: "records"}
	p.Missing("Store", config.Store == nil)
	p.Negative("Timeout", config.Timeout < 0)
	sealer := newSealer(&p, config.Keys)
	if err := p.Err(); err != nil {
		return nil, err
	}
	c := &Cache{
		store:   config.Store,
		seen:    newSeen(),
		sealer:  sealer,
		names:   newNames(config.Keys),
		timeout: cmp.Or(config.Timeout, 5*time.Second),
		logger:  cmp.Or(config.Logger, slog.Default()),
	}
	c.clock = clock{store: c.store, now: config.Now, logger: c.logger, turn: make(chan struct{}, 1)}
	if c.clock.now == nil {
		c.clock.now = time.Now
	}
	c.kinds.Store(&[]observer{})
	c.ctx, c.stop = context.WithCancel(context.Background())
	c.running.Go(c.watch)
	c.running.Go(c.followClock)
	return c, nil
}

// Close ends the watch and the shared reads under way. Reads that the cache
// cannot answer fail with ErrClosed afterwards.
func (c *Cache) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.running.Wait()
}

// goRead runs read in the background, unless the cache is closed.
func (c *Cache) goRead(read func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	c.running.Go(read)
	return nil
}

func (c *Cache) add(o observer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kinds := append([]observer{o}, *c.kinds.Load()...)
	c.kinds.Store(&kinds)
}

// watch follows the store until Close.
func (c *Cache) watch() {
	for c.ctx.Err() == nil {
		for e := range c.store.Watch(c.ctx) {
			c.event(e)
		}
		c.pulse.Store(nil)
		select { // the store ended the watch: it is closed, or it has failed
		case <-time.After(time.Second):
		case <-c.ctx.Done():
		}
	}
}

func (c *Cache) event(e store.Event) {
	kinds := *c.kinds.Load()
	switch e.Kind {
	case store.Synced:
		c.epoch++
		c.pulse.Store(&pulse{c.epoch, e.At})
		for _, k := range kinds {
			k.synced()
		}
		_ = c.goRead(func() { _ = c.MeasureClock(c.ctx) }) // it may be another server's
		if c.interrupted {
			c.interrupted = false
			_ = c.goRead(c.restoreAll)
		}
	case store.Alive:
		if c.watched() != 0 {
			c.pulse.Store(&pulse{c.epoch, e.At})
		}
	case store.Lost:
		c.pulse.Store(nil)
		c.interrupted = c.epoch > 0
		c.logger.Warn("store watch interrupted: records are read from the store", slog.Any("error", e.Err))
	case store.Changed:
		c.seen.changed(ID(e.Key), e.Version)
		for _, k := range kinds {
			k.changed(ID(e.Key), e.Version)
		}
	case store.Deleted:
		c.seen.deleted(ID(e.Key), e.Version)
		for _, k := range kinds {
			k.deleted(ID(e.Key))
		}
	}
}

// bounded returns ctx with the time of one call of the store.
func (c *Cache) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout)
}

// fault makes a fault of the store of an error that says that the time of the
// call is over. ctx is the caller's: if it has ended, that is no fault.
func fault(ctx context.Context, op string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil && !errors.Is(err, store.ErrUnavailable) {
		return store.NewFault(ctx, "records: "+op, err)
	}
	return err
}
