package vault

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

var errBusy = tokenapi.WithOutcome(errors.New("503"), tokenapi.Outcome{Kind: tokenapi.Transient})

// A load is a number of renewals at a server that answers as it says.
type load struct {
	renewals int
	answer   func(atOnce int) (time.Duration, error)
}

// run carries the load out and returns the requests at once, the highest number
// and that of the last tenth of the requests.
func (l load) run(p *pace) (highest, last int) {
	var (
		wg         sync.WaitGroup
		mu         sync.Mutex
		now, begun int
	)
	for range l.renewals {
		t := &turn{pace: p, urgent: true}
		ready := t.join()
		wg.Go(func() {
			<-ready
			_ = t.exchange(func() error {
				mu.Lock()
				now, begun = now+1, begun+1
				highest = max(highest, now)
				if begun > l.renewals*9/10 {
					last = max(last, now)
				}
				took, err := l.answer(now)
				mu.Unlock()
				<-time.After(took)
				mu.Lock()
				defer mu.Unlock()
				now--
				return err
			})
			t.leave()
		})
	}
	wg.Wait()
	return highest, last
}

// field 40: the renewals under way follow the server's pace.
func TestPaceFollowsTheServer(t *testing.T) {
	for name, c := range map[string]struct {
		load
		highest, least, most int // at once; least and most of the last tenth
	}{
		"fast":                    {load{5000, func(int) (time.Duration, error) { return 20 * time.Millisecond, nil }}, mostLimit, 200, mostLimit},
		"slow by itself":          {load{2000, func(int) (time.Duration, error) { return 16 * time.Second, nil }}, mostLimit, firstLimit, mostLimit},
		"slow under load":         {load{5000, func(n int) (time.Duration, error) { return time.Duration(n) * 100 * time.Millisecond, nil }}, firstLimit + limitGrowth, 10, 50},
		"refuses more than 20":    {load{5000, func(n int) (time.Duration, error) { return time.Second, busyAbove(20, n) }}, firstLimit, 8, 40},
		"answers nothing in time": {load{300, func(int) (time.Duration, error) { return 80 * time.Second, nil }}, 160, leastLimit, 50},
		"fails":                   {load{300, func(int) (time.Duration, error) { return time.Second, errBusy }}, firstLimit, leastLimit, leastLimit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				highest, last := c.run(newPace(90 * time.Second))
				if highest > c.highest || last < c.least || last > c.most {
					t.Errorf("at most %d requests at once, %d in the end, want at most %d, and %d to %d", highest, last, c.highest, c.least, c.most)
				}
			})
		})
	}
}

func busyAbove(most, now int) error {
	if now > most {
		return errBusy
	}
	return nil
}

// A server that becomes slow, but no faster with fewer requests, gets as many as
// before.
func TestPaceTakesAUselessDecreaseBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(90 * time.Second)
		for _, took := range []time.Duration{20 * time.Millisecond, 16 * time.Second, 16 * time.Second} {
			load{1, func(int) (time.Duration, error) { return took, nil }}.run(p)
		}
		if p.limit != firstLimit {
			t.Errorf("limit = %v, want %v again", p.limit, firstLimit)
		}
	})
}

// field 40: first come, first served, but renewals that callers wait for go
// first, and one that gave its slot back goes to the front.
func TestQueueIsFair(t *testing.T) {
	p := newPace(time.Minute)
	p.limit = 1
	var order []string
	turns := map[string]*turn{}
	join := func(name string, urgent bool) {
		turns[name] = &turn{pace: p, urgent: urgent}
		turns[name].join()
	}
	join("first", false)
	join("background", false)
	join("urgent 1", true)
	join("hurried", false)
	join("urgent 2", true)
	join("left", true)
	turns["hurried"].hurry()
	turns["left"].leave()
	turns["first"].leave()
	turns["first"].hurry()
	turns["first"].join()
	for {
		i := slices.IndexFunc([]string{"first", "background", "urgent 1", "hurried", "urgent 2", "left"}, func(name string) bool { return turns[name].holds })
		if i < 0 {
			break
		}
		name := []string{"first", "background", "urgent 1", "hurried", "urgent 2", "left"}[i]
		order = append(order, name)
		turns[name].leave()
	}
	// "urgent 1" got the slot that "first" gave back
	if want := []string{"urgent 1", "first", "urgent 2", "hurried", "background"}; !slices.Equal(order, want) {
		t.Errorf("order %q, want %q", order, want)
	}
}
