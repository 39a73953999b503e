package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// The flow page draws the exchanges of this very sign-in, and lists them in words.
func TestFlow(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, email, client string) {
		w := newWorld(t, setup{})
		b := w.browser()
		p := b.signIn(email, client).follow("Flow").want(http.StatusOK, "/flow")
		svg := p.doc().Find("svg.diagram")
		if svg.Length() != 1 || svg.Find("title").Length() != 1 || svg.Find("desc").Length() != 1 {
			t.Fatal("no diagram with a title and a description")
		}
		drawn, listed := p.text("svg.diagram .d-label"), p.text(".steps h3")
		want := []string{
			"POST /sign-in", "POST /identity/sign-in", "GET /identity/.well-known/openid-configuration",
			"GET /identity/connect/authorize", "POST /identity/connect/token",
		}
		for _, step := range want {
			if !strings.Contains(drawn, step) || !strings.Contains(listed, step) {
				t.Errorf("%q is missing; drawn: %s; listed: %s", step, drawn, listed)
			}
		}
		for _, lane := range []string{"Browser", "This server", "IdentityServer"} {
			if !strings.Contains(p.text("svg.diagram .d-lane"), lane) {
				t.Errorf("no lane %s", lane)
			}
		}
		if n := p.doc().Find("svg.diagram .d-step").Length(); n != p.doc().Find(".steps > li").Length() || n < len(want) {
			t.Errorf("%d steps drawn, %d listed", n, p.doc().Find(".steps > li").Length())
		}
		if answers := p.text("svg.diagram .d-answer"); !strings.Contains(answers, "200") || !strings.Contains(answers, "302") || !strings.Contains(answers, "ms") {
			t.Errorf("the answers are %q", answers)
		}
		details := p.text(".steps .details")
		for _, parameter := range []string{"client_id=" + client, "code_challenge_method=S256", "state=[redacted]", "password=[redacted]", "code_verifier=[redacted]"} {
			if !strings.Contains(details, parameter) {
				t.Errorf("the details lack %q: %s", parameter, details)
			}
		}
		if p.doc().Find(".step-failed, .d-failed").Length() != 0 {
			t.Error("a step that went well is drawn as failed")
		}
	})
}

// With a second factor the flow shows both steps, a wrong code as well.
func TestFlowWithSecondFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	p := b.open("/flow").signIn(guarded, "spa")
	p = p.submit("/sign-in/second-factor", "Continue", "code", "a wrong code")
	p = p.submit("/sign-in/second-factor", "Continue", "code", onceCode).want(http.StatusOK, "/flow")
	listed := p.text(".steps h3")
	if strings.Count(listed, "POST /identity/sign-in") != 3 || !strings.Contains(listed, "POST /sign-in/second-factor") {
		t.Errorf("the steps are %s", listed)
	}
	if p.doc().Find(".step-failed").Length() != 1 {
		t.Error("the wrong code is not shown as a failure")
	}
}

// Each session has a flow of its own, and a renewal is no part of it.
func TestFlowIsOfThisSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	one, two := w.browser(), w.browser()
	one.signIn(trader, "spa")
	two.signIn(admin, "spa_admin")
	w.clock.advance(life)
	one.open("/account").want(http.StatusOK, "/account", "Renewed once")
	p := one.open("/flow")
	if strings.Contains(p.text("main"), "spa_admin") || strings.Contains(p.text("main"), "refresh_token") {
		t.Error("the flow shows what is not of this sign-in")
	}
}
