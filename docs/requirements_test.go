package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	citation    = regexp.MustCompile(`\breqs? ([0-9]+(?:(?:,\s*|\s+and\s+)[0-9]+)*)`)
	requirement = regexp.MustCompile(`(?m)^\| ([0-9]+) \| [MS] \| (.+) \| [^|]+ \|$`)
	number      = regexp.MustCompile(`[0-9]+`)
)

// Each requirement has a test that names it, or a reason why it has none, and no
// comment names a requirement that does not exist. With -v it lists the tests.
func TestRequirements(t *testing.T) {
	tests := citations(t)
	texts := requirement.FindAllStringSubmatch(read(t, "requirements.md"), -1)
	if len(texts) != 133 {
		t.Errorf("requirements.md has %d requirements, want 133", len(texts))
	}
	for i, m := range texts {
		n, _ := strconv.Atoi(m[1])
		if n != i+1 {
			t.Fatalf("requirement %d follows %d, want %d", n, i, i+1)
		}
		excused := strings.Contains(m[2], "*Not offered: ")
		if held := len(tests[n]) > 0; held == excused {
			t.Errorf("requirement %d: tests %v, \"Not offered\" %t, want one of the two", n, tests[n], excused)
		}
		t.Logf("%d: %s", n, strings.Join(tests[n], ", "))
		delete(tests, n)
	}
	for n, places := range tests {
		t.Errorf("requirement %d does not exist; %v", n, places)
	}
}

// citations returns the functions that name a requirement in a comment or in the
// name of a case, by its number. Outside of a function it gives the package.
func citations(t *testing.T) map[int][]string {
	t.Helper()
	found := map[int][]string{}
	for path := range goFiles(t) {
		source := read(t, path)
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../")
		for _, m := range citation.FindAllStringSubmatchIndex(source, -1) {
			name := room + "." + function(file, token.Pos(m[0]+1))
			for _, digits := range number.FindAllString(source[m[2]:m[3]], -1) {
				n, _ := strconv.Atoi(digits)
				if !slices.Contains(found[n], name) {
					found[n] = append(found[n], name)
				}
			}
		}
	}
	return found
}

// function returns the name of the function, or of its doc comment's function,
// that pos is in, and otherwise of the package.
func function(file *ast.File, pos token.Pos) string {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		start := f.Pos()
		if f.Doc != nil {
			start = f.Doc.Pos()
		}
		if start <= pos && pos <= f.End() {
			return f.Name.Name
		}
	}
	return file.Name.Name
}
