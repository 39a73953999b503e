package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

	testName = regexp.MustCompile("`([a-z0-9_/]+)\\.(Test\\w+)`")
	fileName = regexp.MustCompile("`((?:cmd|docs|e2e|identity|static|templates|web)/[a-z0-9_/]*[a-z0-9_](?:\\.(?:go|templ|yaml|css|js))?)`")
)

// Each test that a document names exists, in the package that it names.
func TestNamedTestsExist(t *testing.T) {
	known := map[string]bool{}
	for path := range goFiles(t) {
		if !strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, m := range testFunction.FindAllStringSubmatch(read(t, path), -1) {
			known[filepath.ToSlash(filepath.Dir(path))+"."+m[1]] = true
		}
	}
	for _, document := range documents(t) {
		for _, m := range testName.FindAllStringSubmatch(read(t, document), -1) {
			if !known["../"+m[1]+"."+m[2]] {
				t.Errorf("%s names the test %s.%s, which does not exist", document, m[1], m[2])
			}
		}
	}
}

// Each file and each package that a document names exists.
func TestNamedFilesExist(t *testing.T) {
	for _, document := range documents(t) {
		for _, m := range fileName.FindAllStringSubmatch(read(t, document), -1) {
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				t.Errorf("%s names %s, which does not exist", document, m[1])
			}
		}
	}
}
