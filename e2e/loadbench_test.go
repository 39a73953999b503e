package e2e

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	loadRounds = 25
	loadCell   = 200 * time.Millisecond // of one proxy in one round; short, so that what disturbs one disturbs all
)

// BenchmarkProxy compares the site's proxy, with each store, to a bare and well
// tuned httputil.ReverseProxy. Each is a process of its own; the load and the
// API are in this one. The rounds are interleaved, and a ratio is one of the same
// round, of which the median is told, since on a machine that others use only
// ratios mean anything; of them, that of CPU time most. The proxies write an access log, to /dev/null, but for the bare one and the one that says so.
//
//	go test -run '^$' -bench '^BenchmarkProxy$' -benchtime 1x ./e2e
func BenchmarkProxy(b *testing.B) {
	r := newRig(b)
	proxies := []*loaded{
		r.start("bare", "", true),
		r.start("memory", "memory", false),
		r.start("memory-without-log", "memory", true),
		r.start("SQLite", "sqlite:"+filepath.Join(b.TempDir(), "sessions.db"), false),
		r.start("Redis", startRedis(b).part(), false),
		r.start("PostgreSQL", startPostgres(b).part(), false),
	}
	for _, p := range proxies {
		p.load(32, 5*loadCell) // so that nothing is new any more
	}
	for b.Loop() {
		for _, connections := range []int{1, 32} {
			compareProxies(b, proxies, connections)
		}
	}
}

// compareProxies loads the proxies in rounds, and prints what came of it.
func compareProxies(b *testing.B, proxies []*loaded, connections int) {
	b.Helper()
	rounds := make([][]measured, len(proxies))
	shuffled := rand.New(rand.NewPCG(1, uint64(connections))) // it only has to favour nobody
	for range loadRounds {
		for _, i := range shuffled.Perm(len(proxies)) { // a place in the round, such as after an idle one, is worth some per cent
			rounds[i] = append(rounds[i], proxies[i].load(connections, loadCell))
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "\n%d connections, %d rounds of %v\n%-20s %8s %7s %10s %10s %12s %7s\n", connections, loadRounds, loadCell,
		"proxy", "req/s", "ratio", "p50", "p99", "CPU s/1,000", "ratio")
	bareCPU := cpuOf(rounds[0])
	for i, p := range proxies {
		rates, ratios := make([]float64, loadRounds), make([]float64, loadRounds)
		var took []time.Duration
		for n, m := range rounds[i] {
			rates[n], ratios[n] = m.rate(), m.rate()/rounds[0][n].rate()
			took = append(took, m.took...)
		}
		slices.Sort(took)
		if len(took) == 0 {
			b.Fatalf("%s answered nothing", p.name)
		}
		cpu, ratio := cpuOf(rounds[i]), median(ratios)
		fmt.Fprintf(&table, "%-20s %8.0f %7.2f %10v %10v %12.4f %7.2f\n", p.name, median(rates), ratio,
			took[len(took)/2].Round(time.Microsecond), took[len(took)*99/100].Round(time.Microsecond), cpu, cpu/bareCPU)
		b.ReportMetric(ratio, fmt.Sprintf("%s-%d/bare", p.name, connections))
	}
	fmt.Print(table.String()) // b.Log keeps ten lines of it
}

// cpuOf is the CPU seconds of a proxy for 1,000 requests, of all rounds together.
func cpuOf(rounds []measured) float64 {
	var cpu time.Duration
	requests := 0
	for _, m := range rounds {
		cpu += m.cpu
		requests += len(m.took)
	}
	return cpu.Seconds() * 1000 / float64(max(requests, 1))
}

func median(values []float64) float64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// BenchmarkSessionMemory tells what one more live session costs a process: its record, its tokens and what is kept to
// find both fast. It signs in many times, and compares the heap and the resident memory after a collection before and
// after. A store in memory holds the sealed records too.
//
//	go test -run '^$' -bench '^BenchmarkSessionMemory$' -benchtime 1x ./e2e
func BenchmarkSessionMemory(b *testing.B) {
	const sessions = 2000
	r := newRig(b)
	for _, p := range []*loaded{
		r.start("memory", "memory", true),
		r.start("SQLite", "sqlite:"+filepath.Join(b.TempDir(), "sessions.db"), true),
		r.start("Redis", startRedis(b).part(), true),
		r.start("PostgreSQL", startPostgres(b).part(), true),
	} {
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() {
				p.signInOften(100) // what the first ones cost is not theirs
				heap := p.heap()
				resident := p.resident()
				p.signInOften(sessions)
				b.ReportMetric(float64(p.heap()-heap)/sessions, "heap-B/session")
				b.ReportMetric(float64(p.resident()-resident)/sessions, "RSS-B/session")
			}
		})
	}
}

// signInOften begins n sessions, of a few users at a time.
func (p *loaded) signInOften(n int) {
	var all sync.WaitGroup
	for _, u := range loadUsers() {
		all.Go(func() {
			for range n / len(loadUsers()) {
				if _, err := p.signIn(u.Email); err != nil {
					p.b.Error(err)
				}
			}
		})
	}
	all.Wait()
}
