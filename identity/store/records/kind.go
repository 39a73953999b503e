package records

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"b2trader.identity.auth/identity/internal/sharded"
	"b2trader.identity.auth/identity/store"
)

// An ID is the key of a record in the store. [Kind.ID] makes one from a secret
// key. A conversion from a string is for keys that are hashed already.
type ID string

// An Owner is what [Kind.List] finds records by, as the store has it.
// [Kind.Owner] makes one from a name. "" is no owner.
type Owner string

// A Record is one version of a record. It is shared: do not change it.
type Record[T any] struct {
	ID      ID
	Owner   Owner
	Version uint64 // 0 in a Put that creates the record
	Expires time.Time
	Value   T

	epoch    uint64 // of the watch before the record was read; 0: never current
	restored uint64 // the newest version that was known when the store had forgotten it; 0: it did not
}

// A Kind is all records of one type in a Cache. It is safe for concurrent use.
type Kind[T any] struct {
	cache  *Cache
	prefix string
	codec  Codec[T]
	refs   *sharded.Map[*Ref[T]] // nil if the kind keeps nothing in memory
}

// NewKind returns the kind of records whose IDs begin with prefix, such as
// "session:". It keeps what it reads and writes in memory until the record is
// deleted or the caller forgets it: callers forget what they no longer use.
func NewKind[T any](c *Cache, prefix string, codec Codec[T]) *Kind[T] {
	k := NewUncachedKind(c, prefix, codec)
	k.refs = sharded.NewMap[*Ref[T]]()
	c.add(k)
	return k
}

// NewUncachedKind returns a Kind that keeps nothing in memory: each read asks
// the store. It is for records that are many and rarely read.
func NewUncachedKind[T any](c *Cache, prefix string, codec Codec[T]) *Kind[T] {
	return &Kind[T]{cache: c, prefix: prefix, codec: codec}
}

// ID returns where the record of key is: the prefix and a hash of key. The hash
// has no key, so that a process without the sealing keys can delete the record.
// Use it for keys that cannot be guessed, and KeyedIDs for names.
func (k *Kind[T]) ID(key string) ID { return ID(hashed(k.prefix, key)) }

// KeyedIDs returns where the record of a name that can be guessed may be. The
// first ID is where it is written: the prefix and a MAC of name by the first of
// Config.Keys. The others are those of the other keys and, for records of
// version 0.1.0, the one of ID.
func (k *Kind[T]) KeyedIDs(name string) []ID {
	var ids []ID
	for _, place := range k.cache.names.of(k.prefix, name) {
		ids = append(ids, ID(place))
	}
	return append(ids, k.ID(name))
}

// Owner returns the owner to write records with: the prefix and a MAC of name by
// the first of Config.Keys, or "" for "".
func (k *Kind[T]) Owner(name string) Owner {
	if name == "" {
		return ""
	}
	return Owner(k.cache.names.of(k.prefix, name)[0])
}

// Owners returns the owners that the records of name may have, for List and IDs:
// the one of Owner, those of the other keys and, for records of version 0.1.0, a
// hash without a key. "" has none.
func (k *Kind[T]) Owners(name string) []Owner {
	if name == "" {
		return nil
	}
	var owners []Owner
	for _, owner := range k.cache.names.of(k.prefix, name) {
		owners = append(owners, Owner(owner))
	}
	return append(owners, Owner(hashed(k.prefix, name)))
}

func hashed(prefix, name string) string {
	var b [64]byte // most names and results fit, so neither is allocated
	sum := sha256.Sum256(append(b[:0], name...))
	return string(base64.RawURLEncoding.AppendEncode(append(b[:0], prefix...), sum[:]))
}

// Get returns a record, from memory if that copy is current.
//
// Errors: see "Three answers" in the package documentation.
func (k *Kind[T]) Get(ctx context.Context, id ID) (*Record[T], error) { return k.Ref(id).Get(ctx) }

// Put creates the record of r.ID, if r.Version is 0, or replaces exactly that
// version. It returns the record as stored.
//
// Errors: store.ErrConflict, store.ErrDeleted, or another of the store or the
// codec.
func (k *Kind[T]) Put(ctx context.Context, r Record[T]) (*Record[T], error) {
	return k.Ref(r.ID).Put(ctx, r)
}

// Delete deletes a record for good: its ID stays empty until the record would
// have expired. It is no error if there is no record.
//
// Errors: the store's.
func (k *Kind[T]) Delete(ctx context.Context, id ID) error {
	bounded, cancel := k.cache.bounded(ctx)
	defer cancel()
	if err := k.cache.store.Delete(bounded, string(id)); err != nil {
		return fault(ctx, "delete", err)
	}
	version := k.cache.seen.version(id)
	if r := k.known(id); r != nil {
		version = r.known()
	}
	k.cache.seen.deleted(id, version)
	k.deleted(id)
	return nil
}

