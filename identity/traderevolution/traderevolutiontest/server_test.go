package traderevolutiontest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// caller asks a server without a socket, at a base with the prefix.
type caller struct {
	*testing.T
	server *traderevolutiontest.Server
	base   string
}

func newCaller(t *testing.T, cfg traderevolutiontest.Config) *caller {
	t.Helper()
	server, err := traderevolutiontest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &caller{t, server, "https://backoffice.example:8443/proftrading/rest"}
}

// ask sends a request with one header field, "" for none, and returns the status and the answer's members.
func (c *caller) ask(method, path, header, body string) (int, map[string]any) {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, c.base+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	answer, err := c.server.Transport().RoundTrip(r)
	if err != nil {
		c.Fatal(err)
	}
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		c.Fatal(err)
	}
	fields := map[string]any{}
	_ = json.Unmarshal(raw, &fields) // a list has no members
	return answer.StatusCode, fields
}

func (c *caller) signIn() map[string]any {
	c.Helper()
	status, pair := c.ask("POST", "/auth/token", "", `{"login":"backoffice","password":"backoffice-password"}`)
	if status != http.StatusOK {
		c.Fatalf("got %d %v", status, pair)
	}
	return pair
}

func (c *caller) wants(status int, method, path, header, body string) map[string]any {
	c.Helper()
	got, fields := c.ask(method, path, header, body)
	if got != status {
		c.Errorf("%s %s: got %d %v, want %d", method, path, got, fields, status)
	}
	return fields
}

func text(v any) string { s, _ := v.(string); return s }

func TestSignIn(t *testing.T) {
	c := newCaller(t, traderevolutiontest.Config{})
	pair := c.signIn()
	if len(text(pair["accessToken"])) != 64 || len(text(pair["refreshToken"])) != 64 || pair["accessTokenLifeTime"] != 300.0 || pair["refreshTokenLifeTime"] != 3600.0 {
		t.Errorf("got %v", pair)
	}
	c.wants(200, "GET", "/accounts", "Authorization: Bearer "+text(pair["accessToken"]), "")
	c.wants(401, "GET", traderevolutiontest.APIPath, "Authorization: Bearer "+text(pair["refreshToken"]), "")
	c.wants(401, "GET", traderevolutiontest.APIPath, "", "")
	if refused := c.wants(401, "POST", "/auth/token", "", `{"login":"backoffice","password":"guess"}`); refused["errorCode"] != "1.2.0.11" {
		t.Errorf("got %v", refused)
	}
	c.wants(401, "POST", "/auth/token", "", `{"login":"nobody","password":"backoffice-password"}`)
	c.wants(400, "POST", "/auth/token", "", `login=backoffice&password=backoffice-password`)
	c.wants(400, "POST", "/auth/token", "", `{"login":"backoffice"}`)
	for path, method := range map[string]string{"/auth/token": "GET", "/auth/token/refresh": "POST", "/external/token/verify": "GET", traderevolutiontest.APIPath: "POST"} {
		c.wants(405, method, path, "", "")
	}
	c.wants(404, "POST", "/traderevolution/v1/authorize", "", "")
	if asked := c.server.Requests(traderevolutiontest.EndpointToken); asked[1].Problem != "Wrong login or password" {
		t.Errorf("the record says %q", asked[1].Problem)
	}
}

// A refresh token works once, and only in the header; a new one comes with the new access token.
func TestRefresh(t *testing.T) {
	c := newCaller(t, traderevolutiontest.Config{})
	first := c.signIn()
	refresh := "token: " + text(first["refreshToken"])
	c.wants(401, "GET", "/auth/token/refresh", "", `{"token":"`+text(first["refreshToken"])+`"}`)
	c.wants(401, "GET", "/auth/token/refresh", "token: "+text(first["accessToken"]), "")
	second := c.wants(200, "GET", "/auth/token/refresh", refresh, "")
	if second["refreshToken"] == first["refreshToken"] || second["accessToken"] == first["accessToken"] {
		t.Error("the pair is not new")
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

// Every token ends at the end of its own life.
func TestLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCaller(t, traderevolutiontest.Config{AccessTokenLifetime: time.Minute, RefreshTokenLifetime: 2 * time.Minute, OTTLifetime: 3 * time.Minute})
		pair := c.signIn()
		if pair["accessTokenLifeTime"] != 60.0 || pair["refreshTokenLifeTime"] != 120.0 {
			t.Errorf("got %v", pair)
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
			t.Errorf("got %v", answer)
		}
		<-time.After(1)
		if answer := c.wants(200, "POST", "/external/token/verify", "", `{"token":"`+late+`"}`); answer["valid"] != false {
			t.Errorf("got %v", answer)
		}
	})
}

