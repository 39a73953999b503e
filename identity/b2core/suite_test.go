package b2core_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// The secrets of the suite's requests.
const sentBearer, sentRefresh = "canary-bearer-5ecret/+=", "canary-refresh-5ecret/+="

// subject permits two hosts beside its own.
var subject = clienttest.Subject[*b2core.Client]{
	System: "b2core",
	Life:   time.Minute,
	New: func(t testing.TB, http tokenapi.HTTP, url string) *b2core.Client {
		return clienttest.New(t, b2core.New, b2core.Config{
			URL: url, Bearer: b2core.StaticBearer(sentBearer), Hosts: []string{"https://trader.example.com/", "http://old.example.com:8080"}, HTTP: http,
		})
	},
	Body: func(access, refresh string) string { return `{"token":` + access + `,"refreshToken":` + refresh + `}` },
	Operations: []clienttest.Operation[*b2core.Client]{
		{Name: "sign in", Path: "/api/v2/my/platforms/1/auth", Secrets: []string{sentBearer},
			Call: func(ctx context.Context, _ testing.TB, c *b2core.Client) (*oauth2.Token, error) { return c.SignIn(ctx) }},
		{Name: "refresh token", Path: "/api/v2/my/platforms/1/refresh", Secrets: []string{sentBearer, sentRefresh},
			Again: []int{400, 401, 403, 404, 422},
			Call: func(ctx context.Context, _ testing.TB, c *b2core.Client) (*oauth2.Token, error) {
				return c.Refresh(ctx, &oauth2.Token{RefreshToken: sentRefresh})
			}},
	},
}

func TestExchanges(t *testing.T) { clienttest.Exchanges(t, subject) }

func TestAnswers(t *testing.T) { clienttest.Answers(t, subject, answers()...) }

// answers returns the rows of the package doc, and the hosts.
func answers() []clienttest.Answer {
	const why = `{"error":{"message":"why","details":[{"issue":"i"}]}}`
	refusal := func(status int, mediaType string, want error) clienttest.Answer {
		return clienttest.Answer{Status: status, Type: mediaType, Body: why, Want: clienttest.All(want), Says: "why: i"}
	}
	with := func(member string, want error) clienttest.Answer {
		return clienttest.Answer{Body: `{"token":"access-5ecret","refreshToken":"renewal-5ecret",` + member + `}`, Want: clienttest.All(want)}
	}
	rows := []clienttest.Answer{
		refusal(400, "", tokenapi.ErrMisconfigured),
		refusal(401, "", tokenapi.ErrNotSignedIn),
		refusal(401, "text/html", tokenapi.ErrNotSignedIn),                                              // field 5: JSON is JSON
		{Status: 401, Type: "text/html", Body: "<html>", Want: clienttest.All(tokenapi.ErrUnavailable)}, // a gateway, which ends no session
		refusal(403, "", tokenapi.ErrNotSignedIn),
		refusal(403, "application/problem+json", tokenapi.ErrNotSignedIn),
		{Status: 403, Type: "text/html", Body: "<html>", Want: clienttest.All(tokenapi.ErrUnavailable)}, // a gateway
		{Status: 403, Type: "text/plain", Body: "RBAC: access denied", Want: clienttest.All(tokenapi.ErrUnavailable)},
		{Status: 403, Want: clienttest.All(tokenapi.ErrMisconfigured)},
		refusal(418, "", tokenapi.ErrUnusableAnswer),
		refusal(422, "", tokenapi.ErrMisconfigured),
		{Body: `{"token":"a","refreshToken":7,"ttl":[]}`, Want: clienttest.All(nil)}, // field 5
		with(`"header":"authorization"`, nil), with(`"header":""`, nil), with(`"header":null`, nil),
		with(`"header":"X-Token"`, tokenapi.ErrUnusableAnswer), with(`"header":7`, tokenapi.ErrUnusableAnswer),
		with(`"host":""`, nil), with(`"host":null`, nil), with(`"host":7`, tokenapi.ErrUnusableAnswer),
	}
	for host, problem := range hosts {
		row := with(`"host":`+quoted(host), nil)
		if problem != "" {
			row.Want, row.Says = clienttest.All(tokenapi.ErrUnusableAnswer), problem
		}
		rows = append(rows, row)
	}
	return rows
}

func TestLifetimes(t *testing.T) {
	var lives []clienttest.Life
	// field 8: a life of 0 or less is over, and no unknown one.
	for ttl, life := range map[string]time.Duration{
		`"90"`: 90 * time.Second, `90`: 90 * time.Second, `0.5`: time.Second / 2, `" 90 "`: 90 * time.Second,
		`"0"`: 0, `""`: time.Minute, `null`: time.Minute, `"a minute"`: time.Minute, `"-90"`: 0, `"1e99"`: time.Minute, `{}`: time.Minute,
	} {
		lives = append(lives, clienttest.Life{Body: `{"token":"t","ttl":` + ttl + `}`, Access: life})
	}
	clienttest.Lifetimes(t, subject, lives...)
}

