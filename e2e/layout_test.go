package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// module is the name of this module, and repository where it lies, seen from here.
const (
	module     = "b2trader.identity.auth"
	repository = ".."
)

// listed is what `go list -deps -json` says of a package.
type listed struct {
	ImportPath string
	Name       string
	Dir        string
	Imports    []string
	Deps       []string
	GoFiles    []string
	Module     *struct{ Path string }
}

// listOnce asks the go command once for both tests.
var listOnce = sync.OnceValues(func() (map[string]listed, error) {
	cmd := exec.CommandContext(context.Background(), "go", "list", "-deps", "-json=ImportPath,Name,Dir,Imports,Deps,GoFiles,Module", "./...")
	cmd.Dir = repository
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	packages := make(map[string]listed)
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		packages[p.ImportPath] = p
	}
})

// listPackages returns every package of the module and all they are built from.
func listPackages(t *testing.T) map[string]listed {
	t.Helper()
	packages, err := listOnce()
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// mayImport says which packages of the module each package may import. A
// package that is not here does not belong to the house. A store knows no
// other store, and the vault knows none of them.
var mayImport = map[string][]string{
	"cmd/demo": {
		"identity", "identity/apitest", "identity/b2binpay", "identity/b2binpay/b2binpaytest", "identity/b2core", "identity/b2core/b2coretest",
		"identity/identitytest", "identity/store", "identity/store/memstore", "identity/store/pgstore", "identity/store/redisstore",
		"identity/store/sqlitestore", "identity/tokenapi", "identity/tradevest", "identity/tradevest/tradevesttest", "identity/traderevolution",
		"identity/traderevolution/traderevolutiontest", "identity/vault", "templates", "web",
	},
	"e2e":                              {},
	"identity":                         clientPackages,
	"identity/apitest":                 {},
	"identity/identitytest":            {"identity/apitest"},
	"identity/identitytest/npmclient":  {},
	"identity/internal/clienttest":     {"identity/apitest", "identity/tokenapi"},
	"identity/internal/httpx":          {"identity/tokenapi"},
	"identity/internal/sharded":        {},
	"identity/internal/vaulttest":      {"identity/store/memstore", "identity/vault"},
	"identity/store/storetest/servers": {},
	"identity/store":                   {},
	"identity/store/internal/feed":     {"identity/store"},
	"identity/store/internal/rule":     {"identity/store"},
	"identity/store/memstore":          storePackages,
	"identity/store/mirror":            {"identity/store"},
	"identity/store/pgstore":           storePackages,
	"identity/store/records":           {"identity/internal/sharded", "identity/store"},
	"identity/store/redisstore":        storePackages,
	"identity/store/sqlitestore":       storePackages,
	"identity/store/storetest":         {"identity/store"},
	"identity/tokenapi":                {},

	"identity/b2binpay":                            clientPackages,
	"identity/b2binpay/b2binpaytest":               {"identity/apitest"},
	"identity/b2core":                              clientPackages,
	"identity/b2core/b2coretest":                   {"identity/apitest", "identity/tokenapi"},
	"identity/tradevest":                           clientPackages,
	"identity/tradevest/tradevesttest":             {"identity/apitest"},
	"identity/traderevolution":                     clientPackages,
	"identity/traderevolution/traderevolutiontest": {"identity/apitest"},

	"identity/vault": {"identity/store", "identity/store/records", "identity/tokenapi"},
	"static":         {},
	"templates":      {"static"},
	"web":            {"identity", "identity/store", "identity/store/memstore", "identity/store/mirror", "identity/store/records", "identity/tokenapi", "identity/vault", "static", "templates"},
}

// clientPackages are what every client of a token API is made of.
var clientPackages = []string{"identity/internal/httpx", "identity/tokenapi"}

var storePackages = []string{"identity/store", "identity/store/internal/feed", "identity/store/internal/rule"}

// mayUse says which other modules each package may be built from, directly or
// not. A database's driver is its own store's, and the command's.
var mayUse = map[string][]string{
	"cmd/demo":                         slices.Concat(webModules, redisModules, postgresModules, sqliteModules),
	"e2e":                              {},
	"identity":                         identityModules,
	"identity/apitest":                 {},
	"identity/identitytest":            {"github.com/go-jose/go-jose/v4"},
	"identity/identitytest/npmclient":  {},
	"identity/internal/clienttest":     {"golang.org/x/oauth2"},
	"identity/internal/httpx":          {"golang.org/x/oauth2"},
	"identity/internal/sharded":        {},
	"identity/internal/vaulttest":      {"golang.org/x/oauth2"},
	"identity/store/storetest/servers": {},
	"identity/store":                   {},
	"identity/store/internal/feed":     {},
	"identity/store/internal/rule":     {},
	"identity/store/memstore":          {},
	"identity/store/mirror":            {},
	"identity/store/pgstore":           postgresModules,
	"identity/store/redisstore":        redisModules,
	"identity/store/sqlitestore":       sqliteModules,
	"identity/store/storetest":         {"golang.org/x/sync"},
	"identity/tokenapi":                {"golang.org/x/oauth2"},

	"identity/b2binpay":                            {"golang.org/x/oauth2"},
	"identity/b2binpay/b2binpaytest":               {},
	"identity/b2core":                              {"golang.org/x/oauth2"},
	"identity/b2core/b2coretest":                   {"golang.org/x/oauth2"},
	"identity/tradevest":                           {"golang.org/x/oauth2"},
	"identity/tradevest/tradevesttest":             {},
	"identity/traderevolution":                     {"golang.org/x/oauth2"},
	"identity/traderevolution/traderevolutiontest": {},

	"identity/vault": {"golang.org/x/oauth2"},
	"static":         {},
	"templates":      {"github.com/a-h/templ"},
	"web":            webModules,
}

var (
	identityModules = []string{"github.com/coreos/go-oidc/v3", "github.com/go-jose/go-jose/v4", "golang.org/x/oauth2"}
	metricsModules  = []string{
		"github.com/beorn7/perks", "github.com/cespare/xxhash/v2", "github.com/munnerz/goautoneg", "github.com/prometheus/client_golang",
		"github.com/prometheus/client_model", "github.com/prometheus/common", "github.com/prometheus/procfs", "go.yaml.in/yaml/v2",
		"golang.org/x/sys", "google.golang.org/protobuf",
	}
	webModules = slices.Concat(identityModules, metricsModules, []string{
		"github.com/a-h/templ", "github.com/alexedwards/scs/v2", "golang.org/x/time",
	})
	redisModules    = []string{"github.com/redis/rueidis", "golang.org/x/sys"}
	postgresModules = []string{
		"github.com/jackc/pgpassfile", "github.com/jackc/pgservicefile", "github.com/jackc/pgx/v5", "github.com/jackc/puddle/v2",
		"golang.org/x/sync", "golang.org/x/text",
	}
	sqliteModules = []string{
		"github.com/dustin/go-humanize", "github.com/google/uuid", "github.com/mattn/go-isatty", "github.com/ncruces/go-strftime",
		"github.com/remyoudompheng/bigfft", "golang.org/x/sys", "modernc.org/libc", "modernc.org/mathutil", "modernc.org/memory", "modernc.org/sqlite",
	}
)

// The dependency rule: who may import whom, and what each is built from.
func TestImports(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
	seen := 0
	for name, p := range packages {
		if p.Module == nil || p.Module.Path != module {
			continue
		}
		seen++
		room := strings.TrimPrefix(strings.TrimPrefix(name, module), "/")
		allowed, known := mayImport[room]
		if !known {
			t.Errorf("%s is no room of the house", name)
		}
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s", room, ours)
			}
		}
		for _, dependency := range p.Deps {
			d := packages[dependency]
			if d.Module != nil && d.Module.Path != module && !slices.Contains(mayUse[room], d.Module.Path) {
				t.Errorf("%s is built from %s", room, dependency)
			}
		}
	}
	if seen != len(mayImport) {
		t.Errorf("%d packages, want %d", seen, len(mayImport))
	}
	for room := range mayImport {
		if forTests(room) || room == "cmd/demo" { // which embeds test servers
			continue
		}
		for _, dependency := range packages[module+"/"+room].Deps {
			if ours, ok := strings.CutPrefix(dependency, module+"/"); dependency == "testing" || dependency == "net/http/httptest" || ok && forTests(ours) {
				t.Errorf("%s is built from %s, which is for tests", room, dependency)
			}
		}
	}
}

