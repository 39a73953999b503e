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
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
)

// A simulation is one seed: several vaults over one store on virtual time, and
// a token server with B2Trader's rules (tokens of 30 seconds, refresh tokens
// that work once, no grace period). Its calls cost a map access, so a test can
// run thousands of seeds. The other tests run the protocol against an
// IdentityServer.
type simulation struct {
	t         *testing.T
	seed      uint64
	faultOdds faultOdds

	disk   *memstore.Store
	key    Key
	server *tokenServer

	maxUses int // of an access token in each replica; 0: unlimited

	mu       sync.Mutex
	calm     bool // no more faults
	outage   bool // of the store
	counts   map[string]int
	stored   map[string]bool         // access tokens that were ever stored
	newest   map[string]store.Record // by key, as last put
	sentOnce map[string]int          // how often each refresh token was sent
	uses     map[string]int          // how often each replica handed out each access token
	pending  map[string]bool         // sessions whose successor is issued and not stored
	excused  map[string]bool         // sessions that a fault may end
	broken   []string                // invariants that did not hold
	ended    int                     // sessions, seen by each replica
}

// faultOdds are the chances of faults in 1000 calls.
type faultOdds struct {
	crash, pause, outage                         int
	lostRequest, lostAnswer, slow, busy, notSent int
}

// draw returns a number below n that depends on the seed, on what it is for and
// on earlier draws for that, but not on the order of goroutines.
func (sim *simulation) draw(n int, what ...any) int {
	name := fmt.Sprint(what...)
	sim.mu.Lock()
	sim.counts[name]++
	count := sim.counts[name]
	sim.mu.Unlock()
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, sim.seed, name, count)
	return rand.New(rand.NewPCG(sim.seed, h.Sum64())).IntN(n)
}

func (sim *simulation) happens(chance int, what ...any) bool {
	sim.mu.Lock()
	calm := sim.calm
	sim.mu.Unlock()
	return !calm && chance > 0 && sim.draw(1000, what...) < chance
}

func (sim *simulation) violated(format string, args ...any) {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	sim.broken = append(sim.broken, fmt.Sprintf(format, args...))
}

// excuse notes that a successor was lost, which only a State can replace.
func (sim *simulation) excuse(session string) {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	sim.excused[session] = true
}

// excusePending excuses the sessions whose successor is not stored yet: a
// process that crashes, is paused or cannot reach the store may lose it.
func (sim *simulation) excusePending() {
	sim.mu.Lock()
	defer sim.mu.Unlock()
	for session := range sim.pending {
		sim.excused[session] = true
	}
}

// A simError is a failure of the token server.
type simError struct{ kind tokenapi.OutcomeKind }

func (e *simError) Error() string             { return e.kind.String() }
func (e *simError) Outcome() tokenapi.Outcome { return tokenapi.Outcome{Kind: e.kind} }

// A tokenServer issues tokens. A refresh token is its session's name and a
// number.
type tokenServer struct {
	*simulation
	mu      sync.Mutex
	issued  int
	valid   map[string]string    // refresh token to session
	expiry  map[string]time.Time // of access tokens
	signed  map[string]bool      // sessions at the server, for Resume
	refresh int                  // requests received
	resumed int                  // sessions that were
}

func (s *tokenServer) issue(session string) *oauth2.Token {
	s.issued++
	t := &oauth2.Token{AccessToken: fmt.Sprint("A-", session, "-", s.issued), RefreshToken: fmt.Sprint("R-", session, "-", s.issued), Expiry: time.Now().Add(30 * time.Second)}
	s.valid[t.RefreshToken], s.expiry[t.AccessToken] = session, t.Expiry
	return t
}

func (s *tokenServer) signIn(session string) *oauth2.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed[session] = true
	return s.issue(session)
}

