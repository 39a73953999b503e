package vault

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
)

// The simulation runs several vaults over one store on virtual time, with a token server that keeps B2Trader's rules (tokens
// of 30 seconds, refresh tokens that work once, no grace) at the price of a map access, so that thousands of lives fit into a
// test. The same protocol runs against a real IdentityServer's rules in the other tests.

// world is one seed's.
type world struct {
	t    *testing.T
	seed uint64
	odds odds

	disk   *memstore.Store
	key    Key
	server *tokenServer

	maxUses int // of an access token in each replica; 0: no bound

	mu       sync.Mutex
	calm     bool // no more faults
	outage   bool // of the store
	counts   map[string]int
	stored   map[string]bool         // access tokens that were ever stored
	newest   map[string]store.Record // by place, as last put
	sentOnce map[string]int          // how often each refresh token was sent
	uses     map[string]int          // how often each replica handed out each access token
	pending  map[string]bool         // sessions whose successor is issued and not stored
	excused  map[string]bool         // sessions that a fault without a cure may end
	broken   []string                // invariants that did not hold
	ended    int                     // sessions, seen by each replica
}

// odds are the chances of faults, out of 1000 for each call.
type odds struct {
	crash, pause, outage                         int
	lostRequest, lostAnswer, slow, busy, notSent int
}

// draw returns a number below n that depends on the seed and on what is asked, not on which goroutine runs first.
func (w *world) draw(n int, what ...any) int {
	name := fmt.Sprint(what...)
	w.mu.Lock()
	w.counts[name]++
	count := w.counts[name]
	w.mu.Unlock()
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, w.seed, name, count)
	return rand.New(rand.NewPCG(w.seed, h.Sum64())).IntN(n)
}

func (w *world) happens(chance int, what ...any) bool {
	w.mu.Lock()
	calm := w.calm
	w.mu.Unlock()
	return !calm && chance > 0 && w.draw(1000, what...) < chance
}

func (w *world) violated(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// excuse notes that a successor was lost, which only a state can replace.
func (w *world) excuse(session string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.excused[session] = true
}

// excusePending does so for what a process that crashes, is paused beyond its lease, or cannot reach the store may hold.
func (w *world) excusePending() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for session := range w.pending {
		w.excused[session] = true
	}
}

// failure of the token server, as identity.Error classifies its own.
type simError struct{ kind tokenapi.OutcomeKind }

func (e *simError) Error() string             { return e.kind.String() }
func (e *simError) Outcome() tokenapi.Outcome { return tokenapi.Outcome{Kind: e.kind} }

// tokenServer hands out tokens. A refresh token is its session's name and a number.
type tokenServer struct {
	*world
	mu      sync.Mutex
	issued  int
	valid   map[string]string // refresh token to session
	signed  map[string]bool   // sessions at the server, for Resume
	refresh int               // requests that arrived
	resumed int               // sessions that were
}

func (s *tokenServer) issue(session string) *oauth2.Token {
	s.issued++
	t := &oauth2.Token{AccessToken: fmt.Sprint("A-", session, "-", s.issued), RefreshToken: fmt.Sprint("R-", session, "-", s.issued), Expiry: time.Now().Add(30 * time.Second)}
	s.valid[t.RefreshToken] = session
	return t
}

func (s *tokenServer) signIn(session string) *oauth2.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed[session] = true
	return s.issue(session)
}

func (s *tokenServer) redeem(refreshToken string) (*oauth2.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh++
	session, ok := s.valid[refreshToken]
	if !ok {
		return nil, &simError{tokenapi.Refused}
	}
	delete(s.valid, refreshToken)
	return s.issue(session), nil
}

func (s *tokenServer) resume(session string) (*oauth2.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.signed[session] {
		return nil, &simError{tokenapi.Refused}
	}
	s.resumed++
	return s.issue(session), nil
}

// A replica is one process: a vault, its way to the store and its way to the server, all of which may fail.
type replica struct {
	*world
	name    string
	skew    time.Duration
	vault   *Vault
	paused  atomic.Int32 // calls that stand still
	mu      sync.Mutex
	crashed bool
}

