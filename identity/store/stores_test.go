package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Every store below this package passes the conformance suite. Their names end
// with "store".
func TestEveryStoreRunsTheSuite(t *testing.T) {
	t.Parallel()
	stores, _ := filepath.Glob("*store")
	if len(stores) < 4 {
		t.Errorf("found the stores %q, want at least 4", stores)
	}
	for _, dir := range stores {
		runs := false
		tests, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
		for _, file := range tests {
			text, err := os.ReadFile(file)
			runs = runs || err == nil && bytes.Contains(text, []byte("storetest.Run("))
		}
		if !runs {
			t.Errorf("no test in %s calls storetest.Run", dir)
		}
	}
}
