package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
)

// A Vault keeps entries. It is safe for concurrent use.
type Vault struct {
	config Config
	shelf  *shelf
	holder string // of leases: this vault, in this run of this process
	index  *index

	live  atomic.Uint64 // the epoch of the watch; 0 while it is interrupted
	epoch uint64        // counts the times that the watch began; of the watch's goroutine

	ctx     context.Context //nolint:containedctx // of the renewals, which belong to the vault and not to a caller
	stop    context.CancelFunc
	loops   sync.WaitGroup // watch and sweep
	running sync.WaitGroup // renewals and reads
	closing sync.Mutex     // guards closed, and running.Add against Close
	closed  bool
}

// prefix keeps the vault's records apart from others in the same store.
const prefix = "token:"

// New returns a Vault that watches its store until Close. Its error joins every problem of the Config.
func New(config Config) (*Vault, error) {
	config = config.withDefaults()
	sealer, err := NewSealer(config.Keys)
	if err := errors.Join(config.validate(), err); err != nil {
		return nil, err
	}
	v := &Vault{
		config: config,
		shelf:  &shelf{store: config.Store, sealer: sealer, prefix: prefix},
		holder: rand.Text(),
		index:  newIndex(),
	}
	v.ctx, v.stop = context.WithCancel(context.Background())
	v.loops.Add(2)
	go v.watch()
	go v.sweep()
	return v, nil
}

// Format prints the vault's name for itself.
func (v *Vault) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "vault.Vault(%s)", v.holder) }

// Put keeps an entry under key, in place of any other. A key whose entry was deleted stays empty.
//
// Errors: ErrNotFound for such a key, *UnavailableError, the context's, or what the entry lacks.
func (v *Vault) Put(ctx context.Context, key string, e Entry) error {
	if key == "" || e.Token == nil || v.config.Refreshers[e.Client] == nil {
		return fmt.Errorf("vault: an entry needs a key, a token, and a client that the vault knows (this one has %q)", e.Client)
	}
	now := v.config.Now()
	if e.Until.IsZero() {
		e.Until = now.Add(defaultLife)
	}
	s := v.index.ensure(key, v.shelf.place(key))
	for {
		r, version := newRecord(e, now), uint64(0)
		old, oldVersion, err := v.shelf.get(ctx, s.place)
		switch {
		case err == nil:
			r.Generation, version = old.Generation+1, oldVersion
		case !errors.Is(err, store.ErrNotFound):
			return v.refuse(s, err)
		}
		epoch := v.live.Load()
		version, err = v.shelf.put(ctx, s.place, r, version)
		switch {
		case err == nil:
			s.install(v.hold(r, version, epoch))
			return nil
		case !errors.Is(err, store.ErrConflict):
			return v.refuse(s, err)
		}
	}
}

// refuse turns a store's answer into the vault's.
func (v *Vault) refuse(s *slot, err error) error {
	switch {
	case gone(err):
		v.end(s)
		return ErrNotFound
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return unavailable(err)
}

// Token returns a live token, renewing it if need be.
//
// Errors: ErrNotFound, ErrEnded, *UnavailableError, or the context's.
func (v *Vault) Token(ctx context.Context, key string) (*oauth2.Token, error) {
	now := v.config.Now()
	if s := v.index.get(key); s != nil {
		if h := s.held.Load(); v.current(s, h) && now.Before(h.renewAt) && h.budget == nil && !h.record.Dead {
			return h.token, nil
		}
	}
	s, h, err := v.look(ctx, key)
	if err != nil {
		return nil, err
	}
	token, f, err := v.take(s, h)
	switch {
	case err != nil:
		return v.living(ctx, s, nil, err)
	case f != nil:
		return v.wait(ctx, s, f, nil)
	}
	return token, nil
}

// Renew returns a token other than stale, which an API has refused although it should be good. It is renewed at once
// unless it is older than what the vault holds.
//
// Errors: as Token.
func (v *Vault) Renew(ctx context.Context, key string, stale *oauth2.Token) (*oauth2.Token, error) {
	s, h, err := v.look(ctx, key)
	switch {
	case err != nil:
		return nil, err
	case h.token.AccessToken != stale.AccessToken:
		return v.Token(ctx, key)
	}
	f, err := v.join(s, h, v.config.Now())
	if err != nil {
		return nil, err
	}
	return v.wait(ctx, s, f, stale)
}

// Source returns the entry under key as a source of bearer tokens, for a client that needs a token to get tokens. The
// source is asked with the token that an API has just refused, which it answers as Renew, or with nil, as Token.
//
// If that client is itself a Refresher of this vault, it is made before the vault: its own source then calls this one.
func (v *Vault) Source(key string) func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
	return func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if refused == nil {
			return v.Token(ctx, key)
		}
		return v.Renew(ctx, key, refused)
	}
}

