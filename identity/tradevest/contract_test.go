package tradevest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httputil"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// withoutQuotes removes the quotes from the sample's body.
var withoutQuotes = strings.NewReplacer(`"`, "", "'", "")

// sampleRequest returns the first line, the header fields and the body of the
// page's request.
func sampleRequest(t testing.TB) (line string, fields []string, body string) {
	t.Helper()
	head, body, found := strings.Cut(strings.TrimSuffix(string(clienttest.Sample(t, "token.request")), "\n"), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) != 5 {
		t.Fatalf("the sample has %d lines before its body, want 5", len(lines))
	}
	return lines[0], lines[1:], body
}

// The request is the page's byte for byte, with the deviations of the package
// doc. The zero Config has the page's host and path.
func TestRequestBytes(t *testing.T) {
	line, fields, body := sampleRequest(t)
	server := newServer(t, tradevesttest.Config{ClientID: "string", ClientSecret: "string"})
	var sent string
	client := newClient(t, server, func(c *tradevest.Config) {
		c.ClientID, c.ClientSecret = "string", tokenapi.Fixed("string")
		c.HTTP.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
			dump, err := httputil.DumpRequestOut(req, true)
			if err != nil {
				return nil, err
			}
			sent = req.URL.Scheme + "\n" + string(dump)
			return server.Transport().RoundTrip(req)
		})
	})
	signIn(t, client)

	const ours = "User-Agent: Go-http-client/1.1"
	contentLength := "Content-Length: " + strconv.Itoa(len(withoutQuotes.Replace(body)))
	want := strings.Join([]string{"https", line, fields[0], ours, contentLength, fields[1], "Accept-Encoding: gzip", "", withoutQuotes.Replace(body)}, "\r\n")
	if got := strings.Replace(sent, "\n", "\r\n", 1); got != want {
		t.Errorf("sent\n%q\nwant\n%q", got, want)
	}
	if fields[0] != "Host: b2b.auth.platform-test.tradevest.ai" || fields[2] != "Accept: */*" {
		t.Errorf("the sample has the fields %q, want the page's host and Accept", fields)
	}
}

// The client reads the page's answer, and the test server sends it.
func TestResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := start(t)
		server.Inject(tradevesttest.EndpointToken, apitest.Fault{Body: clienttest.Sample(t, "token.response.json")})
		token := signIn(t, client)
		if token.AccessToken != "string" || token.TokenType != "Bearer" || time.Until(token.Expiry) != 3600*time.Second || token.RefreshToken != "" {
			t.Errorf("got %+v, want the sample's token for an hour", token)
		}
	})
	_, _, form := sampleRequest(t)
	resp := post(t, newServer(t, tradevesttest.Config{ClientID: "string", ClientSecret: "string"}), withoutQuotes.Replace(form))
	got := regexp.MustCompile(`("access_token":)"[^"]+"`).ReplaceAllString(resp.Body, `$1"string"`)
	var want bytes.Buffer
	if err := json.Compact(&want, clienttest.Sample(t, "token.response.json")); err != nil {
		t.Fatal(err)
	}
	if got != want.String() || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s, want %s", got, want.Bytes())
	}
}

// post sends a form to the token endpoint as it is.
func post(t *testing.T, server *tradevesttest.Server, form string) clienttest.Reply {
	t.Helper()
	return clienttest.Send(t, server.Server, http.MethodPost, "/oauth2/token", form, "Content-Type", "application/x-www-form-urlencoded")
}
