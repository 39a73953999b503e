package e2e

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPackagesAreDocumented wants one package comment for each package, which
// begins with the package's name.
func TestPackagesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, p := range must(listOnce())(t) {
		name, ours := p.room()
		if !ours || len(p.GoFiles) == 0 { // nothing but tests
			continue
		}
		prefix := "Package " + p.Name + " "
		if p.Name == "main" {
			prefix = "Command " + path.Base(name) + " "
		}
		if docs := packageDocs(t, p); len(docs) != 1 || !strings.HasPrefix(docs[0], prefix) {
			t.Errorf("package comments of %s = %.60q, want one that begins with %q", name, docs, prefix)
		}
	}
}

// packageDocs returns the package comments of the files written by hand.
func packageDocs(t *testing.T, p listed) []string {
	t.Helper()
	var docs []string
	for _, name := range p.GoFiles {
		file := must(parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments))(t)
		if file.Doc != nil && !ast.IsGenerated(file) {
			docs = append(docs, file.Doc.Text())
		}
	}
	return docs
}

// handwritten returns the files with one of the extensions that no program
// generated, by their paths in the repository.
func handwritten(t *testing.T, extensions ...string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	err := filepath.WalkDir(repository, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", "node_modules"}, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || !slices.Contains(extensions, filepath.Ext(name)):
			return nil
		}
		content, err := os.ReadFile(name)
		if err == nil && !generated.Match(content) {
			files[filepath.ToSlash(strings.TrimPrefix(name, repository+string(filepath.Separator)))] = content
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no files with the extensions %v", extensions)
	}
	return files
}

// generated matches the comment of https://go.dev/s/generatedcode.
var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// maxLines is the length that a handwritten file may have.
const maxLines = 500

func TestNoLongFiles(t *testing.T) {
	t.Parallel()
	for name, content := range handwritten(t, ".go", ".templ", ".css", ".js", ".cjs") {
		if n := bytes.Count(content, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines, want at most %d", name, n, maxLines)
		}
	}
}
