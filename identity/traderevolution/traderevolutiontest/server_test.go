package traderevolutiontest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// A caller sends requests to a server without a socket.
type caller struct {
	*testing.T
	server *traderevolutiontest.Server
}

func newCaller(t *testing.T, cfg traderevolutiontest.Config) *caller {
	t.Helper()
	return &caller{t, clienttest.New(t, traderevolutiontest.New, cfg)}
}

// wants checks the status of the answer and returns its members. The header is
// one "name: value", or empty.
func (c *caller) wants(status int, method, path, header, body string) map[string]any {
	c.Helper()
	var fields []string
	if name, value, ok := strings.Cut(header, ": "); ok {
		fields = []string{name, value}
	}
	r := clienttest.Send(c, c.server.Server, method, "/proftrading/rest"+path, body, fields...)
	if r.Status != status {
		c.Errorf("%s %s: got %d %s, want %d", method, path, r.Status, r.Body, status)
	}
	return r.Fields()
}

func (c *caller) signIn() map[string]any {
	c.Helper()
	return c.wants(http.StatusOK, "POST", "/auth/token", "", `{"login":"backoffice","password":"backoffice-password"}`)
}

func text(v any) string { s, _ := v.(string); return s }

func TestSignIn(t *testing.T) {
	c := newCaller(t, traderevolutiontest.Config{})
	pair := c.signIn()
	if len(text(pair["accessToken"])) != 64 || len(text(pair["refreshToken"])) != 64 || pair["accessTokenLifeTime"] != 300.0 || pair["refreshTokenLifeTime"] != 3600.0 {
		t.Errorf("got %v, want two tokens of the Config's lives", pair)
	}
	c.wants(200, "GET", "/accounts", "Authorization: Bearer "+text(pair["accessToken"]), "")
	c.wants(401, "GET", traderevolutiontest.APIPath, "Authorization: Bearer "+text(pair["refreshToken"]), "")
	c.wants(401, "GET", traderevolutiontest.APIPath, "", "")
	if refused := c.wants(401, "POST", "/auth/token", "", `{"login":"backoffice","password":"guess"}`); refused["errorCode"] != "1.2.0.11" {
		t.Errorf("got %v, want the code 1.2.0.11", refused)
	}
	c.wants(401, "POST", "/auth/token", "", `{"login":"unknown","password":"backoffice-password"}`)
	c.wants(400, "POST", "/auth/token", "", `login=backoffice&password=backoffice-password`)
	c.wants(400, "POST", "/auth/token", "", `{"login":"backoffice"}`)
	for path, method := range map[string]string{"/auth/token": "GET", "/auth/token/refresh": "POST", "/external/token/verify": "GET", traderevolutiontest.APIPath: "POST"} {
		c.wants(405, method, path, "", "")
	}
	c.wants(400, "POST", "/external/token/verify", "", `{}`)
	c.wants(401, "GET", "/auth/token/refresh", "token: "+text(pair["accessToken"]), "")
	if asked := c.server.Requests(traderevolutiontest.EndpointToken); asked[1].Problem != "Wrong login or password" {
		t.Errorf("recorded %q, want Wrong login or password", asked[1].Problem)
	}
}

func TestReuseRefreshTokens(t *testing.T) {
	c := newCaller(t, traderevolutiontest.Config{ReuseRefreshTokens: true})
	refresh := "token: " + text(c.signIn()["refreshToken"])
	c.wants(200, "GET", "/auth/token/refresh", refresh, "")
	c.wants(200, "GET", "/auth/token/refresh", refresh, "")
}

func TestPrefix(t *testing.T) {
	for prefix, want := range map[string]string{"": "/proftrading/rest", "/": "", "/a/b/": "/a/b"} {
		server := traderevolutiontest.Start(t, traderevolutiontest.Config{Prefix: prefix})
		if server.BaseURL() != server.URL()+want {
			t.Errorf("%q: got %s, want the suffix %s", prefix, server.BaseURL(), want)
		}
		answer, err := http.Get(server.BaseURL() + traderevolutiontest.APIPath)
		if err != nil || answer.StatusCode != http.StatusUnauthorized || server.Count(traderevolutiontest.EndpointAPI) != 1 {
			t.Errorf("%q: got %v, %v, want 401", prefix, answer, err)
		}
	}
	if base := newCaller(t, traderevolutiontest.Config{}).server.BaseURL(); base != "" {
		t.Errorf("without a listener: got %s, want none", base)
	}
}

func TestServer(t *testing.T) {
	const prefix = "/proftrading/rest"
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	server := traderevolutiontest.Start(t, traderevolutiontest.Config{Now: func() time.Time { return at }})
	clienttest.Servers(t, "traderevolutiontest", server, map[apitest.Endpoint]string{
		traderevolutiontest.EndpointToken: prefix + "/auth/token", traderevolutiontest.EndpointRefresh: prefix + "/auth/token/refresh",
		traderevolutiontest.EndpointVerify: prefix + "/external/token/verify", traderevolutiontest.EndpointAPI: prefix + traderevolutiontest.APIPath,
	})
	if got := server.Requests(traderevolutiontest.EndpointToken)[0].Time; !got.Equal(at) {
		t.Errorf("recorded a request at %v, want %v", got, at)
	}
	_, err := traderevolutiontest.New(traderevolutiontest.Config{
		Prefix: "rest", AccessTokenLifetime: time.Millisecond, RefreshTokenLifetime: -time.Second, OTTLifetime: -1, OTTAnswer: "guess",
	})
	if got, want := strings.Join(clienttest.WrongFields(err), " "), "Prefix AccessTokenLifetime RefreshTokenLifetime OTTLifetime OTTAnswer"; got != want {
		t.Errorf("New = %v, want an error about %s", err, want)
	}
}
