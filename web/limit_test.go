package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"
	"time"
)

// clock is time that moves only when told.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Pass(d time.Duration) { c.now = c.now.Add(d) }

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func TestLimiter(t *testing.T) {
	c := newClock()
	l := newLimiter(c.Now, 5)
	for range 5 {
		if wait := l.Take("a"); wait != 0 {
			t.Fatalf("wait %v within the allowance", wait)
		}
	}
	if wait := l.Take("a"); wait != 12*time.Second {
		t.Errorf("wait %v, want 12 s", wait)
	}
	if wait := l.Take("a"); wait != 12*time.Second {
		t.Errorf("wait %v: a refused attempt was counted", wait)
	}
	if wait := l.Take("b"); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
	c.Pass(12 * time.Second)
	if wait := l.Take("a"); wait != 0 {
		t.Errorf("wait %v after the wait", wait)
	}
	l.Forget("a")
	for range 5 {
		if wait := l.Take("a"); wait != 0 {
			t.Fatalf("wait %v after Forget", wait)
		}
	}
}

func TestLimiterMemory(t *testing.T) {
	c := newClock()
	l := newLimiter(c.Now, 1)
	l.Take("first")
	l.Take("second")
	for i := range maxCounted - 2 {
		l.Take(strconv.Itoa(i))
	}
	l.Take("first") // refused, but used
	l.Take("one more")
	if len(l.byKey) != maxCounted || l.order.Len() != maxCounted {
		t.Errorf("%d and %d entries, want %d", len(l.byKey), l.order.Len(), maxCounted)
	}
	if wait := l.Take("first"); wait == 0 {
		t.Error("the key used last was forgotten")
	}
	if wait := l.Take("second"); wait != 0 {
		t.Error("the key unused for longest was kept")
	}
}

func TestAttemptsMemory(t *testing.T) {
	c := newClock()
	s := &attempts{now: c.Now}
	first := &attempt{Browser: "first"}
	s.Add(first)
	for i := range maxAttempts {
		s.Add(&attempt{Browser: strconv.Itoa(i)})
	}
	if len(s.queue) != maxAttempts {
		t.Errorf("%d attempts are kept", len(s.queue))
	}
	if _, ok := s.Get(first.ID, "first"); ok {
		t.Error("the oldest is kept")
	}
	if _, ok := s.Get(s.queue[0].ID, ""); ok {
		t.Error("an attempt without a browser is found")
	}
}

// req 109: only who is trusted may say where a request came from.
func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"direct", "203.0.113.7:1234", nil, "203.0.113.7"},
		{"a stranger's claim", "203.0.113.7:1234", []string{"198.51.100.1"}, "203.0.113.7"},
		{"through a proxy", "10.1.1.1:1234", []string{"198.51.100.1"}, "198.51.100.1"},
		{"a claim passed on by a proxy", "10.1.1.1:1234", []string{"192.0.2.66, 198.51.100.1"}, "198.51.100.1"},
		{"through two", "10.1.1.1:1234", []string{"192.0.2.66", "198.51.100.1, 10.2.2.2"}, "198.51.100.1"},
		{"only proxies", "10.1.1.1:1234", []string{"10.3.3.3"}, "10.3.3.3"},
		{"proxy without a header", "10.1.1.1:1234", nil, "10.1.1.1"},
		{"nonsense", "10.1.1.1:1234", []string{"198.51.100.1, nonsense"}, "10.1.1.1"},
		{"IPv4 in IPv6", "[::ffff:10.1.1.1]:1234", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"with a zone", "[fe80::1%eth0]:1234", nil, "fe80::1"},
		{"no address", "@", nil, "invalid IP"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = c.peer, c.forwarded
			if got := clientAddress(r, trusted).String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if a, b := addressKey(netip.MustParseAddr("2001:db8:1:2::1")), addressKey(netip.MustParseAddr("2001:db8:1:2:ffff::9")); a != b {
		t.Errorf("one subscriber counts as %s and %s", a, b)
	}
	if a, b := addressKey(netip.MustParseAddr("192.0.2.1")), addressKey(netip.MustParseAddr("192.0.2.2")); a == b {
		t.Error("two IPv4 addresses count as one")
	}
}
