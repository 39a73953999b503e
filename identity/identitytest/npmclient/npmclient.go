// Package npmclient runs the published npm package b2trader.identity.auth in
// tests, for comparison with the Go port. It needs node, npm and, the first
// time on a machine, the npm registry.
package npmclient

import (
	"bufio"
	"bytes"
	"context"
	_ "embed" // for the driver
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Version is the version of the npm package that is run.
const Version = "1.2.0"

// RequireEnv names an environment variable. If it is 1, a test without node,
// npm or the registry fails instead of being skipped.
const RequireEnv = "B2TRADER_TEST_REQUIRE"

// The timeouts of an installation and of a run.
const (
	installTimeout = 3 * time.Minute
	runTimeout     = time.Minute
)

//go:embed driver.cjs
var driver []byte

// Package is the npm package, installed.
type Package struct{ dir string }

// Install installs the npm package, for scripts in a temporary folder of the
// test. Subtests can share it. Without node, npm or the registry it skips the
// test, or fails it if RequireEnv is 1.
func Install(tb testing.TB) *Package {
	tb.Helper()
	dir := InstallPackage(tb, "b2trader.identity.auth", Version)
	writeFile(tb, dir, "driver.cjs", driver)
	return &Package{dir}
}

// InstallPackage installs any npm package and returns a folder, for scripts that
// use it. It keeps the package in the user's cache folder, because a run of npm
// takes longer than most tests. It skips or fails as Install does.
func InstallPackage(tb testing.TB, name, version string) (dir string) {
	tb.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(tb, tool+" is not installed")
		}
	}
	kept := filepath.Join(cacheDir(tb), name+"@"+version)
	if _, err := os.Stat(kept); err != nil {
		fill(tb, kept, name, version)
	}
	dir = tb.TempDir()
	if err := os.Symlink(filepath.Join(kept, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		missing(tb, "no symbolic link to the npm package: "+err.Error()) // Windows without developer mode
	}
	return dir
}

// cacheDir returns where packages are kept: for this test only, if the user has
// no cache folder that can be written.
func cacheDir(tb testing.TB) string {
	tb.Helper()
	if cache, err := os.UserCacheDir(); err == nil {
		dir := filepath.Join(cache, "b2trader.identity.auth", "npm")
		if os.MkdirAll(dir, 0o700) == nil {
			return dir
		}
	}
	return tb.TempDir()
}

// fill installs a package beside kept and renames the result, so that kept is
// always complete. Another process may do the same at the same time.
func fill(tb testing.TB, kept, name, version string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(kept), 0o700); err != nil {
		tb.Fatal(err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(kept), "new-")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithTimeout(tb.Context(), installTimeout)
	defer cancel()
	// npm installs where it finds a package.json: in dir, not in a parent of
	// it.
	writeFile(tb, dir, "package.json", []byte(`{"private":true,"dependencies":{"`+name+`":"`+version+`"}}`))
	install := exec.CommandContext(ctx, "npm", "install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	install.Dir = dir
	if output, err := install.CombinedOutput(); err != nil {
		missing(tb, "npm install failed: "+err.Error()+"\n"+string(output))
	}
	if err := os.Rename(dir, kept); err != nil && !errors.Is(err, fs.ErrExist) {
		tb.Fatal(err)
	}
}

// StartScript installs an npm package and runs a script that uses it until the
// test ends. It returns the first printed line that begins with http://. It
// skips or fails as Install does.
func StartScript(tb testing.TB, name, version, script string, env ...string) string {
	tb.Helper()
	content, err := os.ReadFile(script) //nolint:gosec // the test names a file of its own
	if err != nil {
		tb.Fatal(err)
	}
	dir := InstallPackage(tb, name, version)
	writeFile(tb, dir, filepath.Base(script), content)
	node := exec.CommandContext(tb.Context(), "node", filepath.Join(dir, filepath.Base(script))) //nolint:gosec // the test names a file of its own
	node.Env = append(os.Environ(), env...)
	out, err := node.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := node.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = node.Process.Kill(); _ = node.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "http://") {
			return lines.Text()
		}
	}
	tb.Fatalf("%s ended without printing its URL", script)
	return ""
}