// Live counts, by client, the entries that this process has in memory: those that it was asked for within the last ten minutes or so,
// which have not ended. Its cost is their number.
func (v *Vault) Live() map[string]int {
	live := map[string]int{}
	now := v.config.Now()
	v.index.each(func(s *slot) {
		if h := s.held.Load(); h != nil && !h.record.Dead && now.Before(h.record.Until) {
			live[h.record.Client]++
		}
	})
	return live
}

// Done returns a channel that is closed when the entry under key is deleted, by whatever process, and a function
// that says that the caller no longer listens. Streams that live longer than a request end by it.
//
// Errors: as Token.
func (v *Vault) Done(ctx context.Context, key string) (<-chan struct{}, func(), error) {
	s, _, err := v.look(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	listen := func(by int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.watchers += by
	}
	listen(1)
	return s.gone, sync.OnceFunc(func() { listen(-1) }), nil
}

// Delete ends the entry under key and returns it, for its token to be revoked. A renewal under way
// cannot bring it back, in whatever process it is: what that still yields goes to Config.Revoke. The entry then has no
// Token, for its refresh token is being spent.
//
// Errors: ErrNotFound; *UnavailableError or the context's, after which the entry may still be there.
func (v *Vault) Delete(ctx context.Context, key string) (Entry, error) {
	s := v.index.ensure(key, v.shelf.place(key))
	r, _, err := v.shelf.get(ctx, s.place)
	if gone(err) {
		v.end(s)
		return Entry{}, ErrNotFound
	}
	if err := v.shelf.store.Delete(ctx, s.place); err != nil {
		return Entry{}, v.refuse(s, err)
	}
	v.end(s)
	if err != nil { // deleted all the same, though there is nothing to revoke
		return Entry{}, nil //nolint:nilerr // the deletion is what was asked for
	}
	e := r.entry()
	if r.Lease != nil && v.config.Now().Before(r.Lease.Until) {
		e.Token = nil
	}
	return e, nil
}

// DeleteOwner ends every entry of an owner and says how many there were. Its cost is theirs.
//
// Errors: *UnavailableError or the context's, after which some entries may still be there.
func (v *Vault) DeleteOwner(ctx context.Context, owner string) (int, error) {
	records, err := v.shelf.store.List(ctx, v.shelf.prefix+hashed(owner))
	if err != nil {
		return 0, unavailable(err)
	}
	ended := 0
	for _, r := range records {
		if err := v.shelf.store.Delete(ctx, r.Key); err != nil {
			return ended, unavailable(err)
		}
		if s := v.index.at(r.Key); s != nil {
			v.end(s)
		}
		ended++
	}
	return ended, nil
}

// Close starts no more renewals and waits for those under way, so that no refresh token is spent in vain; their leases
// are given back. If ctx ends first, they are cancelled and its error is returned.
func (v *Vault) Close(ctx context.Context) error {
	v.closing.Lock()
	v.closed = true
	v.closing.Unlock()
	done := make(chan struct{})
	go func() { v.running.Wait(); close(done) }()
	defer v.loops.Wait()
	defer v.stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin reports whether work may start; whoever it tells so calls running.Done.
func (v *Vault) begin() bool {
	v.closing.Lock()
	defer v.closing.Unlock()
	if !v.closed {
		v.running.Add(1)
	}
	return !v.closed
}