func FuzzAnswers(f *testing.F) { clienttest.FuzzAnswers(f, subject, answers()...) }

func TestConfig(t *testing.T) {
	wrong := clienttest.Wrong[b2core.Config]
	clienttest.Configs(t, clienttest.ConfigSubject[b2core.Config, *b2core.Client]{
		System: "b2core", New: b2core.New, Good: b2core.Config{URL: broker, Bearer: b2core.StaticBearer("b")},
		Common: func(c *b2core.Config) (*string, *tokenapi.HTTP) { return &c.URL, &c.HTTP },
	},
		wrong("URL PlatformID Bearer CountryCode CountryName Hosts Hosts DefaultLifetime", func(c *b2core.Config) {
			*c = b2core.Config{PlatformID: "..", CountryCode: "+995\r\nX: y", CountryName: " Georgia", Hosts: []string{"https://u:5ecret@h", "https://h/path"}, DefaultLifetime: -1}
		}),
		wrong("PlatformID", func(c *b2core.Config) { c.PlatformID = "." }),
		wrong("", func(c *b2core.Config) { c.PlatformID = "..." }),
		wrong("", func(c *b2core.Config) { c.CountryName = "Côte d’Ivoire" }),
		wrong("CountryName", func(c *b2core.Config) { c.CountryName = "Geor\ngia" }),
		wrong("CountryName", func(c *b2core.Config) { c.CountryName = "Sri\x7fLanka" }),
		wrong("CountryName", func(c *b2core.Config) { c.CountryName = "T\xfcrkiye" }), // not UTF-8
		wrong("CountryCode", func(c *b2core.Config) { c.CountryCode = "+995\x00" }),
		wrong("CountryCode", func(c *b2core.Config) { c.CountryCode = "+995 " }),
		wrong("", func(c *b2core.Config) { c.Hosts = []string{"http://h", "https://h:8443/"} }),
		wrong("Hosts Hosts Hosts Hosts Hosts", func(c *b2core.Config) {
			c.Hosts = []string{"trader.example.com", "https://h?", "https://h#f", " https://h", ""}
		}),
	)
}

// req 17, 123: no exported value shows a token, however it is printed.
func TestExportedTypesHideSecrets(t *testing.T) {
	server, client := open(t)
	bearer, err := server.Bearer(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	token := signIn(t, server, client)
	config := b2core.Config{URL: broker, Bearer: b2core.StaticBearer(bearer.AccessToken), HTTP: tokenapi.HTTP{Transport: server.Transport()}}
	for _, v := range []any{config, client, config.Bearer} {
		clienttest.Hides(t, v, bearer.AccessToken, token.AccessToken, token.RefreshToken)
	}
}

// platform has one client as its refresher, which signs in by the server's
// session.
func platform(t *testing.T) vaulttest.Platform {
	t.Helper()
	server, client := open(t)
	return vaulttest.Platform{
		Server: server.Server, SignIn: b2coretest.EndpointAuth, Renew: b2coretest.EndpointRefresh,
		Refreshers: map[string]vault.Refresher{"main": client},
	}
}

func TestVault(t *testing.T) {
	fails := func(f apitest.Fault) vaulttest.Recovery { return vaulttest.Recovery{Fault: f, SignIns: 1, Renewals: 2} }
	vaulttest.Suite{Open: platform, Life: time.Minute, Renewals: 24*60*60/40 - 1, Faults: map[string]vaulttest.Recovery{
		"lost request": fails(apitest.Fault{LoseRequest: true}),
		"lost answer":  {Fault: apitest.Fault{LoseAnswer: true}, SignIns: 2, Renewals: 2}, // the refresh token is spent: a retry, then a sign-in
		"503":          fails(apitest.Fault{Status: http.StatusServiceUnavailable, RetryAfter: "4"}),
		"429":          fails(apitest.Fault{Status: http.StatusTooManyRequests}),
		"HTML":         fails(apitest.Fault{Body: []byte("<html>"), ContentType: "text/html"}),
		"unexpected host": {Fault: apitest.Fault{Answer: func(fields map[string]any) {
			fields["host"] = "https://other.example"
		}}, SignIns: 2, Renewals: 2},
		"refused": {Fault: apitest.Fault{Status: http.StatusUnauthorized, Body: []byte("{}")}, SignIns: 2, Renewals: 1},
	}}.Run(t)
}