// File returns the content of a file of the published package, such as
// README.md.
func (p *Package) File(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join(p.dir, "node_modules", "b2trader.identity.auth", name)) //nolint:gosec // the test names a file of the package
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

func writeFile(tb testing.TB, dir, name string, content []byte) {
	tb.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil { //nolint:gosec // the test names a file of its own
		tb.Fatal(err)
	}
}

func missing(tb testing.TB, reason string) {
	tb.Helper()
	if os.Getenv(RequireEnv) == "1" {
		tb.Fatal(reason)
	}
	tb.Skip(reason)
}

// Step is one call of the npm package's client. The driver passes the results
// of earlier calls on: cookies to Authorize, the code to RetrieveToken, the
// tokens to RefreshToken and the sign-outs.
type Step struct {
	Call string   `json:"call"`
	Args []string `json:"args,omitempty"`
}

// SignIn is signIn(email, password).
func SignIn(email, password string) Step {
	return Step{Call: "signIn", Args: []string{email, password}}
}

// Authorize is authorize({Cookie: …}) with the text of the sign-in's Set-Cookie
// headers, as the package's README shows it for NodeJS.
func Authorize() Step { return Step{Call: "authorize"} }

// AuthorizeWithoutCookies is authorize().
func AuthorizeWithoutCookies() Step { return Step{Call: "authorizeWithoutCookies"} }

// RetrieveToken is retrieveToken(code).
func RetrieveToken() Step { return Step{Call: "retrieveToken"} }

// RefreshToken is refreshToken(refreshToken).
func RefreshToken() Step { return Step{Call: "refreshToken"} }

// SignOut is signOut(accessToken), which revokes all refresh tokens of user and
// client.
func SignOut() Step { return Step{Call: "signOut"} }

// SignOutOfOne is signOut(accessToken, refreshToken).
func SignOutOfOne() Step { return Step{Call: "signOutOfOne"} }

// MachineToMachineSignIn is machineToMachineSignIn(email, password).
func MachineToMachineSignIn(email, password string) Step {
	return Step{Call: "machineToMachineSignIn", Args: []string{email, password}}
}

// Result is the result of one step. It contains tokens and cookies.
type Result struct {
	// Call is the Step's.
	Call string `json:"call"`
	// Status is the HTTP status, 0 for authorize and retrieveToken, which do
	// not return it.
	Status int `json:"status"`
	// SetCookie is the text of the Set-Cookie headers, joined by node-fetch.
	SetCookie string `json:"setCookie"`
	// Value is the code that authorize returned, empty for null, or a body that
	// is not JSON.
	Value string `json:"value"`
	// Body is the body, if it is a JSON object.
	Body map[string]any `json:"body"`
}

// Text returns a string member of the body, or "".
func (r Result) Text(name string) string {
	text, _ := r.Body[name].(string)
	return text
}

// Run makes the calls, one after the other, on one instance of the npm
// package's client for the server at url (without /identity), and returns one
// result each. An empty secret is left out. A call that throws fails the test.
func (p *Package) Run(tb testing.TB, url, client, secret string, steps ...Step) []Result {
	tb.Helper()
	input, err := json.Marshal(map[string]any{"url": url, "client": client, "secret": secret, "steps": steps})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tb.Context(), runTimeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	node := exec.CommandContext(ctx, "node", "driver.cjs")
	node.Dir, node.Stdin, node.Stdout, node.Stderr = p.dir, bytes.NewReader(input), &stdout, &stderr
	if err := node.Run(); err != nil {
		tb.Fatalf("npm client: %v\n%s", err, &stderr)
	}
	var results []Result
	if err := json.Unmarshal(stdout.Bytes(), &results); err != nil {
		tb.Fatalf("npm client: its results are not JSON: %v", err)
	}
	if len(results) != len(steps) {
		tb.Fatalf("npm client: %d results of %d steps", len(results), len(steps))
	}
	return results
}
