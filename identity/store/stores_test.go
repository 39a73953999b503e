package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// listed is what `go list -json` reports of a package.
type listed struct {
	ImportPath string
	Dir        string
	Deps       []string
	Module     *struct{ Path string }
}

func list(t *testing.T, arguments ...string) []listed {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,Deps,Module"}, arguments...)...).Output()
	if err != nil {
		t.Fatalf("go list %q: %v", arguments, err)
	}
	var packages []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// isStore reports whether a package below this one implements Store: all of
// them are named for it.
func isStore(importPath string) bool {
	name := path.Base(importPath)
	return strings.HasSuffix(name, "store") && name != "store"
}

// A program that imports a store compiles its driver and no other driver. A
// program that imports another package compiles none.
func TestDriversStayInTheirStores(t *testing.T) {
	modules := map[string]string{}
	for _, p := range list(t, "-deps", "./...") {
		if p.Module != nil {
			modules[p.ImportPath] = p.Module.Path
		}
	}
	homes := map[string]string{} // of a driver and of the modules that it needs
	for _, p := range list(t, "./...") {
		for _, dependency := range p.Deps {
			module := modules[dependency]
			switch {
			case module == "" || module == "b2trader.identity.auth" || strings.HasPrefix(module, "golang.org/x/"):
			case !isStore(p.ImportPath):
				t.Errorf("%s depends on %s, want no driver outside a store", p.ImportPath, module)
			case homes[module] == "":
				homes[module] = p.ImportPath
			case homes[module] != p.ImportPath:
				t.Errorf("%s depends on %s, want it in %s only", p.ImportPath, module, homes[module])
			}
		}
	}
	if len(homes) < 3 {
		t.Errorf("found the modules %v, want at least three drivers", homes)
	}
}

// Every store passes the conformance suite.
func TestEveryStoreRunsTheSuite(t *testing.T) {
	stores := 0
	for _, p := range list(t, "./...") {
		if !isStore(p.ImportPath) {
			continue
		}
		stores++
		files, err := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		runs := false
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runs = runs || bytes.Contains(text, []byte("storetest.Run("))
		}
		if !runs {
			t.Errorf("no test of %s calls storetest.Run", p.ImportPath)
		}
	}
	if stores < 4 {
		t.Errorf("found %d stores, want at least 4", stores)
	}
}
