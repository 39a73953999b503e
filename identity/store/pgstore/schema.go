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

// steps lead from one version of the schema to the next. Each is a list of
// statements, with % for the name of the table. A released step never changes.
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

// migrate upgrades the table. It takes a lock only if there is something to do,
// so that a role without the right to create tables can use an existing one.
func migrate(ctx context.Context, pool *pgxpool.Pool, table string) error {
	version, err := schemaVersion(ctx, pool, table)
	if err != nil || version == len(steps) {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		// The lock ends with the transaction. A lock of the session would stay
		// with the connection of a pooler.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, lockKey(table)); err != nil {
			return err
		}
		// Read the version only after the lock, and not by to_regclass, which may
		// not see what others committed since this transaction began.
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

// checkRights returns an error if the role may not do all that a Store does.
func checkRights(ctx context.Context, q querier, table string) error {
	var missing string
	err := q.QueryRow(ctx, `SELECT coalesce(string_agg(need, ', '), '') FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS need
		WHERE NOT has_table_privilege($1, need)`, table).Scan(&missing)
	if err == nil && missing != "" {
		err = fmt.Errorf("the role of Config.URL lacks a right: GRANT %s ON %s to it", missing, table)
	}
	return err
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

// schemaVersion returns 0 if there is no table yet.
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
		return 0, fmt.Errorf("table %s is from a newer release: it has schema %d, this release knows %d", table, version, len(steps))
	}
	return version, err
}

func lockKey(table string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("b2trader.identity.auth/store/" + table))
	return int64(h.Sum64()) //nolint:gosec // an overflow does no harm
}

// statements are the statements that a Store runs.
type statements struct{ get, create, swap, whyNot, delete, list, sweep string }

// micros is the next version of a record, unless the last version is higher: the
// time in microseconds. So a version that a failover lost is not used again.
//
// All statements use the clock of the server. clock_timestamp advances while a
// statement waits for a lock. now does not, but an index can be used with it.
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

		delete: full(`WITH done AS (
			UPDATE % SET version = greatest(version + 1, MICROS), deleted = true, value = ''
			WHERE key = $1::bytea AND NOT deleted AND expires > clock_timestamp()
			RETURNING version)
			SELECT version FROM done, pg_notify($2, 'd' || version || ' ' || encode($1, 'hex'))`),

		list: full(`SELECT key, version, expires, value FROM % WHERE owner = $1 AND owner <> '' AND NOT deleted AND expires > now()`),

		sweep: full(`DELETE FROM % WHERE key IN (SELECT key FROM % WHERE expires <= now() ORDER BY expires LIMIT $1 FOR UPDATE SKIP LOCKED)`),
	}
}
