package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/identitytest/npmclient"
)

// npmPage is a page that runs an example of the npm package's README, renews
// and signs out. Its import map makes the example's import work without a
// bundler.
const npmPage = `<!doctype html>
<script type="importmap">{"imports": {"b2trader.identity.auth": "/module.js"}}</script>
<script type="module">
addEventListener("unhandledrejection", (e) => { document.title = "failed: " + e.reason });
addEventListener("error", (e) => { document.title = "failed: " + e.message });
</script>
<script type="module">
%s
const renewal = await identityAuth.refreshToken(tokenData.refresh_token);
const renewed = await renewal.json();
const signOut = await identityAuth.signOut(renewed.access_token);
document.title = [signInResponse.status, tokenData.scope, renewal.status, signOut.status].join();
</script>
`

// npmModule gives the example the published bundle.
const npmModule = `import "/dist/identity-auth.min.js"; export const { IdentityAuth } = self.IdentityAuth;`

// readmeExamples are the examples of the npm package's README for browsers. The
// test server has their users and secrets.
var readmeExamples = regexp.MustCompile("(?s)### Browser, client(?:Id)? = (\\w+)\n+```typescript\n(.+?)```")

// The two examples of the npm package's README run in pages of another origin,
// if a client of the test server allows the origin. field 3
func testNPMInChromium(t *testing.T, npm *npmclient.Package) {
	config := installation("spa_admin", "client_secret_admin")
	config.Users[0].Email, config.Users[0].Password = "login", "password"
	pages := http.NewServeMux()
	origin, stranger := httptest.NewServer(pages), httptest.NewServer(pages)
	t.Cleanup(origin.Close)
	t.Cleanup(stranger.Close)
	config.Clients[0].AllowedCORSOrigins = []string{origin.URL}
	server := identitytest.Start(t, config)
	script := func(content string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = fmt.Fprint(w, content)
		}
	}
	pages.HandleFunc("/module.js", script(npmModule))
	pages.HandleFunc("/dist/identity-auth.min.js", script(string(npm.File(t, "dist/identity-auth.min.js"))))
	examples := readmeExamples.FindAllStringSubmatch(string(npm.File(t, "README.md")), -1)
	if len(examples) != 2 {
		t.Fatalf("examples for browsers = %d, want 2", len(examples))
	}
	b := startChromium(t, origin.URL)
	title := func(page string) string {
		b.do(chromedp.Navigate(page), chromedp.WaitReady("title", retry))
		return eval[string](b, "document.title")
	}
	scopes := map[string]string{"spa": "openid FrontOffice offline_access", "spa_admin": "openid FrontOffice BackOffice offline_access"}
	for _, example := range examples {
		client, code := example[1], strings.ReplaceAll(example[2], "https://example.com", server.URL())
		pages.HandleFunc("/"+client, func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, npmPage, code) })
		if got, want := title(origin.URL+"/"+client), "200,"+scopes[client]+",200,200"; got != want {
			t.Errorf("%s: result = %q, want %q", client, got, want)
		}
		if got := title(stranger.URL + "/" + client); !strings.Contains(got, "Failed to fetch") {
			t.Errorf("%s: result in a page of another origin = %q, want a failure", client, got)
		}
	}
}
