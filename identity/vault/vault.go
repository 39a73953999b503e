package vault

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/sharded"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
)

// A Vault keeps entries. It is safe for concurrent use.
type Vault struct {
	config  Config
	holder  string // the name of this vault in the leases that it takes
	cache   *records.Cache
	records *records.Kind[record]
	entries *sharded.Map[*cachedEntry] // by the callers' keys
	alarms  alarms
	extras  sharedExtras

	paces map[string]*pace // by client; "": of clients without a Refresher

	ctx       context.Context //nolint:containedctx // of renewals, which belong to the vault and not to a caller
	stop      context.CancelFunc
	accepting context.Context //nolint:containedctx // ends when renewals that wait for their turn must not begin
	refuse    context.CancelFunc
	sweeping  sync.WaitGroup
	renewing  sync.WaitGroup
	closing   sync.Mutex // guards closed, and renewing.Add against Close
	closed    bool
}

// prefix begins the keys of the vault's records in the store.
const prefix = "token:"

// New returns a Vault. Close releases it.
//
// Errors: every problem of the Config, joined, each a *tokenapi.FieldError.
func New(config Config) (*Vault, error) {
	config = config.withDefaults()
	cache, err := config.open()
	if err != nil {
		return nil, err
	}
	v := &Vault{
		config:  config,
		holder:  rand.Text(),
		cache:   cache,
		records: records.NewKind(cache, prefix, recordCodec()),
		entries: sharded.NewMap[*cachedEntry](),
		alarms:  alarms{logger: config.Logger, raised: map[string]string{}},
		paces:   map[string]*pace{"": newPace(config.Timeout)},
	}
	for client := range config.Refreshers {
		v.paces[client] = newPace(config.Timeout)
	}
	v.ctx, v.stop = context.WithCancel(context.Background())
	v.accepting, v.refuse = context.WithCancel(v.ctx)
	v.sweeping.Go(v.sweep)
	return v, nil
}

// Format prints the vault's name and nothing that it keeps.
func (v *Vault) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "vault.Vault(%s)", v.holder) }

// Put keeps an entry under key and replaces the one there. A key whose entry
// was deleted stays empty.
//
// Errors: ErrNotFound for such a key, *UnavailableError, the context's, or
// every problem of the key and the entry, joined, those of the entry as
// *tokenapi.FieldError.
func (v *Vault) Put(ctx context.Context, key string, e Entry) error {
	return v.put(ctx, key, e, true)
}

func (v *Vault) put(ctx context.Context, key string, e Entry, replace bool) error {
	if err := v.check(key, e); err != nil {
		return err
	}
	if e.Until.IsZero() {
		e.Until = v.endOf(e.Client, v.config.Now())
	}
	_, err := v.records.Update(ctx, v.records.ID(key), func(old *records.Record[record]) (records.Record[record], error) {
		next := newRecord(e, v.storeNow(), v.storeAhead())
		if old != nil {
			if !old.Value.Taken.IsZero() {
				return *old, store.ErrDeleted
			}
			if !replace && !old.Value.Ended {
				return *old, errPresent
			}
			next.Generation = old.Value.Generation + 1
		}
		return records.Record[record]{Owner: v.owner(old, e.Owner), Expires: next.Until, Value: next}, nil
	})
	switch {
	case errors.Is(err, errPresent):
		return nil
	case err != nil:
		return storeError(ctx, err)
	}
	if e := v.cached(key); e.ref.Held() != nil { // not deleted since
		v.adopt(e)
	}
	return nil
}

// check joins what is wrong with an entry and its key.
func (v *Vault) check(key string, e Entry) error {
	p := checkconfig.Problems{Package: "vault: Put", Struct: "Entry"}
	if e.Token == nil {
		p.Add("Token", "is nil: set it to a token, or to the FirstToken of a Keeper")
	}
	if v.config.Refreshers[e.Client] == nil {
		p.Add("Client", "is %q: set it to a key of Config.Refreshers, which has %q", e.Client, slices.Sorted(maps.Keys(v.config.Refreshers)))
	}
	if key == "" {
		return errors.Join(errors.New("vault: Put: the key is empty"), p.Err())
	}
	return p.Err()
}

