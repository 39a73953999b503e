package docs

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testFunction = regexp.MustCompile(`(?m)^func (Test\w+)\(`)

	testName = regexp.MustCompile("`([a-z0-9_/]+)\\.(Test\\w+)`")
)

// Each test that a document names exists, in the package that it names.
func TestNamedTestsExist(t *testing.T) {
	known := map[string]bool{}
	for path := range goFiles(t) {
		if !strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, name := range submatches(testFunction, read(t, path)) {
			known[filepath.ToSlash(filepath.Dir(path))+"."+name] = true
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
