package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// req 127: liveness depends on nothing, readiness on the IdentityServer, and it
// recovers by itself.
func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	w.provider.down.Store(true)
	if p := b.fetch("/healthz"); p.status != http.StatusOK || p.body != "ok\n" {
		t.Errorf("/healthz gives %d %q", p.status, p.body)
	}
	p := b.fetch("/readyz")
	wantRetryAfter(t, p)
	wantReady(t, p, http.StatusServiceUnavailable, false, "unavailable")
	w.provider.down.Store(false)
	wantReady(t, b.fetch("/readyz"), http.StatusServiceUnavailable, false, "unavailable") // the answer is kept for a while
	w.clock.advance(6 * time.Second)
	wantReady(t, b.fetch("/readyz"), http.StatusOK, true, "ready")
	asked := w.provider.Count(identitytest.EndpointDiscovery)
	for range 20 {
		b.fetch("/readyz")
	}
	w.wantCount(identitytest.EndpointDiscovery, asked)
	if b.cookie() != "" {
		t.Error("a probe got a session")
	}
}

func wantReady(t *testing.T, p *page, status int, ready bool, each string) {
	t.Helper()
	var answer struct {
		Ready   bool              `json:"ready"`
		Clients map[string]string `json:"clients"`
	}
	if err := json.Unmarshal([]byte(p.body), &answer); err != nil || p.status != status || answer.Ready != ready || len(answer.Clients) != 4 {
		t.Fatalf("/readyz gives %d %s", p.status, p.body)
	}
	for client, state := range answer.Clients {
		if state != each {
			t.Errorf("%s is %s, want %s", client, state, each)
		}
	}
}

// req 102: a script gets JSON, signed in or not.
func TestSessionJSON(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, email, client string) {
		w := newWorld(t, setup{})
		b := w.browser()
		p := b.fetch("/session")
		var refusal map[string]string
		if err := json.Unmarshal([]byte(p.body), &refusal); err != nil || p.status != http.StatusUnauthorized || refusal["error"] != "no_session" {
			t.Errorf("without a session: %d %s", p.status, p.body)
		}
		if refusal["request_id"] != p.header.Get("X-Request-Id") { // req 125
			t.Errorf("the request is named %q", refusal["request_id"])
		}
		b.signIn(email, client).want(http.StatusOK, "/account")
		p = b.fetch("/session")
		var session struct {
			ID, Nickname, Email, Client string
			Administrator               bool
			IdleEnd                     time.Time `json:"idle_end"`
			LatestEnd                   time.Time `json:"latest_end"`
		}
		if err := json.Unmarshal([]byte(p.body), &session); err != nil || p.status != http.StatusOK {
			t.Fatalf("%d %s", p.status, p.body)
		}
		if session.Email != email || session.Client != client || session.Administrator != (client == "spa_admin") || session.ID == "" {
			t.Errorf("the session is %+v", session)
		}
		now := w.clock.Now()
		if idle, latest := session.IdleEnd.Sub(now), session.LatestEnd.Sub(now); idle > 15*time.Minute || idle < 14*time.Minute || latest > 10*time.Hour || latest < 10*time.Hour-time.Minute {
			t.Errorf("it ends in %v and in %v", idle, latest)
		}
		if !strings.HasPrefix(p.header.Get("Content-Type"), "application/json") {
			t.Errorf("Content-Type is %q", p.header.Get("Content-Type"))
		}
	})
}
