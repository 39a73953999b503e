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
	loadCell   = 200 * time.Millisecond // of one proxy in one round; short, so that a disturbance hits all proxies
)

// BenchmarkProxy compares the site's proxy, with each store, with a bare and
// well tuned httputil.ReverseProxy. Each proxy is a process of its own; the load
// and the API are in this process. The rounds of the proxies are interleaved.
// The reported ratio is the median of the ratios within a round, because on a
// shared machine only ratios can be compared; the ratio of CPU time varies
// least. The proxies write an access log to /dev/null, except the bare one and
// the one without log.
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
		p.load(32, 5*loadCell) // warms up
	}
	for b.Loop() {
		for _, connections := range []int{1, 32} {
			compareProxies(b, proxies, connections)
		}
	}
}

// compareProxies loads the proxies in rounds and prints a table.
func compareProxies(b *testing.B, proxies []*loaded, connections int) {
	b.Helper()
	rounds := make([][]measured, len(proxies))
	shuffled := rand.New(rand.NewPCG(1, uint64(connections))) // any seed is fair
	for range loadRounds {
		for _, i := range shuffled.Perm(len(proxies)) { // the place in a round is worth some per cent
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
			b.Fatalf("answers of %s = 0, want some", p.name)
		}
		cpu, ratio := cpuOf(rounds[i]), median(ratios)
		fmt.Fprintf(&table, "%-20s %8.0f %7.2f %10v %10v %12.4f %7.2f\n", p.name, median(rates), ratio,
			took[len(took)/2].Round(time.Microsecond), took[len(took)*99/100].Round(time.Microsecond), cpu, cpu/bareCPU)
		b.ReportMetric(ratio, fmt.Sprintf("%s-%d/bare", p.name, connections))
	}
	fmt.Print(table.String()) // b.Log prints ten lines only
}

// cpuOf returns the CPU seconds for 1,000 requests over all rounds.
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

// BenchmarkSessionMemory measures the memory of one more live session: its
// record, its tokens and their indexes. It compares the heap and the resident
// memory of the process before and after many sign-ins, each after a garbage
// collection. A store in memory holds the sealed records, too.
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
				p.signInOften(100) // the first sign-ins also fill caches
				heap := p.heap()
				resident := p.resident()
				p.signInOften(sessions)
				b.ReportMetric(float64(p.heap()-heap)/sessions, "heap-B/session")
				b.ReportMetric(float64(p.resident()-resident)/sessions, "RSS-B/session")
			}
		})
	}
}

// signInOften signs in n times, with a few accounts at a time.
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
