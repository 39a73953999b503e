package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/lifecycle"
	"b2trader.identity.auth/identity/store/internal/precondition"
)

// batch is how many changes share a commit at most.
const batch = 256

// A writer owns the only connection that writes. Callers put their changes into
// the queue. The caller that has the turn carries out all queued changes in one
// transaction, so that they share the wait for the disk.
type writer struct {
	patience time.Duration // how long to wait for the lock of another process

	db      *sql.DB
	conn    *sql.Conn
	find    *sql.Stmt
	store   *sql.Stmt
	changed chan struct{} // contains a token after a commit

	life *lifecycle.Lifecycle

	turn  chan struct{} // contains a token while a caller writes
	mu    sync.Mutex
	queue []*change
}

// A change is a Put or a Delete. Its results are set before done is closed.
type change struct {
	record store.Record
	delete bool

	done    chan struct{}
	version uint64
	err     error // the refusal of this change
	fault   error // the failure of the transaction
}

func (c *change) op() string {
	if c.delete {
		return "delete"
	}
	return "put"
}

func newWriter(ctx context.Context, name string, patience time.Duration, life *lifecycle.Lifecycle) (*writer, error) {
	w := &writer{patience: patience, life: life, turn: make(chan struct{}, 1), changed: make(chan struct{}, 1)}
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
	if _, err = w.conn.ExecContext(ctx, "PRAGMA busy_timeout = 1"); err != nil { // transact waits itself
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

// close waits for the current transaction and closes the database. It requires
// that the channel closed is closed, so that no other transaction begins.
func (w *writer) close() error {
	w.turn <- struct{}{}
	return errors.Join(w.conn.Close(), w.db.Close())
}

// do queues c and waits until this or another caller has carried it out.
func (w *writer) do(ctx context.Context, c *change) (uint64, error) {
	c.done = make(chan struct{})
	w.mu.Lock()
	w.queue = append(w.queue, c)
	w.mu.Unlock()
	for {
		select {
		case <-c.done:
			if c.fault != nil {
				return 0, w.life.Fault(ctx, c.op(), c.fault)
			}
			return c.version, c.err
		case w.turn <- struct{}{}:
			w.carryOut(context.WithoutCancel(ctx), c.done)
			<-w.turn
		case <-ctx.Done():
			w.withdraw(c)
			return 0, w.life.Fault(ctx, c.op(), ctx.Err())
		case <-w.life.Closed():
			w.withdraw(c)
			return 0, w.life.Fault(ctx, c.op(), store.ErrClosed)
		}
	}
}

// withdraw removes c from the queue, if its transaction has not begun.
func (w *writer) withdraw(c *change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.queue, c); i >= 0 {
		w.queue = slices.Delete(w.queue, i, i+1)
	}
}

// takeBatch removes up to batch changes from the front of the queue and returns
// them.
func (w *writer) takeBatch() []*change {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(batch, len(w.queue))
	changes := slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return changes
}

// carryOut commits queued changes in one transaction. It does nothing if the
// change of the caller is done already, or if Close has begun.
func (w *writer) carryOut(ctx context.Context, done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-w.life.Closed():
		return
	default:
	}
	changes := w.takeBatch()
	err := transact(ctx, w.conn, w.patience, func() error { return w.apply(ctx, changes) })
	for _, c := range changes {
		c.fault = err
		close(c.done)
	}
	if err == nil {
		select {
		case w.changed <- struct{}{}:
		default:
		}
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

// applyOne carries out c, with the version after last. It returns faults only.
func (w *writer) applyOne(ctx context.Context, c *change, last *uint64) error {
	now := time.Now().UnixMilli()
	old, expires, err := w.stored(ctx, c.record.Key, now)
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
		return nil //nolint:nilerr // a refusal is the answer to one caller and no fault
	}
	// The clock keeps versions from being used twice after the file was replaced
	// by an older copy.
	*last = max(*last+1, uint64(now)*1000)
	c.version = *last
	value := append(make([]byte, 0, len(r.Value)), r.Value...) // nil would be NULL
	_, err = w.store.ExecContext(ctx, []byte(r.Key), []byte(r.Owner), c.version, c.delete, r.Expires.UnixMilli(), value)
	return err
}

func refuse(old *precondition.Stored, r store.Record, now int64) error {
	if r.Expires.UnixMilli() <= now {
		return store.Invalid("expiry in the past")
	}
	return precondition.Check(old, r)
}

func (w *writer) stored(ctx context.Context, key string, now int64) (*precondition.Stored, int64, error) {
	var (
		old     precondition.Stored
		expires int64
	)
	err := w.find.QueryRowContext(ctx, []byte(key), now).Scan(&old.Owner, &old.Version, &old.Deleted, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	return &old, expires, err
}

// sweepBatch is how many records a sweep removes at most while writers wait.
const sweepBatch = 500

// sweep removes some of the expired records and tombstones.
func (w *writer) sweep(ctx context.Context) (removed int64, err error) {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	result, err := w.conn.ExecContext(context.WithoutCancel(ctx),
		`DELETE FROM record WHERE id IN (SELECT id FROM record WHERE expires <= ? ORDER BY expires LIMIT ?)`, time.Now().UnixMilli(), sweepBatch)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
