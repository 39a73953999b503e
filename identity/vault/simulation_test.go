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

// seeds returns the first seed and their number, by default 1 and 200, or what
// B2TRADER_SIM_FIRST and B2TRADER_SIM_SEEDS say. .ci/run asks for 1000.
func seeds(t *testing.T) (first, count uint64) {
	first, count = 1, 200
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

// TestSimulation runs replicas that crash between any two steps, are paused
// beyond their leases and lose answers. It checks that no session is lost that
// could have been kept. On failure it prints the seed:
//
//	B2TRADER_SIM_FIRST=<seed> B2TRADER_SIM_SEEDS=1 go test -run TestSimulation ./identity/vault
func TestSimulation(t *testing.T) {
	first, count := seeds(t)
	stats := map[string]int{}
	for seed := first; seed < first+count; seed++ {
		synctest.Test(t, func(t *testing.T) {
			sim := simulate(t, seed)
			for _, b := range sim.broken {
				t.Errorf("seed %d: %s", seed, b)
			}
			stats["sessions"] += sessionsPerSeed
			stats["refresh requests"] += sim.server.refresh
			stats["ended for want of a state"] += sim.ended
			stats["resumed"] += sim.server.resumed
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

// faultProfiles are the kinds of faults that seeds choose from.
var faultProfiles = []faultOdds{
	{}, // no faults: the counts must be exact
	{crash: 8, pause: 4, outage: 30, lostRequest: 60, lostAnswer: 60, slow: 120, busy: 80, notSent: 60}, // all faults
	{lostRequest: 60, slow: 150, busy: 150, notSent: 100},                                               // a bad server, which may end no session
	{crash: 2, pause: 1, outage: 5, lostAnswer: 5, slow: 20},                                            // a few faults
	{crash: 15},  // processes crash
	{pause: 15},  // processes are paused
	{outage: 80}, // the store fails and recovers
}

// simulate runs one seed.
func simulate(t *testing.T, seed uint64) *simulation {
	sim := &simulation{
		t: t, seed: seed, disk: memstore.New(), key: NewKey("k"),
		counts: map[string]int{}, stored: map[string]bool{}, newest: map[string]store.Record{}, sentOnce: map[string]int{}, pending: map[string]bool{}, excused: map[string]bool{}, uses: map[string]int{},
	}
	sim.server = &tokenServer{simulation: sim, valid: map[string]string{}, expiry: map[string]time.Time{}, signed: map[string]bool{}}
	defer func() { _ = sim.disk.Close() }()
	sim.faultOdds = faultProfiles[seed%uint64(len(faultProfiles))]
	sim.maxUses = []int{0, 0, 1, 2}[seed/uint64(len(faultProfiles))%4]
	replicas := make([]*replica, replicasPerSeed)
	for i := range replicas {
		replicas[i] = sim.start(fmt.Sprint("replica", i), time.Duration(sim.draw(10*60_000+1, "skew")-5*60_000)*time.Millisecond) // field 12
	}
	sessions := sim.signInAll(replicas[0])
	var callers sync.WaitGroup
	for range stepsPerSeed {
		sim.injectFaults(replicas)
		<-time.After(time.Duration(sim.draw(12000, "pass")) * time.Millisecond)
		s, r := sessions[sim.draw(len(sessions), "session")], replicas[sim.draw(len(replicas), "replica")]
		if sim.draw(100, "sign out") == 0 {
			s.signOut(r)
			continue
		}
		for range 1 + sim.draw(4, "callers") {
			callers.Go(func() { s.use(r) })
		}
	}
	callers.Wait()
	sim.checkRecovery(replicas, sessions)
	for _, r := range replicas {
		r.kill()
	}
	return sim
}

// injectFaults restarts crashed replicas, and begins or ends outages of the
// store.
func (sim *simulation) injectFaults(replicas []*replica) {
	for i, r := range replicas {
		if r.dead() {
			r.kill()
			replicas[i] = sim.start(r.name, r.skew)
		}
	}
	flip := sim.happens(sim.faultOdds.outage, "outage") || sim.outage && sim.draw(3, "heal") == 0
	if !flip {
		return
	}
	sim.excusePending()
	sim.mu.Lock()
	defer sim.mu.Unlock()
	sim.outage = !sim.outage
}

// A simSession is one session as its user sees it.
type simSession struct {
	*simulation
	key     string
	state   []byte // nil: a lost refresh token ends the session
	mu      sync.Mutex
	leaving bool // a sign-out has begun
	signed  bool // out
}

func (sim *simulation) signInAll(r *replica) []*simSession {
	var sessions []*simSession
	for i := range sessionsPerSeed {
		s := &simSession{simulation: sim, key: strconv.Itoa(i)}
		if i%3 != 0 {
			s.state = []byte(s.key)
		}
		sim.mu.Lock()
		sim.calm = true // signing in is not simulated
		sim.mu.Unlock()
		err := r.vault.Put(context.Background(), s.key, Entry{Owner: s.key, Client: "spa", Token: r.received(sim.server.signIn(s.key)), State: s.state})
		if err != nil {
			sim.t.Fatal(err)
		}
		sim.mu.Lock()
		sim.calm = false
		sim.mu.Unlock()
		sessions = append(sessions, s)
	}
	return sessions
}

// use calls Token as a request does, and checks the answer.
func (s *simSession) use(r *replica) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+s.draw(30, s.key, "patience"))*time.Second)
	defer cancel()
	s.mu.Lock()
	out := s.signed
	s.mu.Unlock()
	token, err := r.vault.Token(ctx, s.key)
	if r.dead() {
		return // a crashed process does not answer
	}
	_, away := errors.AsType[*UnavailableError](err)
	switch {
	case err == nil && out:
		s.violated("session %s: a token after sign-out (I6)", s.key)
	case err == nil:
		s.checkToken(token.AccessToken)
		s.simulation.mu.Lock()
		s.uses[r.name+" "+token.AccessToken]++
		s.simulation.mu.Unlock()
	case errors.Is(err, ErrNotFound):
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.leaving {
			s.violated("session %s is not found, without a sign-out", s.key)
		}
	case errors.Is(err, ErrEnded):
		s.mayHaveEnded()
	case away, errors.Is(err, context.DeadlineExceeded):
	default:
		s.violated("session %s: an untyped error: %v", s.key, err)
	}
}

// checkToken checks that a token was stored before a caller got it (step 4), and
// that it is alive, whatever the clocks of the processes are. field 12
func (s *simSession) checkToken(access string) {
	if !s.isStored(access) {
		s.violated("session %s: a caller got a token that is not stored", s.key)
	}
	if left := s.server.left(access); left <= 0 {
		s.violated("session %s: a caller got a token %v after its expiry", s.key, -left)
	}
}

// isStored reads the store itself, because another replica may see a record
// before its writer has noted it.
func (s *simSession) isStored(access string) bool {
	raw, err := s.disk.Get(context.Background(), placeOf(s.key))
	if err == nil {
		if r, err := s.decode(raw); err == nil && r.Access == access {
			return true
		}
	}
	s.simulation.mu.Lock()
	defer s.simulation.mu.Unlock()
	return s.stored[access]
}

// mayHaveEnded checks that a lost answer ended a session without a State.
func (s *simSession) mayHaveEnded() {
	s.simulation.mu.Lock()
	excused := s.excused[s.key]
	s.simulation.mu.Unlock()
	if s.state != nil || !excused {
		s.violated("session %s ended, but could have been kept", s.key)
	}
}

// signOut ends the session. A call that failed may have done so: the store
// shows it.
func (s *simSession) signOut(r *replica) {
	s.mu.Lock()
	s.leaving = true
	s.mu.Unlock()
	_, _ = r.vault.Delete(context.Background(), s.key)
	raw, err := s.disk.Get(context.Background(), placeOf(s.key))
	taken := false
	if err == nil {
		left, err := s.decode(raw)
		taken = err == nil && !left.Taken.IsZero()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed = taken || errors.Is(err, store.ErrDeleted)
}

// checkRecovery ends all faults, and checks that every session recovers that
// can.
func (sim *simulation) checkRecovery(replicas []*replica, sessions []*simSession) {
	sim.mu.Lock()
	sim.calm, sim.outage = true, false
	sim.mu.Unlock()
	<-time.After(5 * time.Minute) // beyond every pause, lease and request
	sim.injectFaults(replicas)
	for _, s := range sessions {
		for _, r := range replicas {
			s.mu.Lock()
			out := s.signed
			s.mu.Unlock()
			_, err := r.vault.Token(context.Background(), s.key)
			switch {
			case out && err == nil:
				sim.violated("session %s is alive after sign-out (I6)", s.key)
			case !out && errors.Is(err, ErrEnded):
				s.mayHaveEnded()
				sim.ended++
			case !out && err != nil:
				sim.violated("session %s did not recover: %v", s.key, err)
			}
		}
	}
	synctest.Wait() // for renewals in the background
	if sim.faultOdds == (faultOdds{}) {
		for token, n := range sim.sentOnce {
			if n != 1 {
				sim.violated("without faults, %s was sent %d times (I1)", token, n)
			}
		}
		for use, n := range sim.uses {
			if sim.maxUses > 0 && n > sim.maxUses {
				sim.violated("without faults, %s was used %d times of %d", use, n, sim.maxUses)
			}
		}
	}
}
