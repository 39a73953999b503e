package traderevolutiontest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
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
	c.wants(404, "POST", "/traderevolution/v1/authorize", "", "")
	if asked := c.server.Requests(traderevolutiontest.EndpointToken); asked[1].Problem != "Wrong login or password" {
		t.Errorf("recorded %q, want Wrong login or password", asked[1].Problem)
	}
}

// A refresh token works once, and only in the header.
func TestRefresh(t *testing.T) {
	c := newCaller(t, traderevolutiontest.Config{})
	first := c.signIn()
	refresh := "token: " + text(first["refreshToken"])
	c.wants(401, "GET", "/auth/token/refresh", "", `{"token":"`+text(first["refreshToken"])+`"}`)
	c.wants(401, "GET", "/auth/token/refresh", "token: "+text(first["accessToken"]), "")
	second := c.wants(200, "GET", "/auth/token/refresh", refresh, "")
	if second["refreshToken"] == first["refreshToken"] || second["accessToken"] == first["accessToken"] {
		t.Errorf("got %v, want new tokens", second)
	}
	c.wants(401, "GET", "/auth/token/refresh", refresh, "")
	c.wants(200, "GET", traderevolutiontest.APIPath, "Authorization: Bearer "+text(first["accessToken"]), "")
	c.server.RevokeRefreshTokens()
	c.wants(401, "GET", "/auth/token/refresh", "token: "+text(second["refreshToken"]), "")
	c.server.ExpireTokens()
	c.wants(401, "GET", traderevolutiontest.APIPath, "Authorization: Bearer "+text(second["accessToken"]), "")

	c = newCaller(t, traderevolutiontest.Config{ReuseRefreshTokens: true})
	refresh = "token: " + text(c.signIn()["refreshToken"])
	c.wants(200, "GET", "/auth/token/refresh", refresh, "")
	c.wants(200, "GET", "/auth/token/refresh", refresh, "")
}

// Each kind of token has a life of its own.
func TestLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, traderevolutiontest.Config{AccessTokenLifetime: time.Minute, RefreshTokenLifetime: 2 * time.Minute, OTTLifetime: 3 * time.Minute})
		pair := c.signIn()
		if pair["accessTokenLifeTime"] != 60.0 || pair["refreshTokenLifeTime"] != 120.0 {
			t.Errorf("got %v, want two tokens of the Config's lives", pair)
		}
		api, refresh := "Authorization: Bearer "+text(pair["accessToken"]), "token: "+text(pair["refreshToken"])
		early, late := c.server.IssueOTT("trader"), c.server.IssueOTT("trader")
		<-time.After(time.Minute - 1)
		c.wants(200, "GET", traderevolutiontest.APIPath, api, "")
		<-time.After(1)
		c.wants(401, "GET", traderevolutiontest.APIPath, api, "")
		<-time.After(2*time.Minute - 1)
		c.wants(401, "GET", "/auth/token/refresh", refresh, "")
		if answer := c.wants(200, "POST", "/external/token/verify", "", `{"token":"`+early+`"}`); answer["valid"] != true {
			t.Errorf("got %v, want another valid", answer)
		}
		<-time.After(1)
		if answer := c.wants(200, "POST", "/external/token/verify", "", `{"token":"`+late+`"}`); answer["valid"] != false {
			t.Errorf("got %v, want another valid", answer)
		}
	})
}

// A one-time token works once in each reading of the page.
func TestVerify(t *testing.T) {
	for answer, want := range map[traderevolutiontest.OTTAnswer]struct {
		login, tokens bool
		spent         int
		flag          string
	}{
		"":                                    {true, false, 200, `{"valid":false}`},
		traderevolutiontest.AnswerLogin:       {true, false, 200, `{"valid":false}`},
		traderevolutiontest.AnswerExpiredFlag: {true, false, 200, `{"isExpired":true}`},
		traderevolutiontest.AnswerTokens:      {false, true, 401, `{"message":"The one-time token is not valid"}`},
		traderevolutiontest.AnswerBoth:        {true, true, 401, `{"message":"The one-time token is not valid"}`},
	} {
		c := newCaller(t, traderevolutiontest.Config{OTTAnswer: answer})
		body := `{"token":"` + c.server.IssueOTT("trader-7") + `"}`
		got := c.wants(200, "POST", "/external/token/verify", "", body)
		if (got["login"] == "trader-7") != want.login || (text(got["accessToken"]) != "") != want.tokens {
			t.Errorf("%s: got %v, want %+v", answer, got, want)
		}
		if want.tokens {
			c.wants(200, "GET", traderevolutiontest.APIPath, "Authorization: Bearer "+text(got["accessToken"]), "")
		}
		again, _ := json.Marshal(c.wants(want.spent, "POST", "/external/token/verify", "", body))
		if string(again) != want.flag {
			t.Errorf("%s: the second time: got %s, want %s", answer, again, want.flag)
		}
		c.wants(400, "POST", "/external/token/verify", "", `{}`)
	}
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
