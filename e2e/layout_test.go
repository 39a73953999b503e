package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	module     = "b2trader.identity.auth"
	repository = ".."
)

// room is what a package of this module may be made of. A package name may end
// with /... for the packages below it.
type room struct {
	imports string   // packages of this module, for direct imports
	modules []string // other modules, for direct and indirect imports
	moving  bool     // the room may be missing, because it is being built or removed
}

// rooms are all packages of this module. Imports run one way:
//
//	cmd/demo -> showcase -> web -> web/internal/{gateway,session}
//	web/internal/{gateway,session} -> {vault, records} -> store
//	vault -> tokenapi <- clients
//
// A database driver is used by its own store and by cmd/demo only. A client
// uses no store, a store no other store, and a test server no client.
var rooms = map[string]room{
	"cmd/demo": {
		imports: "cmd/demo/showcase identity identity/... static templates web",
		modules: slices.Concat(webModules, identityServerModules, redisModules, postgresModules, sqliteModules),
	},
	"cmd/demo/showcase": {
		imports: "identity identity/store identity/store/records identity/tokenapi identity/vault static templates web", modules: webModules,
	},

	"web": {
		imports: "identity identity/store identity/store/memstore identity/store/records identity/tokenapi identity/vault static templates web/internal/...",
		modules: webModules,
	},
	"web/internal/answer":  {imports: "identity identity/store identity/tokenapi identity/vault templates web/internal/request", modules: webModules},
	"web/internal/gateway": {imports: "identity/tokenapi identity/vault web/internal/answer web/internal/request", modules: webModules},
	"web/internal/request": {},
	"web/internal/session": {imports: "identity/store identity/store/records identity/vault web/internal/request", modules: append(sessionModules, oauth2Modules...), moving: true},
	"templates":            {imports: "static", modules: templModules},
	"static":               {},

	"identity/vault":             {imports: "identity/internal/checkconfig identity/internal/sharded identity/store identity/store/records identity/tokenapi", modules: oauth2Modules},
	"identity/worker":            {imports: "identity/internal/checkconfig identity/store identity/store/memstore identity/tokenapi identity/vault", modules: oauth2Modules},
	"identity/store":             {},
	"identity/store/records":     {imports: "identity/internal/checkconfig identity/internal/sharded identity/store"},
	"identity/store/memstore":    {imports: storeRooms},
	"identity/store/pgstore":     {imports: storeRooms, modules: postgresModules},
	"identity/store/redisstore":  {imports: storeRooms, modules: redisModules},
	"identity/store/sqlitestore": {imports: storeRooms, modules: sqliteModules},

	"identity/store/internal/lifecycle":    {imports: "identity/store identity/store/internal/watch"},
	"identity/store/internal/precondition": {imports: "identity/store"},
	"identity/store/internal/storeurl":     {},
	"identity/store/internal/watch":        {imports: "identity/store"},

	"identity":                      {imports: clientRooms + " identity/internal/jwt", modules: identityModules},
	"identity/b2binpay":             {imports: clientRooms, modules: oauth2Modules},
	"identity/b2core":               {imports: clientRooms, modules: oauth2Modules},
	"identity/tradevest":            {imports: clientRooms, modules: oauth2Modules},
	"identity/traderevolution":      {imports: clientRooms, modules: oauth2Modules},
	"identity/oauth2refresher":      {imports: "identity/internal/checkconfig identity/internal/httpx identity/tokenapi", modules: oauth2Modules},
	"identity/tokenapi":             {imports: "identity/internal/checkconfig", modules: oauth2Modules},
	"identity/internal/httpx":       {imports: "identity/internal/checkconfig identity/internal/strictjson identity/tokenapi", modules: oauth2Modules},
	"identity/internal/jwt":         {imports: "identity/internal/strictjson", modules: []string{"github.com/go-jose/go-jose/v4"}},
	"identity/internal/strictjson":  {},
	"identity/internal/checkconfig": {},
	"identity/internal/sharded":     {},

	// Rooms for tests. No other room but cmd/demo, which embeds the test
	// servers, is built from them.
	"identity/apitest":                             {imports: testServerRooms, modules: oauth2Modules},
	"identity/identitytest":                        {imports: testServerRooms, modules: identityServerModules},
	"identity/identitytest/cmd/identityserver":     {imports: "identity/identitytest", modules: identityServerModules},
	"identity/identitytest/npmclient":              {},
	"identity/b2binpay/b2binpaytest":               {imports: testServerRooms, modules: oauth2Modules},
	"identity/b2core/b2coretest":                   {imports: testServerRooms, modules: oauth2Modules},
	"identity/tradevest/tradevesttest":             {imports: testServerRooms, modules: oauth2Modules},
	"identity/traderevolution/traderevolutiontest": {imports: testServerRooms, modules: oauth2Modules},
	"identity/internal/clienttest":                 {imports: "identity/apitest identity/tokenapi", modules: oauth2Modules},
	"identity/internal/vaulttest":                  {imports: "identity/apitest identity/store/memstore identity/tokenapi identity/vault", modules: oauth2Modules},
	"identity/store/storetest":                     {imports: "identity/store", modules: []string{"golang.org/x/sync"}},
	"identity/store/storetest/servers":             {imports: "identity/store/storetest", modules: []string{"golang.org/x/sync"}},
	"docs":                                         {},
	"templates/pagetest":                           {modules: []string{"github.com/PuerkitoBio/goquery", "github.com/andybalholm/cascadia", "golang.org/x/net"}},
	"e2e":                                          {},
}

