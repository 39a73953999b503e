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

	"b2trader.identity.auth/identity/store"
)

// pingInterval is the time without notifications after which the connection is
// checked.
const pingInterval = 2 * time.Second

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
	if err := s.testNotifications(ctx, conn); err != nil {
		return err
	}
	s.life.Hub.Synced()
	for {
		payload, err := s.nextNotification(ctx, conn)
		if err != nil {
			return err
		}
		if e, ok := parseEvent(payload); ok {
			s.life.Hub.Publish(e)
		}
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

// nextNotification returns the payload of the next notification. After a while
// without one it checks that the server still answers and is still the primary.
func (s *Store) nextNotification(ctx context.Context, conn *pgx.Conn) (string, error) {
	for {
		quiet, cancel := context.WithTimeout(ctx, pingInterval)
		n, err := conn.WaitForNotification(quiet)
		over := quiet.Err() != nil
		cancel()
		if err == nil {
			return n.Payload, nil
		}
		if !over || ctx.Err() != nil || conn.IsClosed() {
			return "", err
		}
		bounded, cancel := context.WithTimeout(ctx, s.timeout)
		err = conn.Ping(bounded)
		if err == nil && s.listenConfig.ValidateConnect != nil {
			err = s.listenConfig.ValidateConnect(bounded, conn.PgConn())
		}
		cancel()
		if err != nil {
			return "", fmt.Errorf("the server does not answer or is no primary any more: %w", err)
		}
	}
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
