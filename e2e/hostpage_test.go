package e2e

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// TestHostPage drives the example of web.Page, as the documentation shows it: a
// host application's page behind the sign-in.
func TestHostPage(t *testing.T) {
	t.Parallel()
	s := newSecrets(t)
	server := startIdentityServer(t, s)
	b := startExample(t, s, server)
	b.open("/orders").want(http.StatusOK, "/sign-in")
	p := b.open("/orders").submit("/sign-in", "Sign in", "email", trader, "password", passwords[trader])
	p = p.want(http.StatusOK, "/orders", "Orders of ", "orders").follow("Account").follow("Orders").want(http.StatusOK, "/orders")
	if got := p.text(`nav a[aria-current="page"]`); got != "Orders" {
		t.Errorf("current entry of the navigation = %q, want Orders", got)
	}
	calls := server.Requests(identitytest.EndpointFrontOffice)
	if len(calls) != 2 || !strings.HasPrefix(calls[0].Header.Get("Authorization"), "Bearer ") || calls[0].Header.Get("Cookie") != "" {
		t.Errorf("%d API calls, want 2 with the bearer and without a cookie", len(calls))
	}
}

// startExample runs the example as a process, until the test ends.
func startExample(t *testing.T, s *secrets, server *identityServer) *browser {
	t.Helper()
	file := filepath.Join(t.TempDir(), "web.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-ldflags=-s -w", "-o", file, "./web")
	build.Dir = repository
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go test -c ./web = %v\n%s", err, output)
	}
	address, log := servers.FreeAddress(t), s.newLog()
	site := must(url.Parse("http://" + address))(t)
	process := exec.CommandContext(t.Context(), file)
	process.Env = append(os.Environ(), "B2TRADER_TEST_SERVE_EXAMPLE=1", "ADDR="+address, "PUBLIC_URL="+site.String(),
		"IDENTITY_URL="+server.URL(), "FRONTOFFICE_URL="+server.URL()+"/frontoffice")
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	client := &http.Client{
		Jar:           must(cookiejar.New(nil))(t),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	b := &browser{t: t, secrets: s, base: site, client: client}
	until(t, "answer of the example", func() bool {
		_, err := b.try(b.fetching("/healthz"))
		return err == nil
	})
	return b
}
