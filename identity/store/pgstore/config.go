package pgstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/store/internal/storeurl"
)

// A Config locates the records.
type Config struct {
	// URL is postgres://USER:PASSWORD@HOST:PORT/DATABASE with the parameters of
	// libpq and of pgxpool (pool_max_conns and others), or the same as
	// KEYWORD=VALUE pairs. The pool has 4 connections, or as many as there are
	// cores if that is more. target_session_attrs is read-write by default, so
	// that of several hosts, or behind a name, the primary is found. sslmode is
	// verify-full by default if a host is beyond loopback, and no other sslmode is
	// accepted then; sslrootcert names the authority.
	URL string

	ListenURL string        // where LISTEN works, if URL leads to a pooler; "": URL
	Table     string        // and channel: lower-case letters, digits, _; "": "b2trader_store"
	Timeout   time.Duration // of each call and of a connect; 0: 3 s

	// InsecureAllowPlaintext accepts each sslmode for hosts beyond loopback, with
	// libpq's default, prefer: others on the way may read and change records.
	InsecureAllowPlaintext bool
}

const (
	defaultTable   = "b2trader_store"
	defaultTimeout = 3 * time.Second
)

type options struct {
	pool    *pgxpool.Config
	listen  *pgx.ConnConfig
	table   string
	timeout time.Duration
}

var tableName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,39}$`)

// parse parses a URL. It sets target_session_attrs=read-write unless the URL or
// the environment does. Its errors follow the name of the URL's field.
func (c Config) parse(text string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(text)
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("names a file that cannot be read: %w", file)
	}
	if storeurl.Misread(text) {
		err = errors.New("the password is not encoded")
	}
	if err == nil && !c.InsecureAllowPlaintext && !private(config) && !choosesTLS(text) {
		config, err = pgxpool.ParseConfig(verifying(text))
	}
	if err != nil {
		return nil, fmt.Errorf("must be postgres://USER:PASSWORD@HOST:PORT/DATABASE with %%XX for special characters and parameters of libpq, and %s is not",
			storeurl.Scheme(text))
	}
	if !c.InsecureAllowPlaintext && !private(config) {
		return nil, errors.New("leads beyond loopback without verified TLS: set sslmode=verify-full, and sslrootcert if the authority is your own; or set InsecureAllowPlaintext")
	}
	const setting = "target_session_attrs"
	if !strings.Contains(text, setting) && os.Getenv("PGTARGETSESSIONATTRS") == "" {
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return config, nil
}

// options checks c and translates it. No error shows a URL, which may contain a
// password.
func (c Config) options() (o options, err error) {
	p := checkconfig.Problems{Package: "pgstore"}
	p.Missing("URL", c.URL == "")
	o.pool, err = c.parse(c.URL)
	p.Check("URL", err)
	if c.ListenURL == "" {
		c.ListenURL = c.URL
	}
	if listen, err := c.parse(c.ListenURL); err == nil {
		o.listen = listen.ConnConfig
	} else if c.ListenURL != c.URL {
		p.Check("ListenURL", err)
	}
	if o.table = c.Table; c.Table == "" {
		o.table = defaultTable
	}
	if !tableName.MatchString(o.table) {
		p.Add("Table", "must be at most 40 lower-case letters, digits and _, and not begin with a digit")
	}
	if o.timeout = c.Timeout; c.Timeout == 0 {
		o.timeout = defaultTimeout
	}
	p.Negative("Timeout", c.Timeout < 0)
	if err := p.Err(); err != nil {
		return options{}, err
	}
	for _, conn := range []*pgx.ConnConfig{o.pool.ConnConfig, o.listen} {
		conn.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // one round trip, without named statements
		conn.ConnectTimeout = o.timeout
	}
	// Without this, pgx keeps notifications for ever that a pooler passes on.
	o.pool.ConnConfig.OnNotification = func(*pgconn.PgConn, *pgconn.Notification) {}
	return o, nil
}