const (
	clientRooms     = "identity/internal/checkconfig identity/internal/httpx identity/internal/strictjson identity/tokenapi"
	storeRooms      = "identity/internal/checkconfig identity/store identity/store/internal/..."
	testServerRooms = "identity/apitest identity/internal/checkconfig identity/tokenapi"
)

var (
	oauth2Modules         = []string{"golang.org/x/oauth2"}
	identityModules       = []string{"github.com/coreos/go-oidc/v3", "github.com/go-jose/go-jose/v4", "golang.org/x/oauth2"}
	identityServerModules = append(oauth2Modules, "github.com/go-jose/go-jose/v4", "golang.org/x/net") // x/net/websocket
	templModules          = []string{"github.com/a-h/templ"}
	sessionModules        = []string{"github.com/alexedwards/scs/v2"}
	metricsModules        = []string{
		"github.com/beorn7/perks", "github.com/cespare/xxhash/v2", "github.com/munnerz/goautoneg", "github.com/prometheus/client_golang",
		"github.com/prometheus/client_model", "github.com/prometheus/common", "github.com/prometheus/procfs", "go.yaml.in/yaml/v2",
		"golang.org/x/sys", "google.golang.org/protobuf",
	}
	tracingModules  = []string{"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/trace"} // without its SDK
	webModules      = slices.Concat(identityModules, metricsModules, templModules, sessionModules, tracingModules, []string{"golang.org/x/sync"})
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

// listed is the answer of go list for one package.
type listed struct {
	ImportPath string
	Name       string
	Dir        string
	Imports    []string
	Deps       []string
	GoFiles    []string
	Module     *struct{ Path string }
}

// room returns the package's path in this module, or false for another module.
func (l listed) room() (string, bool) {
	return strings.TrimPrefix(l.ImportPath, module+"/"), l.Module != nil && l.Module.Path == module
}

// listOnce runs go list once for all tests.
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

// TestLayout compares each package with its room.
func TestLayout(t *testing.T) {
	t.Parallel()
	packages := must(listOnce())(t)
	for _, p := range packages {
		name, ours := p.room()
		if !ours {
			continue
		}
		room, known := rooms[name]
		if !known {
			t.Errorf("package %s has no room in layout_test.go", name)
		}
		for _, imported := range p.Imports {
			if other, ours := packages[imported].room(); ours && !room.mayImport(other) {
				t.Errorf("%s imports %s, want only %s", name, other, room.imports)
			}
		}
		for _, dependency := range p.Deps {
			other, ours := packages[dependency].room()
			if isTest(other, ours) && !isTest(name, true) && name != "cmd/demo" {
				t.Errorf("%s is built from %s, which is for tests", name, dependency)
			}
			if m := packages[dependency].Module; m != nil && !ours && !slices.Contains(room.modules, m.Path) {
				t.Errorf("%s is built from %s, want only %v", name, dependency, room.modules)
			}
		}
	}
	for name, room := range rooms {
		if _, found := packages[module+"/"+name]; !found && !room.moving {
			t.Errorf("there is no package %s", name)
		}
	}
}

func (r room) mayImport(other string) bool {
	for _, allowed := range strings.Fields(r.imports) {
		below, isTree := strings.CutSuffix(allowed, "/...")
		if other == allowed || isTree && strings.HasPrefix(other, below+"/") {
			return true
		}
	}
	return false
}

// isTest reports whether a package is for tests only.
func isTest(name string, ours bool) bool {
	if !ours {
		return name == "testing" || name == "net/http/httptest"
	}
	return name == "e2e" || name == "docs" || strings.HasSuffix(name, "test") || strings.Contains(name, "test/")
}

// TestPackageNames refuses names that do not say what is inside.
func TestPackageNames(t *testing.T) {
	t.Parallel()
	vague := []string{"util", "utils", "common", "types", "helpers", "misc", "kit"}
	for _, p := range must(listOnce())(t) {
		name, ours := p.room()
		if !ours {
			continue
		}
		if slices.Contains(vague, p.Name) {
			t.Errorf("package %s: the name %s does not say what is inside", name, p.Name)
		}
		for _, file := range p.GoFiles {
			if base := strings.TrimSuffix(file, ".go"); slices.Contains(vague, base) {
				t.Errorf("%s: the name does not say what is inside", path.Join(name, file))
			}
		}
	}
}
