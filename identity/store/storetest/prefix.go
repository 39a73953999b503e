package storetest

import (
	"context"
	"iter"
	"strings"

	"b2trader.identity.auth/identity/store"
)

// A prefixed store is the part of a Store whose keys and owners begin with a
// prefix, so that cases can share handles. Empty keys and owners stay empty.
type prefixed struct {
	store.Store

	prefix string
}

func (p prefixed) add(name string) string {
	if name == "" {
		return ""
	}
	return p.prefix + name
}

func (p prefixed) remove(r store.Record) store.Record {
	r.Key, r.Owner = strings.TrimPrefix(r.Key, p.prefix), strings.TrimPrefix(r.Owner, p.prefix)
	return r
}

func (p prefixed) Get(ctx context.Context, key string) (store.Record, error) {
	r, err := p.Store.Get(ctx, p.add(key))
	return p.remove(r), err
}

func (p prefixed) Put(ctx context.Context, r store.Record) (uint64, error) {
	r.Key, r.Owner = p.add(r.Key), p.add(r.Owner)
	return p.Store.Put(ctx, r)
}

func (p prefixed) Delete(ctx context.Context, key string) error {
	return p.Store.Delete(ctx, p.add(key))
}

func (p prefixed) List(ctx context.Context, owner string) ([]store.Record, error) {
	list, err := p.Store.List(ctx, p.add(owner))
	for i := range list {
		list[i] = p.remove(list[i])
	}
	return list, err
}

func (p prefixed) Watch(ctx context.Context) iter.Seq[store.Event] {
	return func(yield func(store.Event) bool) {
		for e := range p.Store.Watch(ctx) {
			key, ours := strings.CutPrefix(e.Key, p.prefix)
			if e.Key != "" && !ours {
				continue
			}
			e.Key = key
			if !yield(e) {
				return
			}
		}
	}
}
