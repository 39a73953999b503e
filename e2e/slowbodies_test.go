package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestSlowBodies sends 256 bodies of 70,000 bytes in one session, one byte a
// second each. Another session is served meanwhile, and a sign-out ends the
// calls. field 14
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	s := newSecrets(t)
	server := startIdentityServer(t, s)
	var underWay atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		underWay.Add(1)
		defer underWay.Add(-1)
		_, _ = io.Copy(io.Discard, r.Body) // an error means that the site hung up
		_, _ = io.WriteString(w, "done")
	}))
	t.Cleanup(api.Close)
	d := startDemo(t, s, "-addr", "127.0.0.1:0", "-identity-url", server.URL(), "-frontoffice-url", api.URL+"/frontoffice")
	slow, other := d.browser(), d.browser()
	slow.signIn(trader, "spa")
	other.signIn(admin, "spa")

	const path = "/api/frontoffice/v3/orders"
	statuses := make(chan string, 256)
	for range 256 {
		slow.postSlowly(t, path, statuses)
	}
	for range 256 - 64 {
		if got := receive(t, statuses, "refusal"); got != "429 Too Many Requests" {
			t.Fatalf("a call beside 64 slow ones = %s, want 429", got)
		}
	}
	until(t, "64 slow calls", func() bool { return underWay.Load() == 64 })
	if got := other.fetch(path).status; got != http.StatusOK {
		t.Errorf("a call of another session = %d, want 200", got)
	}
	slow.open("/account").submit("/sign-out", "Sign out")
	for range 64 {
		if got := receive(t, statuses, "end of a call"); got != "401 Unauthorized" {
			t.Errorf("a slow call ends with %s after the sign-out, want 401", got)
		}
	}
	until(t, "end of the slow calls at the API", func() bool { return underWay.Load() == 0 })
	slow.signIn(trader, "spa")
	if got := slow.fetch(path).status; got != http.StatusOK {
		t.Errorf("a call after the next sign-in = %d, want 200", got)
	}
}

// postSlowly sends a body of 70,000 bytes, one each second, and the status of
// the answer.
func (b *browser) postSlowly(t *testing.T, path string, status chan<- string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", b.base.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nX-Requested-With: fetch\r\nSec-Fetch-Site: same-origin\r\n"+
		"Cookie: b2trader-session=%s\r\nContent-Length: 70000\r\n\r\n", path, b.base.Host, b.cookie())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for every := time.NewTicker(time.Second); ; <-every.C {
			if _, err := conn.Write([]byte("b")); err != nil {
				every.Stop()
				return
			}
		}
	}()
	go func() {
		line, _ := bufio.NewReader(conn).ReadString('\n') // without a line the status is empty
		status <- strings.TrimSpace(strings.TrimPrefix(line, "HTTP/1.1 "))
	}()
}
