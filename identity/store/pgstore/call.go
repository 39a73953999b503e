package pgstore

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Whether a call may be repeated if the server may have carried it out.
const (
	reads  = true
	writes = false
)

// call runs f with a timeout, repeats it where that is harmless, and wraps its
// error, except pgx.ErrNoRows.
func (s *Store) call(ctx context.Context, op string, repeatable bool, f func(context.Context) error) error {
	if err := s.life.Check(ctx, op); err != nil {
		return err
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
		lost := lostConnection(err)
		if lost {
			s.pool.Reset() // the other connections are probably lost too
		}
		if !notDone(err) && (!lost || !repeatable) {
			break
		}
		err = f(bounded)
	}
	return s.life.Fault(ctx, op, err)
}

// readOnly is the answer of a server that has become a standby.
const readOnly = "25006"

// lostConnection reports whether err makes a connection useless: it is not an
// answer of the server, or it is readOnly or of the classes 08 and 57P
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func lostConnection(err error) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return true
	}
	return answer.Code == readOnly || strings.HasPrefix(answer.Code, "08") || strings.HasPrefix(answer.Code, "57P")
}

// notDone reports whether the statement was surely not carried out: it was not
// sent, or the server refused it or rolled it back because of a conflict.
func notDone(err error) bool {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code == "40001" || answer.Code == "40P01" || answer.Code == readOnly
	}
	return pgconn.SafeToRetry(err)
}
