package traderevolution_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

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

// The samples of answers mean what testdata/README says.
func TestResponses(t *testing.T) {
	inBubble(t, func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client) {
		isSample := func(name string, token *oauth2.Token, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if token.AccessToken != "a7c1e5" || token.RefreshToken != "b8d2f6" || token.TokenType != "Bearer" {
				t.Errorf("%s: got %+v, want the sample's tokens", name, token)
			}
			if now := time.Now(); !token.Expiry.Equal(now.Add(5*time.Minute)) || !clienttest.RefreshExpiry(token).Equal(now.Add(time.Hour)) {
				t.Errorf("%s: got the expiries %v and %v, want 5 minutes and an hour", name, token.Expiry, clienttest.RefreshExpiry(token))
			}
		}
		pair := clienttest.Sample(t, "tokens.response.json")
		server.Inject(traderevolutiontest.EndpointToken, answer(pair))
		token, err := client.SignIn(t.Context(), login, password)
		isSample("sign in", token, err)
		server.Inject(traderevolutiontest.EndpointRefresh, answer(pair))
		token, err = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: sentRefresh})
		isSample("refresh", token, err)

		for _, c := range []struct {
			file   string
			valid  bool
			login  string
			tokens bool
		}{
			{"verify.login.response.json", true, "trader", false},
			{"verify.flag.response.json", true, "trader", false},
			{"verify.tokens.response.json", true, "", true},
			{"verify.invalid.response.json", false, "", false},
		} {
			server.Inject(traderevolutiontest.EndpointVerify, answer(clienttest.Sample(t, c.file)))
			ott, err := client.VerifyOTT(t.Context(), sentOTT)
			if err != nil {
				t.Fatalf("%s: %v", c.file, err)
			}
			if ott.Valid != c.valid || ott.Login != c.login || (ott.Token != nil) != c.tokens || !bytes.Equal(ott.Raw(), clienttest.Sample(t, c.file)) {
				t.Errorf("%s: got valid %v, login %q, token %v, want %+v", c.file, ott.Valid, ott.Login, ott.Token != nil, c)
			}
			if c.tokens {
				isSample(c.file, ott.Token, nil)
			}
		}
	})
}
