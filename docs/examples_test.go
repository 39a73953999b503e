package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// Each block of Go in a document is a part of an Example function, so it
// compiles.
func TestExamplesCompile(t *testing.T) {
	var examples strings.Builder
	for path := range goFiles(t) {
		if strings.HasSuffix(path, "example_test.go") {
			examples.WriteString(exampleBodies(t, path))
		}
	}
	examples.WriteString(exampleBodies(t, "example_test.go"))
	for _, document := range documents(t) {
		for _, m := range goBlock.FindAllStringSubmatch(read(t, document), -1) {
			if !strings.Contains(examples.String(), m[1]) {
				t.Errorf("%s has this code, which is in no Example function:\n%s", document, m[1])
			}
		}
	}
}

// exampleBodies returns the bodies of the Example functions of a file, one tab
// less indented.
func exampleBodies(t *testing.T, path string) string {
	t.Helper()
	source := read(t, path)
	file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var bodies strings.Builder
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Example") {
			body := source[f.Body.Pos() : f.Body.End()-2]
			bodies.WriteString(strings.ReplaceAll(body, "\n\t", "\n"))
		}
	}
	return bodies.String()
}

// A newcomer reads at most 130 lines.
func TestREADMEIsShort(t *testing.T) {
	if got := strings.Count(read(t, "../README.md"), "\n"); got > 130 {
		t.Errorf("README.md has %d lines, want at most 130", got)
	}
}
