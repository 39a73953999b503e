package traderevolution_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// wire returns a sample request in the form of Request.Wire, with its JSON
// compacted: deviation D1.
func wire(t *testing.T, name string) string {
	t.Helper()
	head, body, _ := bytes.Cut(clienttest.Sample(t, name), []byte("\n\n"))
	var compact bytes.Buffer
	if len(body) > 0 {
		if err := json.Compact(&compact, body); err != nil {
			t.Fatal(err)
		}
	}
	return string(head) + "\n\n" + compact.String()
}

// The requests are the page's byte for byte, with the deviations of the package
// doc.
func TestRequests(t *testing.T) {
	server, client := start(t, traderevolutiontest.Config{Prefix: "/"})
	_, _ = client.SignIn(t.Context(), login, password)
	_, _ = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: "5f0c1a7d3e9b"})
	_, _ = client.VerifyOTT(t.Context(), "9d2e4b6f8a01")
	for file, endpoint := range map[string]apitest.Endpoint{
		"signin.request":  traderevolutiontest.EndpointToken,
		"refresh.request": traderevolutiontest.EndpointRefresh,
		"verify.request":  traderevolutiontest.EndpointVerify,
	} {
		asked := server.Requests(endpoint)
		if len(asked) != 1 {
			t.Fatalf("%s: got %d requests, want 1", file, len(asked))
		}
		if got, want := asked[0].Wire("Authorization", "Content-Type", "token"), wire(t, file); got != want {
			t.Errorf("%s: sent\n%s\nwant\n%s", file, got, want)
		}
		sent := map[string]bool{"Accept": true, "Accept-Encoding": true, "User-Agent": true, "Connection": true, // D3
			"Content-Type": true, "Content-Length": true, "Token": true}
		for name := range asked[0].Header {
			if !sent[name] {
				t.Errorf("%s: sent the header %s, want only documented ones", file, name)
			}
		}
	}
}

// Deviation D1.
func TestRequestsEscape(t *testing.T) {
	server, client := start(t, traderevolutiontest.Config{})
	if _, err := client.SignIn(t.Context(), `a&b`, `<é">`); err == nil {
		t.Fatal("SignIn = nil, want an error")
	}
	if got, want := string(server.Requests(traderevolutiontest.EndpointToken)[0].Body), `{"login":"a\u0026b","password":"\u003cé\"\u003e"}`; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

// The Config's paths replace the page's.
func TestPaths(t *testing.T) {
	for _, op := range subject.Operations {
		server, client := start(t, traderevolutiontest.Config{}, func(c *traderevolution.Config) {
			c.TokenPath, c.RefreshPath, c.VerifyPath = traderevolutiontest.APIPath, traderevolutiontest.APIPath, traderevolutiontest.APIPath
		})
		_, _ = op.Call(t.Context(), t, client)
		if got := server.Count(traderevolutiontest.EndpointAPI); got != 1 {
			t.Errorf("%s: got %d requests at the Config's path, want 1", op.Name, got)
		}
	}
}
