package identitytest_test

import (
	"net/http"
	"net/url"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

const pageOrigin = "https://app.example:8443"

// openToPages is a server whose client spa has an origin.
func openToPages(t *testing.T) *browser {
	t.Helper()
	clients := identitytest.SampleClients()
	clients[0].AllowedCORSOrigins = []string{"https://other.example", pageOrigin}
	return start(t, identitytest.Config{Clients: clients})
}

// corsEndpoints are the paths that pages of other origins may call, and whether
// they may send cookies there.
var corsEndpoints = []struct {
	method, path string
	cookies      bool
}{
	{http.MethodGet, "/identity/.well-known/openid-configuration", false},
	{http.MethodGet, "/identity/.well-known/openid-configuration/jwks", false},
	{http.MethodPost, tokenPath, false},
	{http.MethodGet, "/identity/connect/userinfo", false},
	{http.MethodPost, revocationPath, false},
	{http.MethodPost, "/identity/sign-in", true},
	{http.MethodPost, signOutPath, true},
	{http.MethodGet, "/identity/connect/authorize", true},
	{http.MethodGet, "/identity/sign-in-done", true},
	{http.MethodGet, "/identity/unauthorized", true},
}

func wantCORS(t *testing.T, what string, got response, origin string, cookies bool) {
	t.Helper()
	credentials := ""
	if cookies && origin != "" {
		credentials = "true"
	}
	wantEqual(t, what+": Access-Control-Allow-Origin", got.header.Get("Access-Control-Allow-Origin"), origin)
	wantEqual(t, what+": Access-Control-Allow-Credentials", got.header.Get("Access-Control-Allow-Credentials"), credentials)
	wantEqual(t, what+": Vary", got.header.Get("Vary"), "Origin")
}

// field 3
func TestCORSAnswersAndPreflights(t *testing.T) {
	b := openToPages(t)
	for _, c := range corsEndpoints {
		for origin, allowed := range map[string]string{
			pageOrigin: pageOrigin, "https://app.example": "", "http://app.example:8443": "", "null": "", "": "",
			pageOrigin + ".evil.example": "",
		} {
			header := []string{"Access-Control-Request-Method", c.method, "Access-Control-Request-Headers", "authorization,content-type"}
			if origin != "" {
				header = append(header, "Origin", origin)
			}
			what := c.path + " from " + origin
			wantCORS(t, what, b.send(c.method, c.path, "", header[4:]...), allowed, c.cookies)
			got := b.send(http.MethodOptions, c.path, "", header...)
			wantCORS(t, "preflight of "+what, got, allowed, c.cookies)
			wantEqual(t, "status of the preflight of "+what, got.status, http.StatusNoContent)
			methods, headers := c.method, "authorization,content-type"
			if allowed == "" {
				methods, headers = "", ""
			}
			wantEqual(t, "methods of "+what, got.header.Get("Access-Control-Allow-Methods"), methods)
			wantEqual(t, "headers of "+what, got.header.Get("Access-Control-Allow-Headers"), headers)
		}
	}
	got := b.get("/frontoffice/api/v3/account", "Origin", pageOrigin)
	wantEqual(t, "Access-Control-Allow-Origin of an API", got.header.Get("Access-Control-Allow-Origin"), "")
}

// A preflight request is no request to its endpoint: it uses up no fault.
// field 3
func TestPreflightsAreCountedApart(t *testing.T) {
	b := openToPages(t)
	b.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: http.StatusServiceUnavailable})
	b.send(http.MethodOptions, tokenPath, "", "Origin", pageOrigin, "Access-Control-Request-Method", "POST")
	wantEqual(t, "token requests", b.server.Count(identitytest.EndpointToken), 0)
	wantEqual(t, "preflights", b.server.Count(identitytest.EndpointPreflight), 1)
	got := b.postForm(tokenPath, url.Values{}, "Origin", pageOrigin)
	wantEqual(t, "status of the faulty answer", got.status, http.StatusServiceUnavailable)
	wantCORS(t, "the faulty answer", got, pageOrigin, false)
}

// field 3
func TestWithoutOriginsThereIsNoCORS(t *testing.T) {
	b := start(t, identitytest.Config{})
	got := b.get("/identity/.well-known/openid-configuration", "Origin", pageOrigin)
	wantEqual(t, "Access-Control-Allow-Origin", got.header.Get("Access-Control-Allow-Origin"), "")
	wantEqual(t, "Vary", got.header.Get("Vary"), "")
}
