package pgstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/watch"
)

// listen reports changes from a connection of its own until that fails.
func (s *Store) listen(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(bounded)
	}()
	s.pool.Reset() // a connection of the pool may lead to a server that is no primary any more
	began := time.Now()
	if err := s.testNotifications(ctx, conn); err != nil {
		return err
	}
	s.life.Hub.Synced(began)
	for {
		if err := s.report(ctx, conn, began.Add(watch.AliveInterval)); err != nil {
			return err
		}
		began = time.Now()
		if err := s.checkServer(ctx, conn); err != nil {
			return err
		}
		// The server sends the notifications of transactions that have
		// committed before it says that it is ready again.
		if err := s.report(ctx, conn, began); err != nil {
			return err
		}
		s.life.Hub.Alive(began)
	}
}

func (s *Store) connect(ctx context.Context) (*pgx.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(bounded, s.listenConfig)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(bounded, "LISTEN "+s.table); err != nil {
		return nil, errors.Join(err, conn.Close(bounded))
	}
	return conn, nil
}

var errNoNotifications = errors.New("notifications do not arrive: if Config.URL leads to a pooler, Config.ListenURL must lead past it")

// testNotifications sends a notification through the pool and waits for it,
// because a pooler accepts LISTEN without effect.
func (s *Store) testNotifications(ctx context.Context, conn *pgx.Conn) error {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	token := "t" + rand.Text()
	if _, err := s.pool.Exec(bounded, "SELECT pg_notify($1, $2)", s.table, token); err != nil {
		return err
	}
	for {
		n, err := conn.WaitForNotification(bounded)
		if bounded.Err() != nil && ctx.Err() == nil {
			return errNoNotifications
		}
		if err != nil {
			return err
		}
		if n.Payload == token {
			return nil
		}
	}
}

// report reports the changes that have arrived, and those that arrive until a
// time.
func (s *Store) report(ctx context.Context, conn *pgx.Conn, until time.Time) error {
	bounded, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for {
		n, err := conn.WaitForNotification(bounded)
		switch {
		case err == nil:
			if e, ok := parseEvent(n.Payload); ok {
				s.life.Hub.Publish(e)
			}
		case bounded.Err() == nil || ctx.Err() != nil || conn.IsClosed():
			return err
		default:
			return nil
		}
	}
}

// checkServer checks that the server still answers and is still the primary.
func (s *Store) checkServer(ctx context.Context, conn *pgx.Conn) error {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	check := func(ctx context.Context, _ *pgconn.PgConn) error { return conn.Ping(ctx) }
	if s.listenConfig.ValidateConnect != nil {
		check = s.listenConfig.ValidateConnect
	}
	if err := check(bounded, conn.PgConn()); err != nil {
		return fmt.Errorf("the server does not answer or is no primary any more: %w", err)
	}
	return nil
}

// parseEvent parses the payload of a notification: "c" for changed or "d" for
// deleted, the version, a space, and the key in hexadecimal.
func parseEvent(payload string) (store.Event, bool) {
	if payload == "" || payload[0] != 'c' && payload[0] != 'd' {
		return store.Event{}, false
	}
	number, text, _ := strings.Cut(payload[1:], " ")
	version, err1 := strconv.ParseUint(number, 10, 63)
	key, err2 := hex.DecodeString(text)
	if errors.Join(err1, err2) != nil || len(key) == 0 || version == 0 {
		return store.Event{}, false
	}
	e := store.Event{Kind: store.Changed, Key: string(key), Version: version}
	if payload[0] == 'd' {
		e.Kind = store.Deleted
	}
	return e, true
}