// forTests reports whether a room is there for tests: a test server, a suite, or what they start.
func forTests(room string) bool {
	return strings.HasSuffix(room, "test") || strings.Contains(room, "test/")
}

// Every package says what it is for, and is named for what it does.
func TestPackagesAreDocumented(t *testing.T) {
	t.Parallel()
	for name, p := range listPackages(t) {
		if p.Module == nil || p.Module.Path != module {
			continue
		}
		prefix := "Package " + p.Name + " "
		if p.Name == "main" {
			prefix = "Command " + path.Base(name) + " "
		}
		if doc := packageDoc(t, p); !strings.HasPrefix(doc, prefix) {
			t.Errorf("the doc of %s begins %.60q", name, doc)
		}
		if slices.Contains([]string{"util", "utils", "common", "types", "helpers", "misc", "http", "errors"}, p.Name) {
			t.Errorf("%s has a name that says nothing", name)
		}
		for _, file := range p.GoFiles {
			if slices.Contains([]string{"util.go", "utils.go", "common.go", "types.go", "helpers.go", "misc.go"}, file) {
				t.Errorf("%s has a file %s", name, file)
			}
		}
	}
}

// packageDoc returns the package's doc, from the files that somebody wrote.
func packageDoc(t *testing.T, p listed) string {
	t.Helper()
	var docs []string
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if file.Doc != nil && !ast.IsGenerated(file) {
			docs = append(docs, file.Doc.Text())
		}
	}
	if len(docs) > 1 {
		t.Errorf("%s has %d docs", p.ImportPath, len(docs))
	}
	return strings.Join(docs, "\n")
}

// maxLines is how long a file may be that somebody wrote by hand.
const maxLines = 500

func TestNoLongFiles(t *testing.T) {
	t.Parallel()
	counted := 0
	err := filepath.WalkDir(repository, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == ".git" || entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if !slices.Contains([]string{".go", ".templ", ".css", ".js", ".cjs"}, filepath.Ext(name)) {
			return nil
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		counted++
		if n := lines(content); n > maxLines && !generated.Match(content) {
			t.Errorf("%s has %d lines", name, n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if counted < 50 {
		t.Errorf("only %d files were found", counted)
	}
}

func lines(content []byte) int { return bytes.Count(content, []byte("\n")) }

// generated looks for the comment of https://go.dev/s/generatedcode.
var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)
