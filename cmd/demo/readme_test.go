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
	flagInHelp   = regexp.MustCompile(`(?m)^  -([a-z-]+)`)
	flagInReadme = regexp.MustCompile("`-([a-z-]+)`")
)

// req 87: the README's table of settings has every flag, and no other; among them how long sessions last.
func TestSettingsAreInTheREADME(t *testing.T) {
	var help bytes.Buffer
	if err := run(t.Context(), []string{"-help"}, nil, &help, &help); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for line := range strings.Lines(string(readme)) {
		if first, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " | "); ok && strings.HasPrefix(line, "| `-") {
			told = append(told, firstOf(flagInReadme, first)...)
		}
	}
	slices.Sort(told)
	if flags := firstOf(flagInHelp, help.String()); !slices.Equal(told, flags) || len(flags) < 20 {
		t.Errorf("the README tells of\n%v\nthe flags are\n%v", told, flags)
	}
	for name, life := range map[string]string{"idle": "15m", "absolute": "10h"} {
		if !strings.Contains(help.String(), "0: "+life) || !strings.Contains(string(readme), "`-idle-timeout`, `-absolute-timeout` | 15m, 10h |") {
			t.Errorf("the %s timeout is not told alike", name)
		}
	}
}

// firstOf are the first submatches of pattern in text.
func firstOf(pattern *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}
