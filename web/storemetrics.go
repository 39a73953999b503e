package web

import (
	"context"
	"iter"
	"time"

	"b2trader.identity.auth/identity/store"
)

// Store returns s with its operations measured and its interrupted watches
// counted.
func (m *Metrics) Store(s store.Store) store.Store { return observedStore{s, m} }

// observedStore is a Store that measures each operation.
type observedStore struct {
	store.Store
	metrics *Metrics
}

func (s observedStore) done(op string, began time.Time, err error) {
	s.metrics.storeCalls.WithLabelValues(op, resultOf(err)).Observe(time.Since(began).Seconds())
}

// Get implements store.Store.
func (s observedStore) Get(ctx context.Context, key string) (store.Record, error) {
	began := time.Now()
	r, err := s.Store.Get(ctx, key)
	s.done("get", began, err)
	return r, err
}

// Put implements store.Store.
func (s observedStore) Put(ctx context.Context, r store.Record) (uint64, error) {
	began := time.Now()
	version, err := s.Store.Put(ctx, r)
	s.done("put", began, err)
	return version, err
}

// Delete implements store.Store.
func (s observedStore) Delete(ctx context.Context, key string) error {
	began := time.Now()
	err := s.Store.Delete(ctx, key)
	s.done("delete", began, err)
	return err
}

// List implements store.Store.
func (s observedStore) List(ctx context.Context, owner string) ([]store.Record, error) {
	began := time.Now()
	records, err := s.Store.List(ctx, owner)
	s.done("list", began, err)
	return records, err
}

// Time implements store.Clock.
func (s observedStore) Time(ctx context.Context) (time.Time, error) { return store.Time(ctx, s.Store) }

// Watch implements store.Store, and counts the interruptions.
func (s observedStore) Watch(ctx context.Context) iter.Seq[store.Event] {
	return func(yield func(store.Event) bool) {
		down := false
		defer func() {
			if down {
				s.metrics.storeWatchesDown.Dec()
			}
		}()
		for e := range s.Store.Watch(ctx) {
			switch {
			case e.Kind == store.Lost && !down:
				down = true
				s.metrics.storeWatchesDown.Inc()
				s.metrics.storeWatchesLost.Inc()
			case e.Kind == store.Synced && down:
				down = false
				s.metrics.storeWatchesDown.Dec()
			}
			if !yield(e) {
				return
			}
		}
	}
}
