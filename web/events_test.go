package web_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// documentedEvents are those of the table in the package's doc, with their attributes, and the names of the others.
func documentedEvents(t *testing.T) (table map[string][]string, others string) {
	t.Helper()
	raw, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(raw), "// # Events\n")
	section, others, _ = strings.Cut(section, "And these for")
	if !found {
		t.Fatal("the doc has no events")
	}
	table = map[string][]string{}
	for _, line := range regexp.MustCompile(`(?m)^//\t([\w:, -]+?)  +(.*)$`).FindAllStringSubmatch(section, -1) {
		table[line[1]] = regexp.MustCompile(`\b(client|user|account|error|by|sessions|administrator|result|took|origin|fetch_site)\b`).
			FindAllString(regexp.MustCompile(`\(.*?\)|:.*|;.*`).ReplaceAllString(line[2], ""), -1)
	}
	others, _, _ = strings.Cut(strings.ReplaceAll(others, "\n// ", " "), "# Metrics")
	return table, others
}

// req 122: every sign-in, failure, sign-out and revocation is in the log, with who, when and from where.
func TestEveryEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newOffice(t)
		everyEvent(s)
		synctest.Wait()
		logged := map[string]map[string]any{}
		for line := range strings.Lines(s.log.String()) {
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatal(err)
			}
			if name, _ := fields["msg"].(string); logged[name] == nil || fields["error"] != nil {
				logged[name] = fields
			}
		}
		table, _ := documentedEvents(t)
		for _, event := range []string{ // others make these happen
			"tokens not deleted", "sessions ended", "sessions ended: too many of one user", "an administrator ends sessions",
			"back-channel logout", "back-channel logout refused",
		} {
			delete(table, event)
		}
		if len(table) < 18 {
			t.Fatalf("the doc has %d events", len(table))
		}
		background := []string{"token renewal", "session timed out", "tokens revoked"} // also without a request
		for event, attributes := range table {
			fields := logged[event]
			if fields == nil {
				t.Errorf("%q is not logged", event)
				continue
			}
			if !slices.Contains(background, event) {
				attributes = append(attributes, "request", "address")
			}
			for _, name := range append(attributes, "time") {
				if fields[name] == nil || fields[name] == "" {
					t.Errorf("%q is logged without %s: %v", event, name, fields)
				}
			}
		}
	})
}

// everyEvent makes everything happen that the log tells of.
func everyEvent(s *site) {
	b := s.browser()
	b.post("/sign-in", "email", "trader@example.com", "password", "wrong-password", "client", "spa").is(422)
	b.signIn("trader", "spa").leadsTo("/account")
	b.header.Set("Sec-Fetch-Site", "cross-site")
	b.header.Set("Origin", "https://evil.example")
	b.post("/sign-out").is(403)
	b.header.Set("Sec-Fetch-Site", "same-origin")
	b.header.Del("Origin")
	b.post("/sign-out")
	b.signIn("trader", "spa").leadsTo("/account")
	s.identity.RevokeTokens("trader@example.com")
	s.identity.EndSessions("trader@example.com")
	pass(31 * time.Second)
	b.get("/account")

	guarded := s.browser()
	attempt := guarded.get(guarded.signIn("guarded", "spa").header.Get("Location")).doc().Find("input[name=attempt]").AttrOr("value", "")
	guarded.post("/sign-in/second-factor", "attempt", attempt, "code", "000000").is(422)
	guarded.post("/sign-in/second-factor", "attempt", attempt, "code", "246810").leadsTo("/account")
	s.identity.Inject(identitytest.EndpointSignOut, identitytest.Fault{Status: 500})
	guarded.post("/sign-out")

	admin := s.browser()
	admin.signIn("admin", "spa_admin").leadsTo("/account")
	admin.post("/machine", "client", "core_ib", "action", "sign-in").leadsTo("/machine")
	admin.post("/machine", "client", "core_ib", "action", "renew").leadsTo("/machine")
	admin.post("/machine", "client", "core_ib", "action", "sign-out").leadsTo("/machine")
	admin.post("/machine", "client", "lk", "action", "sign-in").is(422)
	for _, action := range []string{"sign-in", "renew", "use", "expire", "sign-out"} {
		admin.press("office", action)
	}
	admin.done("office", "sign-in").is(200, "Try again in")
	pass(31 * time.Second)
	admin.press("office", "sign-in").leadsTo("/platforms?of=office")
	admin.done("office", "fail").is(200, "The sign-in is kept.")
	admin.done("office", "renew").is(200, "The sign-in is kept.")
	pass(2 * time.Second)
	s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 500})
	admin.post("/sign-out/everywhere")
	admin.signIn("admin", "spa_admin").leadsTo("/account")
	pass(17 * time.Minute) // idle

	for range 6 {
		b.post("/sign-in", "email", "nobody@example.com", "password", "wrong-password", "client", "spa")
	}
}

// Whatever is logged is documented.
func TestEventsAreDocumented(t *testing.T) {
	table, others := documentedEvents(t)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			method, isMethod := call.Fun.(*ast.SelectorExpr)
			literal, isLiteral := call.Args[2].(*ast.BasicLit)
			if !isMethod || method.Sel.Name != "log" || !isLiteral {
				return true
			}
			seen++
			name, _ := strconv.Unquote(literal.Value)
			if _, ok := table[name]; !ok && !strings.Contains(others, name) {
				t.Errorf("%s logs %q, which the package's doc does not list", file, name)
			}
			return true
		})
	}
	if seen < 20 {
		t.Errorf("found %d events", seen)
	}
}
