package pgstore

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"b2trader.identity.auth/identity/store"
)

// Whether a call may be repeated when it is not known whether it was carried out.
const (
	reads  = true
	writes = false
)

// call bounds f, repeats it where that is harmless, and wraps what the driver says, except pgx.ErrNoRows.
func (s *Store) call(ctx context.Context, op string, repeatable bool, f func(context.Context) error) error {
	select {
	case <-s.closed:
		return store.NewFault(ctx, op, store.ErrClosed)
	default:
	}
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := f(bounded)
	for range attempts {
		if err == nil || errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if bounded.Err() != nil {
			break
		}
		dead := isDead(err)
		if dead {
			s.pool.Reset() // where one connection is dead, the others are
		}
		if !undone(err) && (!dead || !repeatable) {
			break
		}
		err = f(bounded)
	}
	return store.NewFault(ctx, op, err)
}

// isDead reports whether err means the end of a connection: not an answer of the server, or one of classes 08 and 57P
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func isDead(err error) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return true
	}
	return len(answer.Code) == 5 && (answer.Code[:2] == "08" || answer.Code[:3] == "57P")
}

// undone reports whether err means that nothing was carried out: it was not sent, or the server rolled it back as it
// conflicted with another.
func undone(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code == "40001" || answer.Code == "40P01"
	}
	return pgconn.SafeToRetry(err)
}
