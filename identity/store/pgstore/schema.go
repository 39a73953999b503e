package pgstore

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// steps lead from one version of the schema to the next, each a list of statements with % for the name of the table.
// Steps that were released never change.
var steps = [][]string{{
	`CREATE TABLE % (
		key     bytea       PRIMARY KEY,
		owner   bytea       NOT NULL,
		version bigint      NOT NULL,
		deleted boolean     NOT NULL,
		expires timestamptz NOT NULL,
		value   bytea       NOT NULL
	) WITH (fillfactor = 80)`,
	`CREATE INDEX %_owner ON % (owner, expires) WHERE NOT deleted AND owner <> ''`,
	`CREATE INDEX %_expires ON % (expires)`,
}}

// migrate brings the table up to date. It asks first and locks only if there is something to do, so that a role
// without the right to create tables can use one that is there.
func migrate(ctx context.Context, pool *pgxpool.Pool, table string) error {
	version, err := schemaVersion(ctx, pool, table)
	if err != nil || version == len(steps) {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// Given back at the end of the transaction. A lock of the session would stay with a pooler's connection for
		// good.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockKey(table)); err != nil {
			return err
		}
		// Only now may it be asked what is there, and not by to_regclass, which in this transaction may not know yet
		// what others committed.
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS `+table+`_schema (version integer NOT NULL)`); err != nil {
			return err
		}
		version, err := versionRow(ctx, tx, table)
		if err != nil || version == len(steps) {
			return err
		}
		return upgrade(ctx, tx, table, version)
	})
}

func upgrade(ctx context.Context, tx pgx.Tx, table string, version int) error {
	statements := []string{`DELETE FROM %_schema`, fmt.Sprintf(`INSERT INTO %%_schema VALUES (%d)`, len(steps))}
	for _, step := range steps[version:] {
		statements = append(statements, step...)
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, strings.ReplaceAll(statement, "%", table)); err != nil {
			return err
		}
	}
	return nil
}

type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// schemaVersion is 0 if there is no table yet.
func schemaVersion(ctx context.Context, q querier, table string) (int, error) {
	var there bool
	if err := q.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, table+"_schema").Scan(&there); err != nil || !there {
		return 0, err
	}
	return versionRow(ctx, q, table)
}

func versionRow(ctx context.Context, q querier, table string) (version int, err error) {
	err = q.QueryRow(ctx, `SELECT version FROM `+table+`_schema`).Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if version > len(steps) {
		return 0, fmt.Errorf("table %s was made by a newer release: schema %d, known is %d", table, version, len(steps))
	}
	return version, err
}

func lockKey(table string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("b2trader.identity.auth/store/" + table))
	return int64(h.Sum64()) //nolint:gosec // any number will do
}

// statements are what a Store runs.
type statements struct{ get, create, swap, whyNot, bury, list, sweep string }

// The clock is the server's. clock_timestamp moves while a statement waits for a lock, now does not, but may be
// compared with an index. The next version of a record is the time in microseconds, or one more than the last if that
// is later: a version that was lost in a failover is never given to another value.
const micros = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`

func newStatements(table string) statements {
	full := strings.NewReplacer("%", table, "MICROS", micros).Replace
	return statements{
		get: full(`SELECT owner, version, deleted, expires, value FROM % WHERE key = $1 AND expires > clock_timestamp()`),

		create: full(`WITH done AS (
			INSERT INTO % AS old (key, owner, version, deleted, expires, value)
			SELECT $1::bytea, $2::bytea, MICROS, false, $3::timestamptz, $4::bytea WHERE $3::timestamptz > clock_timestamp()
			ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, version = greatest(old.version + 1, excluded.version),
				deleted = false, expires = excluded.expires, value = excluded.value
			WHERE old.expires <= clock_timestamp()
			RETURNING version)
			SELECT version FROM done, pg_notify($5, 'c' || version || ' ' || encode($1, 'hex'))`),

		swap: full(`WITH done AS (
			UPDATE % SET version = greatest(version + 1, MICROS), expires = $3::timestamptz, value = $4::bytea
			WHERE key = $1::bytea AND owner = $2::bytea AND version = $6 AND NOT deleted AND expires > clock_timestamp() AND $3::timestamptz > clock_timestamp()
			RETURNING version)
			SELECT version FROM done, pg_notify($5, 'c' || version || ' ' || encode($1, 'hex'))`),

		whyNot: full(`SELECT $2::timestamptz <= clock_timestamp(), key IS NOT NULL, coalesce(deleted, false), coalesce(version, 0), coalesce(owner, '')
			FROM (SELECT) AS one LEFT JOIN % ON key = $1 AND expires > clock_timestamp()`),

		bury: full(`WITH done AS (
			UPDATE % SET version = greatest(version + 1, MICROS), deleted = true, value = ''
			WHERE key = $1::bytea AND NOT deleted AND expires > clock_timestamp()
			RETURNING version)
			SELECT version FROM done, pg_notify($2, 'd' || version || ' ' || encode($1, 'hex'))`),

		list: full(`SELECT key, version, expires, value FROM % WHERE owner = $1 AND owner <> '' AND NOT deleted AND expires > now()`),

		sweep: full(`DELETE FROM % WHERE key IN (SELECT key FROM % WHERE expires <= now() ORDER BY expires LIMIT $1 FOR UPDATE SKIP LOCKED)`),
	}
}
