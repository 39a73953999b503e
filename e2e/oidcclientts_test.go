package e2e

import (
	"html/template"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/identitytest/npmclient"
)

// runOIDCClientTS runs the npm package oidc-client-ts in Chromium, where the
// user signs in by the test server's page.
func runOIDCClientTS(t *testing.T, p *relyingParty) {
	dir := npmclient.InstallPackage(t, "oidc-client-ts", oidcClientTSVersion)
	page := template.Must(template.ParseFiles("testdata/oidc-client-ts.html"))
	site := http.NewServeMux()
	site.HandleFunc("/oidc-client-ts.min.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(dir, "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"))
	})
	site.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		if err := page.Execute(w, map[string]string{"Issuer": p.issuer(), "Client": p.client.ID}); err != nil {
			t.Error(err)
		}
	})
	p.serve(t, site)
	b := startChromium(t, p.url)
	b.do(chromedp.Navigate(p.url),
		chromedp.WaitVisible("#email", retry), chromedp.SendKeys("#email", "guarded@example.com"),
		chromedp.SendKeys("#password", "guarded-password"), chromedp.Click("button"),
		chromedp.WaitVisible("#code", retry), chromedp.SendKeys("#code", "246810"), chromedp.Click("button"),
		chromedp.WaitReady("#result", retry))
	if result := eval[string](b, `document.querySelector("#result").textContent`); result != "guarded signed out" {
		t.Errorf("result = %q, want guarded signed out", result)
	}
	if n := p.server.Count(identitytest.EndpointRevocation); n != 2 {
		t.Errorf("revocations = %d, want one of each token", n)
	}
	b.do(chromedp.Navigate(p.url), chromedp.WaitVisible("#email", retry)) // no session is left
}
