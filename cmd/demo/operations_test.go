package main

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	flagInHelp  = regexp.MustCompile(`(?m)^  -([a-z-]+)`)
	flagInTable = regexp.MustCompile("`-([a-z-]+)`")
)

// docs/operations.md has a table with every flag and no other, and says how long
// sessions last (req 87).
func TestSettingsAreDocumented(t *testing.T) {
	var help bytes.Buffer
	if err := run(t.Context(), []string{"-help"}, nil, &help, &help); err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for line := range strings.Lines(string(document)) {
		if first, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | "); ok && strings.HasPrefix(line, "| `-") {
			documented = append(documented, firstOf(flagInTable, first)...)
		}
	}
	slices.Sort(documented)
	if flags := firstOf(flagInHelp, help.String()); !slices.Equal(documented, flags) || len(flags) < 20 {
		t.Errorf("docs/operations.md has the flags\n%v\nwant\n%v", documented, flags)
	}
	for name, life := range map[string]string{"idle": "15m", "absolute": "10h"} {
		if !strings.Contains(help.String(), "(default "+life+")") || !strings.Contains(string(document), "`-idle-timeout`, `-absolute-timeout` | 15m, 10h |") {
			t.Errorf("the help and docs/operations.md differ about the %s timeout, want %s in both", name, life)
		}
	}
}

// firstOf returns the first submatches of pattern in text.
func firstOf(pattern *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}
