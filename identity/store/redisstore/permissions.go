package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"b2trader.identity.auth/identity/store"
)

// checkLife is how long the record of checkPermissions lives after the check. The
// server refuses an expired one before it needs the permissions, so this is more
// than clocks differ.
const checkLife = time.Minute

// checkPermissions checks that the server answers and that its ACL lets the user
// do all that a Store does, by a message that is no change and by a record that
// it removes, or that expires soon if the check fails. In Redis 7 a user has no
// channels unless the ACL names them.
func (s *Store) checkPermissions(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	b, channel := s.client.B(), s.name.channel()
	r := store.Record{Key: "check:" + rand.Text(), Owner: "check", Expires: time.Now().Add(s.timeout + checkLife)}
	announced := s.client.Do(bounded, b.Publish().Channel(channel).Message("").Build()).Error()
	for _, try := range []func() error{
		func() error { return announced },
		func() error { return s.trySubscribe(bounded) },
		func() error { return s.index(bounded, r) },
		func() error { _, err := s.put(bounded, r, true); return err },
		func() error { _, err := s.Get(bounded, r.Key); return err },
		func() error { _, err := s.delete(bounded, r.Key); return err },
		func() error { _, err := s.indexed(bounded, r.Owner); return err },
		func() error { _, err := s.Time(bounded); return err },
		func() error { return s.client.Do(bounded, b.Del().Key(s.name.record(r.Key)).Build()).Error() },
		func() error { return s.client.Do(bounded, b.Del().Key(s.name.owner(r.Owner)).Build()).Error() },
	} {
		if err := try(); denied(err) {
			return fmt.Errorf("the user of Config.URL lacks a permission: its ACL needs ~%s* for keys, &%s for the channel of changes, and the commands of the groups +@read +@write +@scripting +@pubsub +@connection, and +time: %w", s.name.prefix, channel, err)
		}
	}
	return announced
}

// trySubscribe subscribes to the channel on a connection of its own.
func (s *Store) trySubscribe(ctx context.Context) error {
	connection, release := s.client.Dedicate()
	defer release()
	connection.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(rueidis.PubSubMessage) {}})
	return connection.Do(ctx, connection.B().Subscribe().Channel(s.name.channel()).Build()).Error()
}

// denied reports whether the server's ACL forbids a command, also one in a
// script, for which versions 7.0 and 7.2 have other words.
func denied(err error) bool {
	answer, ok := errors.AsType[*rueidis.RedisError](err)
	if !ok {
		return false
	}
	for _, words := range []string{"NOPERM", "The user executing the script", "ACL failure in script"} {
		if strings.Contains(answer.Error(), words) {
			return true
		}
	}
	return false
}
