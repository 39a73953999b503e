package web

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// maxCounted bounds the keys that a limiter remembers. It forgets the key first
// that was not used for the longest time.
const maxCounted = 10_000

// limiter allows a number of attempts per key at once, and as many again over
// each period. Its memory is bounded.
type limiter struct {
	now   func() time.Time
	every time.Duration // gives one attempt back
	all   time.Duration // gives all attempts back

	mu    sync.Mutex
	byKey map[[sha256.Size]byte]*list.Element
	order *list.List // of *counted, the last used first
}

type counted struct {
	key  [sha256.Size]byte
	full time.Time // when the key has all its attempts again
}

func newLimiter(now func() time.Time, attempts int, period time.Duration) *limiter {
	every := period / time.Duration(attempts)
	return &limiter{
		now: now, every: every, all: every * time.Duration(attempts),
		byKey: make(map[[sha256.Size]byte]*list.Element),
		order: list.New(),
	}
}

// Take counts one attempt of a key and returns 0. If there is none left, it
// counts nothing and returns the time until there is one.
func (l *limiter) Take(key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, now := l.counted(key), l.now().Round(0) // the wall clock also runs while the machine sleeps
	full := c.full
	switch most := now.Add(l.all); {
	case full.Before(now):
		full = now
	case full.After(most): // the clock was put back
		full = most
	}
	full = full.Add(l.every)
	if wait := full.Sub(now) - l.all; wait > 0 {
		return wait
	}
	c.full = full
	return 0
}

// GiveBack undoes one Take of a key.
func (l *limiter) GiveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counted(key)
	c.full = c.full.Add(-l.every)
}

// Forget gives a key all its attempts back.
func (l *limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := sha256.Sum256([]byte(key))
	if element, ok := l.byKey[id]; ok {
		l.order.Remove(element)
		delete(l.byKey, id)
	}
}

// counted returns the count of a key. It stores the hash of the key, which may be
// long.
func (l *limiter) counted(key string) *counted {
	id := sha256.Sum256([]byte(key))
	if element, ok := l.byKey[id]; ok {
		l.order.MoveToFront(element)
		return element.Value.(*counted)
	}
	if l.order.Len() >= maxCounted {
		oldest := l.order.Back()
		l.order.Remove(oldest)
		delete(l.byKey, oldest.Value.(*counted).key)
	}
	c := &counted{key: id}
	l.byKey[id] = l.order.PushFront(c)
	return c
}
