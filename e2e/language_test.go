package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notYetPlain are the rooms whose comments and texts are still being rewritten.
// The list only shrinks.
var notYetPlain = []string{
	"static", "templates",
}

// pronoun matches the words that stand for a subject without a name.
var pronoun = regexp.MustCompile(`(?i)\b(who|whoever|nobody|somebody|anybody)\b`)

// named are the nouns that "who" may follow: "the user who signed in" has a
// subject, "for who signed in" has none.
var named = regexp.MustCompile(`(?i)\b(accounts?|administrators?|attackers?|callers?|customers?|developers?|holders?|newcomers?|operators?|owners?|people|persons?|readers?|strangers?|teams?|testers?|those|traders?|users?|visitors?)[,)]? who$`)

// nameless returns the words in a text that stand for a subject without a name.
func nameless(text string) []string {
	var found []string
	for _, at := range pronoun.FindAllStringIndex(text, -1) {
		before, word, after := text[:at[0]], text[at[0]:at[1]], text[at[1]:]
		isAddress, isCode := strings.HasPrefix(after, "@"), word == "NoBody"
		if isAddress || isCode || strings.EqualFold(word, "who") && named.MatchString(before+word) {
			continue
		}
		found = append(found, word)
	}
	return found
}

func TestNameless(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"Who must be certain uses Put.":              1,
		"It is offered to whoever asks.":             1,
		"Nobody knows; somebody or anybody may ask.": 3,
		"It says who is signed in.":                  1,
		"It ends the session of the user who calls.": 0,
		"The traders, who are many, sign in.":        0,
		"Sign in as nobody@example.com.":             0,
		"The whole of it is a whois.":                0,
	} {
		if got := nameless(text); len(got) != want {
			t.Errorf("nameless(%q) = %q, want %d words", text, got, want)
		}
	}
}

// TestPlainLanguage reads production code, templates and papers. A sentence has
// a subject with a name, and comment lines have at most maxColumns.
func TestPlainLanguage(t *testing.T) {
	t.Parallel()
	for name, content := range handwritten(t, ".go", ".templ", ".css", ".js", ".md") {
		isTest := strings.HasSuffix(name, "_test.go") || strings.Contains(name, "/testdata/")
		if isTest || slices.Contains(notYetPlain, filepath.ToSlash(filepath.Dir(name))) {
			continue
		}
		last := "" // word of the line before, to which a "who" may belong
		for n, line := range strings.Split(string(content), "\n") {
			where := fmt.Sprintf("%s:%d", name, n+1)
			text := strings.Trim(line, "/*# \t")
			if words := nameless(last + " " + text); len(words) > 0 {
				t.Errorf("%s: %q in %q, want a subject with a name", where, words, text)
			}
			if last = text[strings.LastIndex(text, " ")+1:]; pronoun.MatchString(last) {
				last = ""
			}
			if columns := commentColumns(line); columns > maxColumns {
				t.Errorf("%s: comment of %d columns, want at most %d", where, columns, maxColumns)
			}
		}
	}
}

// maxColumns is the width of a comment line. Comments wrap at 80; some lines
// end later, because a word or an example cannot be split.
const maxColumns = 100

// commentColumns returns the width of a line that is a comment only, with tabs
// of 4, or 0 for another line or a line with a URL.
func commentColumns(line string) int {
	text := strings.TrimSpace(line)
	if !strings.HasPrefix(text, "//") || strings.Contains(text, "://") {
		return 0
	}
	return len([]rune(strings.ReplaceAll(line, "\t", "    ")))
}
