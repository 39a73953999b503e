package main

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/cmd/demo/showcase"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// compared is the comparison of the systems as a table of Markdown: a header, a line under it, and a row for each fact.
func compared(platforms []showcase.Platform) []string {
	platforms = slices.DeleteFunc(platforms, func(p showcase.Platform) bool { return len(p.Facts) == 0 })
	header := []string{""}
	for _, p := range platforms {
		header = append(header, p.Name)
	}
	lines := []string{row(header), strings.Repeat("|---", len(header)) + "|"}
	for i, fact := range platforms[0].Facts {
		cells := []string{fact.Name}
		for _, p := range platforms {
			cells = append(cells, p.Facts[i].Text)
		}
		lines = append(lines, row(cells))
	}
	return lines
}

func row(cells []string) string {
	return strings.ReplaceAll("| "+strings.Join(cells, " | ")+" |", "|  |", "| |")
}

// cellsOf splits a row of a table.
func cellsOf(line string) []string {
	var cells []string
	for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
		cells = append(cells, strings.TrimSpace(cell))
	}
	return cells
}

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

// Every system says the same six things of itself, so that they can be compared.
func TestPlatformsCanBeCompared(t *testing.T) {
	platforms := embeddedForTest(t)
	if len(platforms) != 7 {
		t.Fatalf("%d platforms, want B2Trader by two clients, four others, and B2BINPAY's version 3", len(platforms))
	}
	for _, p := range platforms {
		if p.ID == "b2trader-lk" || p.ID == "b2binpay-v3" {
			continue // it is a system once more
		}
		var names []string
		for _, fact := range p.Facts {
			names = append(names, fact.Name)
			if strings.TrimSpace(fact.Text) == "" || strings.ContainsAny(fact.Text, "|\n") {
				t.Errorf("%s: %s is %q, which no cell of a table can hold", p.Name, fact.Name, fact.Text)
			}
		}
		if want := []string{"Signs in with", "What is sent", "Access token", "Refresh token", "When the refresh token is refused", "This client adds"}; !slices.Equal(names, want) {
			t.Errorf("%s tells %q, want %q", p.Name, names, want)
		}
	}
}

// docs/neighbours.md has the table that the page shows, word for word.
func TestPlatformsAreComparedInTheDocuments(t *testing.T) {
	want := compared(embeddedForTest(t))
	const header = "| | B2Trader | B2Core platforms | TraderEvolution Back Office | Tradevest | B2BINPAY |"
	if want[0] != header {
		t.Fatalf("the page's table begins\n%s\nwant\n%s", want[0], header)
	}
	readme, err := os.ReadFile("../../docs/neighbours.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(readme), "\n")
	begin := slices.Index(lines, header)
	if begin < 0 {
		t.Fatalf("docs/neighbours.md lacks the table:\n\n%s\n", strings.Join(want, "\n"))
	}
	got := lines[begin:]
	if end := slices.IndexFunc(got, func(line string) bool { return !strings.HasPrefix(line, "|") }); end >= 0 {
		got = got[:end]
	}
	if len(got) != len(want) {
		t.Errorf("the table in docs/neighbours.md has %d lines, want %d", len(got), len(want))
	}
	for i := 2; i < min(len(got), len(want)); i++ {
		if g, w := cellsOf(got[i]), cellsOf(want[i]); !slices.Equal(g, w) {
			t.Errorf("docs/neighbours.md has\n%q\nwant\n%q", g, w)
		}
	}
	if t.Failed() {
		t.Logf("the table should be:\n\n%s\n", strings.Join(want, "\n"))
	}
}

// A renewal that is to fail does, in the platform's own words, until that is taken back.
func TestPlatformsFail(t *testing.T) {
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
