package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks the files of this package
// (https://www.sqlite.org/pragma.html#pragma_application_id).
const applicationID = 0x62327472

// steps lead from one version of the schema (PRAGMA user_version) to the next.
// A released step never changes.
//
// Watch reads changes by the index record_version: the last write has the
// highest version. The table counter contains the highest version so far.
var steps = []string{`
CREATE TABLE record (
	id      INTEGER PRIMARY KEY,
	key     BLOB    NOT NULL UNIQUE,
	owner   BLOB    NOT NULL,
	version INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	expires INTEGER NOT NULL, -- milliseconds since 1970
	value   BLOB    NOT NULL
) STRICT;
CREATE INDEX record_owner ON record (owner, expires) WHERE deleted = 0 AND owner <> x'';
CREATE INDEX record_expires ON record (expires);
CREATE UNIQUE INDEX record_version ON record (version);
CREATE TABLE counter (version INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES (0);
`}

// migrate upgrades the file. Processes that start together do it one after the
// other.
func migrate(ctx context.Context, conn *sql.Conn, patience time.Duration) error {
	return transact(ctx, conn, patience, func() error {
		var id, version, tables int
		err := conn.QueryRowContext(ctx, `SELECT a.application_id, u.user_version, (SELECT count(*) FROM sqlite_schema)
			FROM pragma_application_id a, pragma_user_version u`).Scan(&id, &version, &tables)
		switch {
		case err != nil:
			return err
		case tables > 0 && id != applicationID:
			return errors.New("the file is a database of another application")
		case version > len(steps):
			return fmt.Errorf("the file is from a newer release: it has schema %d, this release knows %d", version, len(steps))
		}
		for _, step := range steps[version:] {
			if _, err := conn.ExecContext(ctx, step); err != nil {
				return err
			}
		}
		_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(steps)))
		return err
	})
}

// transact runs f between BEGIN IMMEDIATE and COMMIT.
func transact(ctx context.Context, conn *sql.Conn, patience time.Duration, f func() error) error {
	if err := begin(ctx, conn, patience); err != nil {
		return err
	}
	err := f()
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = conn.ExecContext(ctx, "ROLLBACK") // fails if SQLite has rolled back itself
	}
	return err
}

// begin waits for other writers. SQLite itself tries ten times a second, so it
// may never succeed while another process writes all the time. begin tries about
// every 2 ms.
func begin(ctx context.Context, conn *sql.Conn, patience time.Duration) error {
	return retryWhileLocked(ctx, patience, func() error {
		_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		return err
	})
}

// retryWhileLocked repeats f while another process holds the lock that f needs,
// for the time of patience at most.
func retryWhileLocked(ctx context.Context, patience time.Duration, f func() error) error {
	for until := time.Now().Add(patience); ; {
		err := f()
		if busy, ok := errors.AsType[*sqlite.Error](err); !ok || busy.Code()&0xff != sqlite3.SQLITE_BUSY {
			return err
		}
		if time.Now().After(until) {
			return fmt.Errorf("another process has held the lock of the file for %v, it may be stopped (state T): continue or end it: %w", patience, err)
		}
		select {
		case <-time.After(rand.N(4 * time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