func (w *world) start(name string, skew time.Duration) *replica {
	r := &replica{world: w, name: name, skew: skew}
	var err error
	r.vault, err = New(Config{
		Store: r, Keys: []Key{w.key}, Refreshers: map[string]Refresher{"spa": r}, Timeout: 45 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
		Now:    func() time.Time { return time.Now().Add(skew) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// kill ends a process without giving it a chance to say goodbye.
func (r *replica) kill() {
	r.mu.Lock()
	r.crashed = true
	r.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = r.vault.Close(ctx)
	r.vault.renewing.Wait()
}

func (r *replica) dead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.crashed
}

func (r *replica) die() {
	r.excusePending()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.crashed = true
}

var errAway = errors.New("away")

// step is a point at which a process may crash or be paused. A crashed process has no effect on the world any more.
func (r *replica) step(ctx context.Context, what string) error {
	if r.happens(r.odds.pause, r.name, "pause", what) {
		r.excusePending()
		r.paused.Add(1)
		select {
		case <-time.After(time.Duration(1+r.draw(60, r.name, "how long")) * time.Second):
		case <-r.vault.ctx.Done(): // a paused process that is killed
		}
		r.paused.Add(-1)
	}
	if r.happens(r.odds.crash, r.name, "crash", what) {
		r.die()
	}
	if r.dead() {
		return store.NewFault(ctx, what, errAway)
	}
	return nil
}

// around carries out an effect on the store, between two points at which the process may crash.
func (r *replica) around(ctx context.Context, what string, effect func() error) error {
	if err := r.step(ctx, what); err != nil {
		return err
	}
	r.world.mu.Lock()
	down := r.outage
	r.world.mu.Unlock()
	if down {
		return store.NewFault(ctx, what, errAway)
	}
	if err := effect(); err != nil {
		return err
	}
	return r.step(ctx, "after "+what)
}

func (r *replica) Get(ctx context.Context, key string) (found store.Record, err error) {
	err = r.around(ctx, "get", func() error { found, err = r.disk.Get(ctx, key); return err })
	return found, err
}

func (r *replica) Put(ctx context.Context, rec store.Record) (version uint64, err error) {
	err = r.around(ctx, "put", func() error {
		version, err = r.disk.Put(ctx, rec)
		if err == nil {
			rec.Version = version
			r.observe(rec)
		}
		return err
	})
	return version, err
}

// observe checks what reaches the store: a generation never goes back (I7).
func (w *world) observe(rec store.Record) {
	now, err := w.decode(rec)
	if err != nil {
		w.violated("an unreadable record was stored: %v", err)
		return
	}
	w.mu.Lock()
	var old record
	before, known := w.newest[rec.Key]
	if known {
		old, _ = w.decode(before)
	}
	w.stored[now.Access] = true
	if rec.Version > before.Version {
		w.newest[rec.Key] = rec
	} else {
		old, now = now, old // two writers came here in the other order
	}
	if now.Generation > old.Generation {
		delete(w.pending, now.Owner)
	}
	w.mu.Unlock()
	if old.Generation > now.Generation {
		w.violated("generation %d was overwritten by %d (I7)", old.Generation, now.Generation)
	}
}

// decode opens a record as it is stored.
func (w *world) decode(raw store.Record) (r record, err error) {
	plain, err := mustSealer(w.t, w.key).Open(raw.Key, raw.Value)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(plain, &r)
}

// placeOf returns where the record of key is in the store.
func placeOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return prefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

func mustSealer(t *testing.T, k Key) *Sealer {
	s, err := NewSealer([]Key{k})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *replica) Delete(ctx context.Context, key string) error {
	return r.around(ctx, "delete", func() error { return r.disk.Delete(ctx, key) })
}

func (r *replica) List(ctx context.Context, owner string) (found []store.Record, err error) {
	err = r.around(ctx, "list", func() error { found, err = r.disk.List(ctx, owner); return err })
	return found, err
}

func (r *replica) Watch(ctx context.Context) iter.Seq[store.Event] { return r.disk.Watch(ctx) }

// MaxUses bounds the uses of a token in some worlds.
func (r *replica) MaxUses() int { return r.maxUses }

// Refresh sends a refresh token through a network that may lose either way.
func (r *replica) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	session := sessionOf(old.RefreshToken)
	if err := r.travel(ctx, session); err != nil {
		return nil, err
	}
	token, err := r.server.redeem(old.RefreshToken)
	r.world.mu.Lock()
	r.sentOnce[old.RefreshToken]++
	if err == nil {
		r.pending[session] = true
		r.excused[session] = r.excused[session] || r.outage || r.paused.Load() > 0
	}
	r.world.mu.Unlock()
	return r.answer(ctx, session, token, err)
}

// ResumeBinary signs in again without a password.
func (r *replica) ResumeBinary(ctx context.Context, state []byte) (*oauth2.Token, []byte, error) {
	session := string(state)
	if err := r.travel(ctx, session); err != nil {
		return nil, nil, err
	}
	token, err := r.server.resume(session)
	token, err = r.answer(ctx, session, token, err)
	return token, state, err
}

// travel is the way to the server.
func (r *replica) travel(ctx context.Context, session string) error {
	if r.step(ctx, "send") != nil {
		return &simError{tokenapi.Transient}
	}
	switch {
	case r.happens(r.odds.notSent, session, "not sent"):
		return &simError{tokenapi.NotSent}
	case r.happens(r.odds.busy, session, "busy"):
		return &simError{tokenapi.Transient}
	case r.happens(r.odds.slow, session, "slow") && !r.wait(ctx, session):
		return &simError{tokenapi.Unanswered}
	case r.happens(r.odds.lostRequest, session, "lost request"):
		return &simError{tokenapi.Unanswered}
	}
	return nil
}

// answer is the way back.
func (r *replica) answer(ctx context.Context, session string, token *oauth2.Token, err error) (*oauth2.Token, error) {
	if r.happens(r.odds.slow, session, "slow") && !r.wait(ctx, session) || r.happens(r.odds.lostAnswer, session, "lost answer") {
		r.excuse(session)
		return nil, &simError{tokenapi.Unanswered}
	}
	if r.step(ctx, "answer") != nil {
		r.excuse(session)
		return nil, &simError{tokenapi.Unanswered}
	}
	return token, err
}

// wait is a server that takes its time, up to far beyond every lease. It reports false if the caller gave up.
func (r *replica) wait(ctx context.Context, session string) bool {
	select {
	case <-time.After(time.Duration(r.draw(60, session, "how slow")) * time.Second):
		return true
	case <-ctx.Done():
		return false
	}
}

func sessionOf(refreshToken string) string {
	var session, n int
	_, _ = fmt.Sscanf(refreshToken, "R-%d-%d", &session, &n)
	return strconv.Itoa(session)
}
