package redisstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/watch"
)

var errTopology = errors.New("the servers have changed")

// subscribe reports changes from every server. It returns when a connection
// ends, a server gives no sign of life, or the set of servers changes.
func (s *Store) subscribe(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	nodes := s.client.Nodes()
	broken := make(chan error, len(nodes))
	connections := make([]rueidis.DedicatedClient, 0, len(nodes))
	for _, node := range nodes {
		connection, release := node.Dedicate()
		defer release()
		connections = append(connections, connection)
		if err := s.listen(ctx, connection, broken); err != nil {
			return err
		}
	}
	s.life.Hub.Synced(began)
	tick := time.NewTicker(watch.AliveInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-broken:
			return err
		case <-tick.C:
		}
		if now := s.client.Nodes(); !slices.Equal(addresses(now), addresses(nodes)) {
			return errTopology
		}
		began = time.Now()
		if err := s.checkServers(ctx, connections); err != nil {
			return err
		}
		s.life.Hub.Alive(began)
	}
}

// checkServers waits until every server has answered on the connection that
// brings its changes. Earlier changes have arrived then. The command deletes a
// key that does not exist, because a server that was demoted refuses only
// commands that write. Another server of a cluster answers MOVED, which is an
// answer, too.
func (s *Store) checkServers(ctx context.Context, connections []rueidis.DedicatedClient) error {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	errs := make([]error, len(connections))
	var all sync.WaitGroup
	for i, connection := range connections {
		all.Go(func() {
			errs[i] = connection.Do(bounded, connection.B().Del().Key(s.name.nothing()).Build()).Error()
			if _, answered := rueidis.IsRedisErr(errs[i]); answered && !wrongServer(errs[i]) {
				errs[i] = nil
			}
		})
	}
	all.Wait()
	if slices.ContainsFunc(errs, wrongServer) {
		s.conns.drop()
	}
	return errors.Join(errs...)
}

func addresses(nodes map[string]rueidis.Client) []string { return slices.Sorted(maps.Keys(nodes)) }

// listen subscribes at a server and waits until the server confirms it.
func (s *Store) listen(ctx context.Context, connection rueidis.DedicatedClient, broken chan<- error) error {
	subscribed := make(chan struct{}, 1)
	ended := connection.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage: func(m rueidis.PubSubMessage) { s.publish(m.Message) },
		OnSubscription: func(rueidis.PubSubSubscription) {
			select {
			case subscribed <- struct{}{}:
			default:
			}
		},
	})
	s.life.Go(func(context.Context) {
		err := <-ended
		if err == nil {
			err = errors.New("unsubscribed")
		}
		broken <- err
	})
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := connection.Do(bounded, connection.B().Subscribe().Channel(s.name.channel()).Build()).Error(); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	select {
	case <-subscribed:
		return nil
	case <-bounded.Done():
		return fmt.Errorf("subscribe: %w", bounded.Err())
	}
}

// publish reports the change in a message of a script: 16 digits of version, "+"
// for changed or "-" for deleted, the key.
func (s *Store) publish(text string) {
	if len(text) <= stateEnd {
		return
	}
	version, err := strconv.ParseUint(text[:versionEnd], 10, 63)
	if err != nil {
		return
	}
	e := store.Event{Kind: store.Changed, Key: text[stateEnd:], Version: version}
	if text[versionEnd] == '-' {
		e.Kind = store.Deleted
	}
	s.life.Hub.Publish(e)
}
