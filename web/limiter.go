package web

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxCounted bounds the keys that a limiter remembers. It forgets the key first
// that was not used for the longest time.
const maxCounted = 10_000

// limiter allows perMinute attempts per key at once, and as many again over each
// minute. Its memory is bounded.
type limiter struct {
	now       func() time.Time
	perMinute int

	mu    sync.Mutex
	byKey map[[sha256.Size]byte]*list.Element
	order *list.List // of *counted, the last used first
}

type counted struct {
	key    [sha256.Size]byte
	bucket *rate.Limiter
}

func newLimiter(now func() time.Time, perMinute int) *limiter {
	return &limiter{
		now: now, perMinute: perMinute,
		byKey: make(map[[sha256.Size]byte]*list.Element),
		order: list.New(),
	}
}

// Take counts one attempt of a key and returns 0. If there is none left, it
// counts nothing and returns the time until there is one.
func (l *limiter) Take(key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	reservation := l.bucket(key).ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
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

// bucket returns the bucket of a key. It stores the hash of the key, which may be
// long.
func (l *limiter) bucket(key string) *rate.Limiter {
	id := sha256.Sum256([]byte(key))
	if element, ok := l.byKey[id]; ok {
		l.order.MoveToFront(element)
		return element.Value.(*counted).bucket
	}
	if l.order.Len() >= maxCounted {
		oldest := l.order.Back()
		l.order.Remove(oldest)
		delete(l.byKey, oldest.Value.(*counted).key)
	}
	every := rate.Every(time.Minute / time.Duration(l.perMinute))
	c := &counted{key: id, bucket: rate.NewLimiter(every, l.perMinute)}
	l.byKey[id] = l.order.PushFront(c)
	return c.bucket
}
