package storetest

import (
	"sync/atomic"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

// Bench measures the hot paths of s: reading an unchanged record, from one core
// and from all, and replacing it.
func Bench(b *testing.B, s store.Store) {
	r := store.Record{Key: "bench", Owner: "owner", Value: make([]byte, 2048), Expires: in(time.Hour)}
	v, err := s.Put(b.Context(), r)
	if err != nil {
		b.Fatal(err)
	}
	r.Version = v
	b.Run("Get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Get(b.Context(), r.Key); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("GetParallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := s.Get(b.Context(), r.Key); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("Put", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if r.Version, err = s.Put(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("PutParallel", func(b *testing.B) { putParallel(b, s) })
}

// putParallel swaps one record per goroutine, with 16 goroutines per core.
func putParallel(b *testing.B, s store.Store) {
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		r := store.Record{Value: make([]byte, 2048), Expires: in(time.Hour)}
		r.Key = time.Now().Format(time.RFC3339Nano) + string(rune('a'+next.Add(1)%26)) + time.Duration(next.Add(1)).String()
		for pb.Next() {
			v, err := s.Put(b.Context(), r)
			if err != nil {
				b.Error(err)
				return
			}
			r.Version = v
		}
	})
}