// The page contradicts itself; each reading is to be had, and a one-time token works once in each.
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
			t.Errorf("%s: got %v", answer, got)
		}
		if want.tokens {
			c.wants(200, "GET", traderevolutiontest.APIPath, "Authorization: Bearer "+text(got["accessToken"]), "")
		}
		again, _ := json.Marshal(c.wants(want.spent, "POST", "/external/token/verify", "", body))
		if string(again) != want.flag {
			t.Errorf("%s: the second time: %s", answer, again)
		}
		c.wants(400, "POST", "/external/token/verify", "", `{}`)
	}
}

func TestPrefix(t *testing.T) {
	for prefix, want := range map[string]string{"": "/proftrading/rest", "/": "", "/a/b/": "/a/b"} {
		server := traderevolutiontest.Start(t, traderevolutiontest.Config{Prefix: prefix})
		if server.BaseURL() != server.URL()+want {
			t.Errorf("%q: got %s", prefix, server.BaseURL())
		}
		answer, err := http.Get(server.BaseURL() + traderevolutiontest.APIPath)
		if err != nil || answer.StatusCode != http.StatusUnauthorized || server.Count(traderevolutiontest.EndpointAPI) != 1 {
			t.Errorf("%q: got %v, %v", prefix, answer, err)
		}
	}
	if base := newCaller(t, traderevolutiontest.Config{}).server.BaseURL(); base != "" {
		t.Errorf("without a listener: %s", base)
	}
}

func TestNewReportsEveryProblem(t *testing.T) {
	_, err := traderevolutiontest.New(traderevolutiontest.Config{
		Prefix: "rest", AccessTokenLifetime: time.Millisecond, RefreshTokenLifetime: -time.Second, OTTLifetime: -1, OTTAnswer: "guess",
	})
	const want = `traderevolutiontest: Config.Prefix does not begin with a slash
traderevolutiontest: Config.AccessTokenLifetime is not in whole seconds
traderevolutiontest: Config.RefreshTokenLifetime is negative
traderevolutiontest: Config.OTTLifetime is negative
traderevolutiontest: Config.OTTAnswer is none of the constants`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// However it is printed, a server shows its name and no token.
func TestFormat(t *testing.T) {
	server := newCaller(t, traderevolutiontest.Config{}).server
	if got := fmt.Sprintf("%v %+v %#v", server, server, server); got != "traderevolutiontest.Server traderevolutiontest.Server traderevolutiontest.Server" {
		t.Errorf("printed %s", got)
	}
}

// Faults and the clock are apitest's, and reach the endpoints.
func TestInject(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := newCaller(t, traderevolutiontest.Config{Now: func() time.Time { return at }})
	for e, request := range map[apitest.Endpoint][2]string{
		traderevolutiontest.EndpointToken:   {"POST", "/auth/token"},
		traderevolutiontest.EndpointRefresh: {"GET", "/auth/token/refresh"},
		traderevolutiontest.EndpointVerify:  {"POST", "/external/token/verify"},
		traderevolutiontest.EndpointAPI:     {"GET", traderevolutiontest.APIPath},
	} {
		c.server.Inject(e, apitest.Fault{Status: http.StatusTooManyRequests, Body: []byte(`{"errorCode":"2.147.1.27"}`)})
		if got := c.wants(429, request[0], request[1], "", ""); got["errorCode"] != "2.147.1.27" {
			t.Errorf("%s: got %v", e, got)
		}
		if asked := c.server.Requests(e); !asked[0].Time.Equal(at) {
			t.Errorf("%s: asked at %v", e, asked[0].Time)
		}
	}
}
