package main

import (
	"errors"
	"io"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/cmd/demo/showcase"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// embeddedForTest starts the embedded systems, and stops them when the test ends.
func embeddedForTest(t *testing.T) []showcase.Platform {
	t.Helper()
	server := identitytest.Start(t, identitytest.Config{})
	s, problems, err := parse(nil, nil, io.Discard)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	p, problems := s.site(server.URL(), "http://127.0.0.1")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r := &running{logger: newLogger("text", io.Discard), failed: make(chan error, 8)}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	platforms, err := r.embeddedPlatforms(&settings{}, server, p.machines)
	if err != nil {
		t.Fatal(err)
	}
	return platforms
}

// A renewal that is to fail does, in the platform's own words, until that is taken back.
func TestPlatformsFail(t *testing.T) {
	t.Parallel()
	refusals := map[string]struct {
		status            int
		code, description string
	}{
		"b2trader":        {503, "", ""},
		"b2trader-lk":     {503, "", ""},
		"b2core":          {429, "", "Too Many Attempts."},
		"traderevolution": {429, "2.147.1.27", "Too many requests"},
		"tradevest":       {503, "temporarily_unavailable", ""},
		"b2binpay":        {429, "throttled", "Request was throttled. Expected available in 2 seconds."},
		"b2binpay-v3":     {429, "throttled", "Request was throttled. Expected available in 2 seconds."},
	}
	for _, p := range embeddedForTest(t) {
		t.Run(p.ID, func(t *testing.T) {
			t.Parallel()
			token, err := p.Refresher.Refresh(t.Context(), tokenapi.FirstToken())
			if err != nil {
				t.Fatal(err)
			}
			undo := p.Fail()
			for range 2 {
				_, err := renewal(t, p, token)
				e, ok := errors.AsType[*tokenapi.Error](err)
				if !ok || !errors.Is(err, tokenapi.ErrUnavailable) {
					t.Fatalf("the renewal that was to fail: %v", err)
				}
				if want := refusals[p.ID]; e.StatusCode != want.status || e.Code != want.code || e.Description != want.description {
					t.Errorf("it failed with %d %q %q, want %v", e.StatusCode, e.Code, e.Description, want)
				}
				if e.RetryAfter > 2*time.Second {
					t.Errorf("it asks to wait for %v, which is long for somebody who looks on", e.RetryAfter)
				}
			}
			undo()
			if next, err := renewal(t, p, token); err != nil || !next.Valid() {
				t.Fatalf("the renewal after those that failed: %v", err)
			}
		})
	}
}

// renewal renews a token, as soon as that may be.
func renewal(t *testing.T, p showcase.Platform, token *oauth2.Token) (next *oauth2.Token, err error) {
	t.Helper()
	until(t, "a renewal of "+p.ID, func() bool {
		next, err = p.Refresher.Refresh(t.Context(), token)
		_, paused := errors.AsType[*tokenapi.PausedError](err)
		return !paused
	})
	return next, err
}