// left returns how long an access token still lives.
func (s *tokenServer) left(access string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Until(s.expiry[access])
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

// A replica is one process: a vault with its ways to the store and to the
// server, all of which may fail.
type replica struct {
	*simulation
	name    string
	skew    time.Duration
	vault   *Vault
	paused  atomic.Int32 // calls that wait
	mu      sync.Mutex
	crashed bool
}

func (sim *simulation) start(name string, skew time.Duration) *replica {
	r := &replica{simulation: sim, name: name, skew: skew}
	var err error
	r.vault, err = New(Config{
		Store: r, Keys: []Key{sim.key}, Refreshers: map[string]Refresher{"spa": r}, Timeout: 45 * time.Second,
		Logger: slog.New(slog.DiscardHandler),
		Now:    func() time.Time { return time.Now().Add(skew) },
	})
	if err != nil {
		sim.t.Fatal(err)
	}
	if sim.seed%3 == 0 {
		r.vault.paces["spa"].limit = 1 // renewals wait for each other
	}
	return r
}

// kill ends a process without a graceful stop.
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

// step is a point at which a process may crash or be paused. The calls of a
// crashed process fail.
func (r *replica) step(ctx context.Context, what string) error {
	if r.happens(r.faultOdds.pause, r.name, "pause", what) {
		r.excusePending()
		r.paused.Add(1)
		select {
		case <-time.After(time.Duration(1+r.draw(60, r.name, "how long")) * time.Second):
		case <-r.vault.ctx.Done(): // killed while paused
		}
		r.paused.Add(-1)
	}
	if r.happens(r.faultOdds.crash, r.name, "crash", what) {
		r.die()
	}
	if r.dead() {
		return store.NewFault(ctx, what, errAway)
	}
	return nil
}

// around runs an effect on the store between two steps.
func (r *replica) around(ctx context.Context, what string, effect func() error) error {
	if err := r.step(ctx, what); err != nil {
		return err
	}
	r.simulation.mu.Lock()
	down := r.outage
	r.simulation.mu.Unlock()
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
func (sim *simulation) observe(rec store.Record) {
	now, err := sim.decode(rec)
	if err != nil {
		sim.violated("an unreadable record was stored: %v", err)
		return
	}
	sim.mu.Lock()
	var old record
	before, known := sim.newest[rec.Key]
	if known {
		old, _ = sim.decode(before)
	}
	sim.stored[now.Access] = true
	if rec.Version > before.Version {
		sim.newest[rec.Key] = rec
	} else {
		old, now = now, old // two writers arrived here in the other order
	}
	if now.Generation > old.Generation {
		delete(sim.pending, now.Owner)
	}
	sim.mu.Unlock()
	if old.Generation > now.Generation {
		sim.violated("generation %d was overwritten by %d (I7)", old.Generation, now.Generation)
	}
}

// decode opens a record as it is stored.
func (sim *simulation) decode(raw store.Record) (r record, err error) {
	plain, err := mustSealer(sim.t, sim.key).Open(raw.Key, raw.Value)
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

func mustSealer(t *testing.T, k Key) *records.Sealer {
	s, err := records.NewSealer([]Key{k})
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

// Time tells the time of the store. The clocks of the replicas differ from it.
func (r *replica) Time(ctx context.Context) (now time.Time, err error) {
	r.simulation.mu.Lock()
	down := r.outage
	r.simulation.mu.Unlock()
	if down || r.dead() {
		return now, store.NewFault(ctx, "time", errAway)
	}
	return r.disk.Time(ctx)
}

func (r *replica) Watch(ctx context.Context) iter.Seq[store.Event] { return r.disk.Watch(ctx) }

// MaxUses limits the uses of a token in some seeds.
func (r *replica) MaxUses() int { return r.maxUses }

// Refresh sends a refresh token through a network that may lose the request or
// the answer.
func (r *replica) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	session := sessionOf(old.RefreshToken)
	if err := r.travel(ctx, session); err != nil {
		return nil, err
	}
	token, err := r.server.redeem(old.RefreshToken)
	r.simulation.mu.Lock()
	r.sentOnce[old.RefreshToken]++
	if err == nil {
		r.pending[session] = true
		r.excused[session] = r.excused[session] || r.outage || r.paused.Load() > 0
	}
	r.simulation.mu.Unlock()
	return r.answer(ctx, session, token, err)
}

// ResumeBinary gets tokens from the State.
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
	case r.happens(r.faultOdds.notSent, session, "not sent"):
		return &simError{tokenapi.NotSent}
	case r.happens(r.faultOdds.busy, session, "busy"):
		return &simError{tokenapi.Transient}
	case r.happens(r.faultOdds.slow, session, "slow") && !r.wait(ctx, session):
		return &simError{tokenapi.Unanswered}
	case r.happens(r.faultOdds.lostRequest, session, "lost request"):
		return &simError{tokenapi.Unanswered}
	}
	return nil
}

// answer is the way back.
func (r *replica) answer(ctx context.Context, session string, token *oauth2.Token, err error) (*oauth2.Token, error) {
	if r.happens(r.faultOdds.slow, session, "slow") && !r.wait(ctx, session) || r.happens(r.faultOdds.lostAnswer, session, "lost answer") {
		r.excuse(session)
		return nil, &simError{tokenapi.Unanswered}
	}
	if r.step(ctx, "answer") != nil {
		r.excuse(session)
		return nil, &simError{tokenapi.Unanswered}
	}
	return r.received(token), err
}

// received returns a token as the client of this process does: it expires by the
// process's own clock.
func (r *replica) received(token *oauth2.Token) *oauth2.Token {
	if token == nil {
		return nil
	}
	own := *token
	own.Expiry = own.Expiry.Add(r.skew)
	return &own
}

// wait is a slow server, up to far beyond every lease. It returns false if the
// caller gave up.
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
