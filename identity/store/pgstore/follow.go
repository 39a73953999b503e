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

const (
	pingInterval  = 2 * time.Second // of a connection that brings no notifications
	sweepInterval = time.Minute
	sweepBatch    = 500
)

// listenOnce listens on a connection of its own until that fails.
func (s *Store) listenOnce(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(bounded)
	}()
	if err := s.try(ctx, conn); err != nil {
		return err
	}
	s.hub.Synced()
	for {
		payload, err := s.wait(ctx, conn)
		if err != nil {
			return err
		}
		if e, ok := parseEvent(payload); ok {
			s.hub.Publish(e)
		}
	}
}

func (s *Store) connect(ctx context.Context) (*pgx.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(bounded, s.listen)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(bounded, "LISTEN "+s.channel); err != nil {
		return nil, errors.Join(err, conn.Close(bounded))
	}
	return conn, nil
}

var errSilent = errors.New("notifications do not arrive: if URL leads to a pooler, ListenURL must lead past it")

// try sends a notification through the pool and waits for it, since a pooler accepts LISTEN and then forgets who
// listens.
func (s *Store) try(ctx context.Context, conn *pgx.Conn) error {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	word := "t" + rand.Text()
	if _, err := s.pool.Exec(bounded, "SELECT pg_notify($1, $2)", s.channel, word); err != nil {
		return err
	}
	for {
		n, err := conn.WaitForNotification(bounded)
		if bounded.Err() != nil && ctx.Err() == nil {
			return errSilent
		}
		if err != nil {
			return err
		}
		if n.Payload == word {
			return nil
		}
	}
}

// wait returns the next notification. When there is none for a while it makes sure that the server is still there.
func (s *Store) wait(ctx context.Context, conn *pgx.Conn) (string, error) {
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
		cancel()
		if err != nil {
			return "", fmt.Errorf("the server went silent: %w", err)
		}
	}
}

// parseEvent reads what the statements announce: "c" or "d", the version, a space, the key in hexadecimal.
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

// sweepOften removes what has expired, a little at a time. Processes that sweep together share the work.
// A fault is left to the next sweep: it shows in other calls.
func (s *Store) sweepOften(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		for {
			removed, err := s.sweep(ctx)
			if err != nil || removed < sweepBatch {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Store) sweep(ctx context.Context) (removed int64, err error) {
	err = s.call(ctx, "postgres: sweep", reads, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, s.sql.sweep, sweepBatch)
		removed = tag.RowsAffected()
		return err
	})
	return removed, err
}
