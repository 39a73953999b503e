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

// applicationID marks our files (https://www.sqlite.org/pragma.html#pragma_application_id).
const applicationID = 0x62327472

// steps lead from one version of the schema (PRAGMA user_version) to the next. Steps that were released never change.
//
// record_version is the feed of changes: what was written last has the highest version. counter holds the highest
// that was ever given.
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

// migrate brings the file up to date. Processes that start together do it one after the other.
func migrate(ctx context.Context, conn *sql.Conn, patience time.Duration) error {
	return transact(ctx, conn, patience, func() error {
		var id, version, tables int
		err := conn.QueryRowContext(ctx, `SELECT a.application_id, u.user_version, (SELECT count(*) FROM sqlite_schema)
			FROM pragma_application_id a, pragma_user_version u`).Scan(&id, &version, &tables)
		switch {
		case err != nil:
			return err
		case tables > 0 && id != applicationID:
			return errors.New("the file is a database of something else")
		case version > len(steps):
			return fmt.Errorf("the file was written by a newer release: schema %d, known is %d", version, len(steps))
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
		_, _ = conn.ExecContext(ctx, "ROLLBACK") // fails if SQLite has rolled back by itself
	}
	return err
}

// begin waits for other writers. SQLite's own waiting looks ten times a second, and so may never find the moment between
// two transactions of another process that writes all the time; this looks about every two milliseconds.
func begin(ctx context.Context, conn *sql.Conn, patience time.Duration) error {
	return insist(ctx, patience, func() error {
		_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		return err
	})
}

// insist calls f again and again for as long as another process holds the lock that it needs.
func insist(ctx context.Context, patience time.Duration, f func() error) error {
	for until := time.Now().Add(patience); ; {
		err := f()
		if busy, ok := errors.AsType[*sqlite.Error](err); !ok || busy.Code()&0xff != sqlite3.SQLITE_BUSY || time.Now().After(until) {
			return err
		}
		select {
		case <-time.After(rand.N(4 * time.Millisecond)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
