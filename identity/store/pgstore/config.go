package pgstore

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

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

func wrongURL(field, url string) error {
	return fmt.Errorf("pgstore: Config.%s must be postgres://USER:PASSWORD@HOST:PORT/DATABASE with %%XX for special characters and parameters of libpq, and %s is not",
		field, storeurl.Scheme(url))
}

// parse parses the URL of a field. It sets target_session_attrs=read-write
// unless the URL or the environment does.
func (c Config) parse(field, text string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(text)
	if err == nil && !c.InsecureAllowPlaintext && !private(config) && !choosesTLS(text) {
		config, err = pgxpool.ParseConfig(verifying(text))
	}
	if err != nil {
		return nil, wrongURL(field, text)
	}
	if !c.InsecureAllowPlaintext && !private(config) {
		return nil, fmt.Errorf("pgstore: Config.%s leads beyond loopback without verified TLS: set sslmode=verify-full, and sslrootcert if the authority is your own; or set InsecureAllowPlaintext", field)
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
	var problems []error
	if c.URL == "" {
		problems = append(problems, errors.New("pgstore: Config.URL is empty"))
	}
	if o.pool, err = c.parse("URL", c.URL); err != nil {
		problems = append(problems, err)
	}
	if c.ListenURL == "" {
		c.ListenURL = c.URL
	}
	if listen, err := c.parse("ListenURL", c.ListenURL); err == nil {
		o.listen = listen.ConnConfig
	} else if c.ListenURL != c.URL {
		problems = append(problems, err)
	}
	if o.table = c.Table; c.Table == "" {
		o.table = defaultTable
	}
	if !tableName.MatchString(o.table) {
		problems = append(problems, errors.New("pgstore: Config.Table must be at most 40 lower-case letters, digits and _, and not begin with a digit"))
	}
	if o.timeout = c.Timeout; c.Timeout == 0 {
		o.timeout = defaultTimeout
	}
	if c.Timeout < 0 {
		problems = append(problems, errors.New("pgstore: Config.Timeout is negative"))
	}
	if err := errors.Join(problems...); err != nil {
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
