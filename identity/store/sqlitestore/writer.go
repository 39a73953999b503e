package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/rule"
)

// batch is how many changes share one commit at most.
const batch = 256

// A writer owns the one connection that writes. Callers queue their changes; whose turn it is carries out
// all that are queued in one transaction, so that they share the wait for the disk.
type writer struct {
	patience time.Duration // with writers of other processes

	db      *sql.DB
	conn    *sql.Conn
	find    *sql.Stmt
	store   *sql.Stmt
	changed chan struct{} // holds one token after a commit

	closed <-chan struct{}

	turn  chan struct{} // holds one token while someone writes
	mu    sync.Mutex
	queue []*change
}

// A change is a Put or a Delete. What it answers is set before done is closed.
type change struct {
	record store.Record
	delete bool

	done    chan struct{}
	version uint64
	err     error // a refusal
	fault   error
}

func newWriter(ctx context.Context, name string, patience time.Duration, closed <-chan struct{}) (*writer, error) {
	w := &writer{patience: patience, closed: closed, turn: make(chan struct{}, 1), changed: make(chan struct{}, 1)}
	var err error
	if w.db, err = sql.Open("sqlite", name); err != nil {
		return nil, err
	}
	if err := w.prepare(ctx); err != nil {
		return nil, errors.Join(err, w.db.Close())
	}
	return w, nil
}

func (w *writer) prepare(ctx context.Context) (err error) {
	if w.conn, err = w.db.Conn(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.conn.Close())
		}
	}()
	if _, err = w.conn.ExecContext(ctx, "PRAGMA busy_timeout = 1"); err != nil { // transact waits in its own way
		return err
	}
	if err = migrate(ctx, w.conn, w.patience); err != nil {
		return err
	}
	w.find, err = w.conn.PrepareContext(ctx, `SELECT owner, version, deleted, expires FROM record WHERE key = ? AND expires > ?`)
	if err != nil {
		return err
	}
	w.store, err = w.conn.PrepareContext(ctx, `INSERT INTO record (key, owner, version, deleted, expires, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (key) DO UPDATE SET owner = ?2, version = ?3, deleted = ?4, expires = ?5, value = ?6`)
	return err
}

// close waits for the one who writes and lets nobody follow. The channel closed must be.
func (w *writer) close() error {
	w.turn <- struct{}{}
	return errors.Join(w.conn.Close(), w.db.Close())
}

// do queues c and waits until it is carried out, by this goroutine or another.
func (w *writer) do(ctx context.Context, op string, c *change) (uint64, error) {
	c.done = make(chan struct{})
	w.mu.Lock()
	w.queue = append(w.queue, c)
	w.mu.Unlock()
	for {
		select {
		case <-c.done:
			if c.fault != nil {
				return 0, store.NewFault(ctx, op, c.fault)
			}
			return c.version, c.err
		case w.turn <- struct{}{}:
			w.carryOut(context.WithoutCancel(ctx), c.done)
			<-w.turn
		case <-ctx.Done():
			w.withdraw(c)
			return 0, store.NewFault(ctx, op, ctx.Err())
		case <-w.closed:
			w.withdraw(c)
			return 0, store.NewFault(ctx, op, store.ErrClosed)
		}
	}
}

// withdraw takes c out of the queue, unless it is being carried out.
func (w *writer) withdraw(c *change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.queue, c); i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
}

// take returns the first changes of the queue.
func (w *writer) take(n int) []*change {
	w.mu.Lock()
	defer w.mu.Unlock()
	n = min(n, len(w.queue))
	changes := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return changes
}

// carryOut commits what is queued, unless someone else has just done so for the caller, or Close has begun.
func (w *writer) carryOut(ctx context.Context, done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-w.closed:
		return
	default:
	}
	changes := w.take(batch)
	err := transact(ctx, w.conn, w.patience, func() error { return w.apply(ctx, changes) })
	for _, c := range changes {
		c.fault = err
		close(c.done)
	}
	if err == nil {
		w.wake()
	}
}

func (w *writer) wake() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *writer) apply(ctx context.Context, changes []*change) error {
	var before uint64
	if err := w.conn.QueryRowContext(ctx, `SELECT version FROM counter`).Scan(&before); err != nil {
		return err
	}
	last := before
	for _, c := range changes {
		if err := w.applyOne(ctx, c, &last); err != nil {
			return err
		}
	}
	if last == before {
		return nil
	}
	_, err := w.conn.ExecContext(ctx, `UPDATE counter SET version = ?`, last)
	return err
}

// applyOne carries out c with the version after last. Only a fault is returned.
func (w *writer) applyOne(ctx context.Context, c *change, last *uint64) error {
	now := time.Now().UnixMilli()
	old, expires, err := w.present(ctx, c.record.Key, now)
	if err != nil {
		return err
	}
	r := c.record
	if c.delete {
		if old == nil || old.Deleted {
			return nil
		}
		r.Owner, r.Expires, r.Value = old.Owner, time.UnixMilli(expires), nil
	} else {
		c.err = refuse(old, r, now)
	}
	if c.err != nil {
		return nil //nolint:nilerr // a refusal is the answer to one caller, and no fault
	}
	*last++
	c.version = *last
	value := append(make([]byte, 0, len(r.Value)), r.Value...) // nil would be NULL
	_, err = w.store.ExecContext(ctx, []byte(r.Key), []byte(r.Owner), c.version, c.delete, r.Expires.UnixMilli(), value)
	return err
}

func refuse(old *rule.Present, r store.Record, now int64) error {
	if r.Expires.UnixMilli() <= now {
		return store.Invalid("expiry in the past")
	}
	return rule.Refuse(old, r)
}

func (w *writer) present(ctx context.Context, key string, now int64) (*rule.Present, int64, error) {
	var (
		p       rule.Present
		expires int64
	)
	err := w.find.QueryRowContext(ctx, []byte(key), now).Scan(&p.Owner, &p.Version, &p.Deleted, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	return &p, expires, err
}
