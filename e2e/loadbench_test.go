package e2e

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	loadRounds = 5
	loadCell   = time.Second // of one proxy in one round
)

// BenchmarkProxy compares the site's proxy, with each store, to a bare and well
// tuned httputil.ReverseProxy. Each is a process of its own; the load and the
// API are in this one. The rounds are interleaved, and a ratio is one of the same
// round; of both the median is told, since on a machine that others use only
// ratios mean anything. The proxies write an access log, to /dev/null, but for the bare one and the one that says so.
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
		p.load(32, loadCell/2) // so that nothing is new any more
	}
	for b.Loop() {
		for _, connections := range []int{1, 32} {
			compareProxies(b, proxies, connections)
		}
	}
}

// compareProxies loads the proxies in turn, and prints what came of it.
func compareProxies(b *testing.B, proxies []*loaded, connections int) {
	b.Helper()
	results := make([][]measured, len(proxies))
	for range loadRounds {
		for i, p := range proxies {
			results[i] = append(results[i], p.load(connections, loadCell))
		}
	}
	var table strings.Builder
	fmt.Fprintf(&table, "\n%d connections, medians of %d rounds\n%-20s %8s %7s %10s %10s %12s %7s\n", connections, loadRounds,
		"proxy", "req/s", "ratio", "p50", "p99", "CPU s/1,000", "ratio")
	for i, p := range proxies {
		rate := median(results[i], func(m measured) float64 { return m.rate })
		cpu := median(results[i], func(m measured) float64 { return m.cpu })
		rates, cpus := make([]float64, loadRounds), make([]float64, loadRounds)
		for n := range loadRounds {
			rates[n], cpus[n] = results[i][n].rate/results[0][n].rate, results[i][n].cpu/results[0][n].cpu
		}
		slices.Sort(rates)
		slices.Sort(cpus)
		p50 := median(results[i], func(m measured) float64 { return float64(m.p50) })
		p99 := median(results[i], func(m measured) float64 { return float64(m.p99) })
		fmt.Fprintf(&table, "%-20s %8.0f %7.2f %10v %10v %12.4f %7.2f\n", p.name, rate, rates[loadRounds/2],
			time.Duration(p50).Round(time.Microsecond), time.Duration(p99).Round(time.Microsecond), cpu, cpus[loadRounds/2])
		b.ReportMetric(rates[loadRounds/2], fmt.Sprintf("%s-%d/bare", p.name, connections))
	}
	fmt.Print(table.String()) // b.Log keeps ten lines of it
}

func median(of []measured, what func(measured) float64) float64 {
	values := make([]float64, len(of))
	for i, m := range of {
		values[i] = what(m)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

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
