package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
)

// seeds is how many lives the simulation lives; B2TRADER_SIM_SEEDS says otherwise, B2TRADER_SIM_FIRST where it begins.
func seeds(t *testing.T) (first, count uint64) {
	first, count = 1, 1000
	if testing.Short() {
		count = 100
	}
	for name, v := range map[string]*uint64{"B2TRADER_SIM_FIRST": &first, "B2TRADER_SIM_SEEDS": &count} {
		if s := os.Getenv(name); s != "" {
			n, err := strconv.ParseUint(s, 10, 64)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			*v = n
		}
	}
	return first, count
}

// TestSimulation lets replicas crash between any two steps, be paused beyond their leases and lose answers, and checks that no
// session is lost that could have been kept. On failure it prints the seed:
//
//	B2TRADER_SIM_FIRST=<seed> B2TRADER_SIM_SEEDS=1 go test -run TestSimulation ./identity/vault
func TestSimulation(t *testing.T) {
	first, count := seeds(t)
	stats := map[string]int{}
	for seed := first; seed < first+count; seed++ {
		synctest.Test(t, func(t *testing.T) {
			w := live(t, seed)
			for _, b := range w.broken {
				t.Errorf("seed %d: %s", seed, b)
			}
			stats["sessions"] += sessionsPerSeed
			stats["refresh requests"] += w.server.refresh
			stats["ended for want of a state"] += w.ended
			stats["resumed"] += w.server.resumed
		})
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Log(count, "seeds:", stats)
}

const (
	replicasPerSeed = 3
	sessionsPerSeed = 6
	stepsPerSeed    = 60
)

// climates are the worlds that seeds live in.
var climates = []odds{
	{}, // without faults the counts must be exact
	{crash: 8, pause: 4, outage: 30, lostRequest: 60, lostAnswer: 60, slow: 120, busy: 80, notSent: 60}, // storm
	{lostRequest: 60, slow: 150, busy: 150, notSent: 100},                                               // a bad server: no excuse for any end
	{crash: 2, pause: 1, outage: 5, lostAnswer: 5, slow: 20},                                            // now and then
	{crash: 15},  // processes that die
	{pause: 15},  // processes that stand still
	{outage: 80}, // a store that comes and goes
}

// live lives one seed.
func live(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, seed: seed, disk: memstore.New(), key: NewKey("k"),
		counts: map[string]int{}, stored: map[string]bool{}, newest: map[string]store.Record{}, sentOnce: map[string]int{}, pending: map[string]bool{}, excused: map[string]bool{}, uses: map[string]int{},
	}
	w.server = &tokenServer{world: w, valid: map[string]string{}, signed: map[string]bool{}}
	defer func() { _ = w.disk.Close() }()
	w.odds = climates[seed%uint64(len(climates))]
	w.maxUses = []int{0, 0, 1, 2}[seed/uint64(len(climates))%4]
	replicas := make([]*replica, replicasPerSeed)
	for i := range replicas {
		replicas[i] = w.start(fmt.Sprint("replica", i), time.Duration(w.draw(4001, "skew")-2000)*time.Millisecond)
	}
	sessions := w.signInAll(replicas[0])
	var callers sync.WaitGroup
	for range stepsPerSeed {
		w.weather(replicas)
		<-time.After(time.Duration(w.draw(12000, "pass")) * time.Millisecond)
		s, r := sessions[w.draw(len(sessions), "session")], replicas[w.draw(len(replicas), "replica")]
		if w.draw(100, "sign out") == 0 {
			s.signOut(r)
			continue
		}
		for range 1 + w.draw(4, "callers") {
			callers.Go(func() { s.use(r) })
		}
	}
	callers.Wait()
	w.settle(replicas, sessions)
	for _, r := range replicas {
		r.kill()
	}
	return w
}

// weather crashes, restarts, and takes the store away or gives it back.
func (w *world) weather(replicas []*replica) {
	for i, r := range replicas {
		if r.dead() {
			r.kill()
			replicas[i] = w.start(r.name, r.skew)
		}
	}
	flip := w.happens(w.odds.outage, "outage") || w.outage && w.draw(3, "heal") == 0
	if !flip {
		return
	}
	w.excusePending()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outage = !w.outage
}

// A life is one session as its user sees it.
type life struct {
	*world
	key     string
	state   []byte // nil: nothing can replace a lost refresh token
	mu      sync.Mutex
	leaving bool // a sign-out has begun
	signed  bool // out
}