// List returns the readable records of owners, as the store has them.
//
// Errors: the store's.
func (k *Kind[T]) List(ctx context.Context, owners ...Owner) ([]*Record[T], error) {
	bounded, cancel := k.cache.bounded(ctx)
	defer cancel()
	if err := k.cache.checkClock(bounded); err != nil {
		return nil, fault(ctx, "time", err)
	}
	found, err := k.stored(bounded, owners)
	if err != nil {
		return nil, fault(ctx, "list", err)
	}
	var list []*Record[T]
	for _, raw := range found {
		if k.cache.seen.isDeleted(ID(raw.Key), raw.Version) {
			_ = k.cache.deleteAgain(bounded, ID(raw.Key))
			continue
		}
		if r, err := k.open(raw, 0); err == nil {
			list = append(list, r)
		}
	}
	return list, nil
}

// IDs returns the IDs of the records of owners, unreadable ones included.
//
// Errors: the store's.
func (k *Kind[T]) IDs(ctx context.Context, owners ...Owner) ([]ID, error) {
	bounded, cancel := k.cache.bounded(ctx)
	defer cancel()
	found, err := k.stored(bounded, owners)
	ids := make([]ID, len(found))
	for i, raw := range found {
		ids[i] = ID(raw.Key)
	}
	return ids, fault(ctx, "list", err)
}

// stored returns the records of owners as the store has them. It asks for all
// owners at once.
func (k *Kind[T]) stored(ctx context.Context, owners []Owner) ([]store.Record, error) {
	found, errs := make([][]store.Record, len(owners)), make([]error, len(owners))
	var all sync.WaitGroup
	for i, owner := range owners {
		all.Go(func() { found[i], errs[i] = k.cache.store.List(ctx, string(owner)) })
	}
	all.Wait()
	return slices.Concat(found...), errors.Join(errs...)
}

// Held yields the records in memory, each with whether that copy is current.
func (k *Kind[T]) Held() iter.Seq2[*Record[T], bool] {
	return func(yield func(*Record[T], bool) bool) {
		for r := range k.memory() {
			if copied := r.copy.Load(); copied != nil && !yield(copied, r.Current(copied)) {
				return
			}
		}
	}
}

// Forget drops the copy of a record from memory, unless a caller of
// [Ref.Listen] listens for its deletion. The record stays stored.
func (k *Kind[T]) Forget(id ID) {
	if r := k.known(id); r != nil {
		r.Forget()
	}
}

// memory yields the refs of the records in memory.
func (k *Kind[T]) memory() iter.Seq[*Ref[T]] {
	if k.refs == nil {
		return slices.Values[[]*Ref[T]](nil)
	}
	return k.refs.All()
}

// known returns the Ref of id, or nil if none is in memory.
func (k *Kind[T]) known(id ID) *Ref[T] {
	if k.refs == nil {
		return nil
	}
	return k.refs.Get(string(id))
}

// Ref returns the Ref of id. All callers share it until the record is deleted
// or forgotten.
func (k *Kind[T]) Ref(id ID) *Ref[T] {
	if r := k.known(id); r != nil {
		return r
	}
	if k.refs == nil {
		return newDroppedRef(k, id)
	}
	return k.refs.Ensure(string(id), func(*Ref[T]) bool { return false }, func() *Ref[T] { return newRef(k, id) })
}

func (k *Kind[T]) open(raw store.Record, epoch uint64) (*Record[T], error) {
	value, restored, err := k.codec.open(k.cache.sealer, raw)
	if err != nil {
		return nil, err
	}
	return &Record[T]{
		ID: ID(raw.Key), Owner: Owner(raw.Owner), Version: raw.Version, Expires: raw.Expires, Value: value,
		epoch: epoch, restored: restored,
	}, nil
}

// kept returns what of c stays in memory.
func (k *Kind[T]) kept(c *Record[T]) *Record[T] {
	if k.codec.Keep == nil {
		return c
	}
	part := *c
	part.Value = k.codec.Keep(c.Value)
	return &part
}

func (k *Kind[T]) synced() {
	for r := range k.memory() {
		r.recheck()
	}
}

func (k *Kind[T]) reread(start func(read func(context.Context))) {
	for r := range k.memory() {
		start(func(ctx context.Context) { _, _ = r.Read(ctx) })
	}
}

func (k *Kind[T]) changed(id ID, version uint64) {
	if r := k.known(id); r != nil {
		r.reported(version)
	}
}

func (k *Kind[T]) deleted(id ID) {
	if r := k.known(id); r != nil {
		r.markDeleted()
	}
}