// Token returns a live token. It renews the token first if that has expired.
// The token's extras are those that [Entry] names, without the ID token, which
// [Vault.IDToken] returns.
//
// Errors: ErrNotFound, ErrEnded, *UnavailableError, or the context's.
func (v *Vault) Token(ctx context.Context, key string) (*oauth2.Token, error) {
	now := v.config.Now()
	if e := v.entries.Get(key); e != nil {
		if s := e.snapshot.Load(); s != nil && !passed(s.freshUntil, now) && e.ref.Current(s.stored) {
			return s.token, nil
		}
	}
	e, s, err := v.find(ctx, key)
	if err != nil {
		return nil, err
	}
	token, r, err := v.serve(ctx, e, s)
	switch {
	case err != nil:
		return v.fallback(ctx, e, nil, err)
	case r != nil:
		return v.wait(ctx, e, r, nil)
	}
	return token, nil
}

// Renew returns a token other than stale, which an API has refused before its
// time. It renews the token at once, unless stale is already replaced.
//
// Errors: as Token.
func (v *Vault) Renew(ctx context.Context, key string, stale *oauth2.Token) (*oauth2.Token, error) {
	e, s, err := v.find(ctx, key)
	switch {
	case err != nil:
		return nil, err
	case s.token.AccessToken != stale.AccessToken:
		return v.Token(ctx, key)
	}
	r, err := v.startRenewal(ctx, e, s, v.config.Now(), true)
	if err != nil {
		return nil, err
	}
	return v.wait(ctx, e, r, stale)
}

// Source returns the entry under key as a source of bearer tokens, for a
// Refresher that needs one token to get another. The source takes the token
// that an API has just refused and calls Renew, or takes nil and calls Token.
//
// If that Refresher belongs to this vault, make it before the vault, and let it
// call the source later.
func (v *Vault) Source(key string) tokenapi.Source {
	return func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if refused == nil {
			return v.Token(ctx, key)
		}
		return v.Renew(ctx, key, refused)
	}
}

// Live counts the entries in memory by client: those that this process used in
// about the last ten minutes and that have not ended. Its cost is their number.
func (v *Vault) Live() map[string]int {
	live := map[string]int{}
	now := v.storeNow()
	for e := range v.entries.All() {
		s := e.snapshot.Load()
		if s != nil && !e.ref.Dropped() && s.stored.Value.over() == nil && now.Before(s.stored.Value.Until) {
			live[s.stored.Value.Client]++
		}
	}
	return live
}

// Done returns a channel that is closed when the entry under key is deleted, by
// any process, and a function that ends the wait for it. Streams that outlive
// their request use it to end with the session.
//
// Errors: as Token.
func (v *Vault) Done(ctx context.Context, key string) (deleted <-chan struct{}, stop func(), err error) {
	for {
		e := v.cached(key)
		deleted, stop := e.ref.Listen() // before the read: a deletion during it is reported
		found, _, err := v.find(ctx, key)
		if err == nil && found == e {
			return deleted, stop, nil
		}
		stop()
		if err != nil {
			return nil, nil, err
		}
	}
}

// Close starts no more renewals and waits for those that have sent their refresh
// token, so that none of them loses it; they give their leases back. If ctx ends
// first, Close cancels them and returns ctx's error. An entry whose new token was
// not stored by then is lost, unless its State brings it back.
func (v *Vault) Close(ctx context.Context) error {
	v.closing.Lock()
	v.closed = true
	v.closing.Unlock()
	v.refuse()
	done := make(chan struct{})
	go func() { v.renewing.Wait(); close(done) }()
	defer v.release()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (v *Vault) release() {
	v.stop()
	v.sweeping.Wait()
	if v.config.Records == nil {
		v.cache.Close()
	}
}

// pace returns the pace of a client.
func (v *Vault) pace(client string) *pace { return cmp.Or(v.paces[client], v.paces[""]) }

// mayRenew reports whether a renewal may start. If it returns true, the caller
// calls renewing.Done later.
func (v *Vault) mayRenew() bool {
	v.closing.Lock()
	defer v.closing.Unlock()
	if !v.closed {
		v.renewing.Add(1)
	}
	return !v.closed
}

// owners returns the owners that the records of name may have. Unlike
// Kind.Owners it has one for the empty name, too: that of version 0.1.0.
func (v *Vault) owners(name string) []records.Owner {
	if name == "" {
		return []records.Owner{records.Owner(v.records.ID(""))}
	}
	return v.records.Owners(name)
}

// owner returns the owner to store an entry of name with. A record keeps the
// owner that it has, which may be one of an older key: the store refuses another.
func (v *Vault) owner(old *records.Record[record], name string) records.Owner {
	owners := v.owners(name)
	if old != nil && slices.Contains(owners, old.Owner) {
		return old.Owner
	}
	return owners[0]
}