func (w *world) signInAll(r *replica) []*life {
	var lives []*life
	for i := range sessionsPerSeed {
		s := &life{world: w, key: strconv.Itoa(i)}
		if i%3 != 0 {
			s.state = []byte(s.key)
		}
		w.mu.Lock()
		w.calm = true // signing in is not what is simulated
		w.mu.Unlock()
		err := r.vault.Put(context.Background(), s.key, Entry{Owner: s.key, Client: "spa", Token: w.server.signIn(s.key), State: s.state})
		if err != nil {
			w.t.Fatal(err)
		}
		w.mu.Lock()
		w.calm = false
		w.mu.Unlock()
		lives = append(lives, s)
	}
	return lives
}

// use asks for a token as a request does, and judges the answer.
func (s *life) use(r *replica) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+s.draw(30, s.key, "patience"))*time.Second)
	defer cancel()
	s.mu.Lock()
	out := s.signed
	s.mu.Unlock()
	token, err := r.vault.Token(ctx, s.key)
	if r.dead() {
		return // nobody gets an answer from a dead process
	}
	_, away := errors.AsType[*UnavailableError](err)
	switch {
	case err == nil && out:
		s.violated("session %s: a token after sign-out (I6)", s.key)
	case err == nil:
		s.judge(token.AccessToken, token.Expiry.Sub(r.vault.config.Now()))
		s.world.mu.Lock()
		s.uses[r.name+" "+token.AccessToken]++
		s.world.mu.Unlock()
	case errors.Is(err, ErrNotFound):
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.leaving {
			s.violated("session %s is gone, and nobody signed out", s.key)
		}
	case errors.Is(err, ErrEnded):
		s.mayHaveEnded()
	case away, errors.Is(err, context.DeadlineExceeded):
	default:
		s.violated("session %s: an untyped error: %v", s.key, err)
	}
}

// judge checks a token that was handed out: it was stored before (step 4), and lives, by clocks that differ by a few seconds.
func (s *life) judge(access string, left time.Duration) {
	if !s.isStored(access) {
		s.violated("session %s: a token was handed out before it was stored", s.key)
	}
	if left < -5*time.Second {
		s.violated("session %s: a token was handed out %v after its end", s.key, -left)
	}
}

// isStored looks on the disk itself, for another replica may see a record before the one that wrote it has noted it down.
func (s *life) isStored(access string) bool {
	raw, err := s.disk.Get(context.Background(), placeOf(s.key))
	if err == nil {
		if r, err := s.decode(raw); err == nil && r.Access == access {
			return true
		}
	}
	s.world.mu.Lock()
	defer s.world.mu.Unlock()
	return s.stored[access]
}

// mayHaveEnded is an end that only a lost answer without a state explains.
func (s *life) mayHaveEnded() {
	s.world.mu.Lock()
	excused := s.excused[s.key]
	s.world.mu.Unlock()
	if s.state != nil || !excused {
		s.violated("session %s ended, and could have been kept", s.key)
	}
}

// signOut ends the session. Whether a call that failed did so, the disk tells.
func (s *life) signOut(r *replica) {
	s.mu.Lock()
	s.leaving = true
	s.mu.Unlock()
	_, _ = r.vault.Delete(context.Background(), s.key)
	_, err := s.disk.Get(context.Background(), placeOf(s.key))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed = errors.Is(err, store.ErrDeleted)
}

// settle ends all faults, and checks that every session lives that can.
func (w *world) settle(replicas []*replica, lives []*life) {
	w.mu.Lock()
	w.calm, w.outage = true, false
	w.mu.Unlock()
	<-time.After(5 * time.Minute) // beyond every pause, lease and request
	w.weather(replicas)
	for _, s := range lives {
		for _, r := range replicas {
			s.mu.Lock()
			out := s.signed
			s.mu.Unlock()
			_, err := r.vault.Token(context.Background(), s.key)
			switch {
			case out && err == nil:
				w.violated("session %s lives after sign-out (I6)", s.key)
			case !out && errors.Is(err, ErrEnded):
				s.mayHaveEnded()
				w.ended++
			case !out && err != nil:
				w.violated("session %s did not recover: %v", s.key, err)
			}
		}
	}
	synctest.Wait() // for renewals in the background
	if w.odds == (odds{}) {
		for token, n := range w.sentOnce {
			if n != 1 {
				w.violated("without faults, %s was sent %d times (I1)", token, n)
			}
		}
		for use, n := range w.uses {
			if w.maxUses > 0 && n > w.maxUses {
				w.violated("without faults, %s was used %d times of %d", use, n, w.maxUses)
			}
		}
	}
}
