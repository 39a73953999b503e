package e2e

import (
	"net/http"
	"syscall"
	"testing"
)

// After SIGTERM the demo serves for its -stop-delay and says that it is not
// ready, so that a load balancer learns of the stop first. A second signal ends
// it at once. Ctrl-C waits for no delay. field 48
func TestSignals(t *testing.T) {
	t.Parallel()
	s := newSecrets(t)
	server := startIdentityServer(t, s)
	start := func() *demo {
		return startDemo(t, s, "-addr", "127.0.0.1:0", "-identity-url", server.URL(), "-stop-delay", "1h")
	}
	d := start()
	b := d.browser()
	if p := b.fetch("/readyz"); p.status != http.StatusOK {
		t.Fatalf("GET /readyz = %d, want 200", p.status)
	}
	d.signal(syscall.SIGTERM)
	until(t, "503 of /readyz", func() bool { return b.fetch("/readyz").status == http.StatusServiceUnavailable })
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	d.signal(syscall.SIGTERM)
	err := receive(t, d.ended, "end of demo")
	d.stopped = true
	if ended := d.process.ProcessState.Sys().(syscall.WaitStatus); !ended.Signaled() {
		t.Errorf("after two signals it ended by %v, want it killed by the second", err)
	}

	interrupted := start()
	interrupted.signal(syscall.SIGINT)
	if err := receive(t, interrupted.ended, "end of demo"); err != nil {
		t.Errorf("exit after Ctrl-C = %v, want status 0", err)
	}
	interrupted.stopped = true
}
