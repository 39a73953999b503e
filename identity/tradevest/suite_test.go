package tradevest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
	"b2trader.identity.auth/identity/vault"
)

// odd is a secret that a form spells otherwise.
const odd = "canary-5ecret/+=&"

var subject = clienttest.Subject[*tradevest.Client]{
	System: "tradevest",
	Life:   time.Hour,
	New: func(t testing.TB, http tokenapi.HTTP, url string) *tradevest.Client {
		return clienttest.New(t, tradevest.New, tradevest.Config{URL: url, ClientID: "partner", ClientSecret: tokenapi.Fixed(odd), RequestorID: someone, HTTP: http})
	},
	Body: func(access, refresh string) string {
		return `{"access_token":` + access + `,"refresh_token":` + refresh + `,"token_type":"Bearer"}`
	},
	Operations: []clienttest.Operation[*tradevest.Client]{{
		Name: "sign in", Path: "/oauth2/token", Secrets: []string{odd},
		Call: func(ctx context.Context, t testing.TB, c *tradevest.Client) (*oauth2.Token, error) {
			token, err := c.SignIn(ctx)
			if token != nil && token.RefreshToken != "" {
				t.Errorf("got the refresh token %q, want none", token.RefreshToken)
			}
			return token, err
		},
	}},
}

func TestExchanges(t *testing.T) { clienttest.Exchanges(t, subject) }

func TestAnswers(t *testing.T) { clienttest.Answers(t, subject, answers()...) }

func FuzzAnswers(f *testing.F) { clienttest.FuzzAnswers(f, subject, answers()...) }

// answers returns the rows of the package doc, and odd members.
func answers() []clienttest.Answer {
	var rows []clienttest.Answer
	for code, want := range map[string]error{
		"invalid_client": tokenapi.ErrBadCredentials, "invalid_grant": tokenapi.ErrBadCredentials,
		"invalid_request": tokenapi.ErrMisconfigured, "unauthorized_client": tokenapi.ErrMisconfigured,
		"unsupported_grant_type": tokenapi.ErrMisconfigured, "invalid_scope": tokenapi.ErrMisconfigured,
		"temporarily_unavailable": tokenapi.ErrUnavailable, "server_error": tokenapi.ErrUnavailable,
		"odd": tokenapi.ErrUnusableAnswer,
	} {
		for _, status := range []int{200, 400} {
			rows = append(rows, clienttest.Answer{Status: status, Body: `{"error":"` + code + `"}`, Code: code, Want: clienttest.All(want)})
		}
	}
	bad, unusable := clienttest.All(tokenapi.ErrBadCredentials), clienttest.All(tokenapi.ErrUnusableAnswer)
	with := func(member string, want []error) clienttest.Answer {
		return clienttest.Answer{Body: `{"access_token":"a","token_type":"Bearer",` + member + `}`, Want: want}
	}
	return append(rows,
		clienttest.Answer{Status: 401, Body: `{"error":"invalid_client"}`, Code: "invalid_client", Want: bad},
		clienttest.Answer{Status: 500, Body: `{"error":"invalid_client"}`, Code: "invalid_client", Want: bad},
		clienttest.Answer{Status: 401, Body: `{"error":"unauthorized_client"}`, Code: "unauthorized_client", Want: clienttest.All(tokenapi.ErrMisconfigured)},
		clienttest.Answer{Status: 401, Want: bad},
		clienttest.Answer{Status: 401, Type: "text/html", Body: "<html>", Want: clienttest.All(tokenapi.ErrUnavailable)}, // a gateway
		clienttest.Answer{Status: 403, Type: "text/html", Body: "<html>", Want: clienttest.All(tokenapi.ErrUnavailable)}, // a gateway
		clienttest.Answer{Status: 400, Want: unusable},
		clienttest.Answer{Body: `{"access_token":"a","token_type":"bearer"}`, Want: clienttest.All(nil)},
		clienttest.Answer{Body: `{"access_token":"a","token_type":"DPoP"}`, Want: unusable},
		clienttest.Answer{Body: `{"access_token":"a"}`, Want: unusable},
		with(`"expires_in":1e300`, clienttest.All(nil)), with(`"expires_in":0.5`, clienttest.All(nil)), with(`"expires_in":"soon"`, clienttest.All(nil)), with(`"expires_in":{}`, clienttest.All(nil)), // field 5
		with(`"expires_in":"`+odd+`"`, clienttest.All(nil)), clienttest.Answer{Body: `{"access_token":"` + odd + ` ","token_type":"Bearer"}`, Want: unusable},
		clienttest.Answer{Body: `{"access_token":"a","token_type":"` + odd + `"}`, Want: unusable},
	)
}

func TestLifetimes(t *testing.T) {
	var lives []clienttest.Life
	for expiresIn, life := range map[string]time.Duration{
		`3600`: time.Hour, `"3600"`: time.Hour, `30`: 30 * time.Second, `null`: time.Hour, `0`: 0, `"0"`: 0, `3600.0`: time.Hour,
		// field 5: a lifetime that cannot be read is Config.DefaultLifetime.
		`99999999999`: time.Hour,
		// field 8: a life of 0 or less is over.
		`-1`: 0, `"-3600"`: 0, `-4294963696`: 0,
	} {
		lives = append(lives, clienttest.Life{Body: `{"access_token":"a","token_type":"Bearer","expires_in":` + expiresIn + `}`, Access: life})
	}
	clienttest.Lifetimes(t, subject, lives...)
}

// required has the required fields only.
func required() tradevest.Config {
	return tradevest.Config{ClientID: "id", ClientSecret: tokenapi.Fixed("s3cret")}
}

func TestConfig(t *testing.T) {
	wrong := clienttest.Wrong[tradevest.Config]
	changes := []clienttest.Change[tradevest.Config]{
		wrong("TokenPath Scopes ClientID ClientSecret RequestorID DefaultLifetime", func(c *tradevest.Config) {
			*c = tradevest.Config{TokenPath: "token", Scopes: []string{"good", "two words", ""}, RequestorID: "me", DefaultLifetime: -1}
		}),
		wrong("", func(c *tradevest.Config) {
			c.Scopes, c.RequestorID = []string{"tradevest.api"}, strings.ToUpper(someone)
		}),
	}
	for _, id := range []string{someone + "\n", someone + "0", someone[1:], "g" + someone[1:], "{" + someone + "}", "urn:uuid:" + someone} {
		changes = append(changes, wrong("RequestorID", func(c *tradevest.Config) { c.RequestorID = id }))
	}
	clienttest.Configs(t, clienttest.ConfigSubject[tradevest.Config, *tradevest.Client]{
		System: "tradevest", New: tradevest.New, Good: required(),
		Common: func(c *tradevest.Config) (*string, *tokenapi.HTTP) { return &c.URL, &c.HTTP },
	}, changes...)
	if _, err := tradevest.New(tradevest.Config{Scopes: []string{"good", "two words"}}); strings.Contains(err.Error(), `"good"`) {
		t.Errorf("New = %v, want only the wrong scope in it", err)
	}
}

// req 17, 123: no exported value shows a secret, however it is printed.
func TestExportedTypesHideSecrets(t *testing.T) {
	server := newServer(t, tradevesttest.Config{ClientSecret: odd})
	config := tradevest.Config{ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(odd), HTTP: tokenapi.HTTP{Transport: server.Transport()}}
	client := clienttest.New(t, tradevest.New, config)
	token := signIn(t, client)
	keeper, err := client.Keeper(tokenapi.Pace{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keeper.Refresh(t.Context(), keeper.FirstToken()); err != nil {
		t.Fatal(err)
	}
	_, paused := keeper.Refresh(t.Context(), keeper.FirstToken())
	if paused == nil {
		t.Fatal("the second sign-in at once = nil, want a PausedError")
	}
	for _, v := range []any{client, keeper, paused, client.Transport(nil)} {
		clienttest.Hides(t, v, odd, token.AccessToken)
	}
	config.HTTP.Transport = nil // the test server prints its requests
	clienttest.Hides(t, config, odd)
}

// platform has the refreshers that by makes of the sample partner's client.
func platform(by func(*testing.T, *tradevest.Client) vault.Refresher) func(t *testing.T) vaulttest.Platform {
	return func(t *testing.T) vaulttest.Platform {
		t.Helper()
		server, client := start(t)
		wrong := newClient(t, server, func(c *tradevest.Config) { c.ClientSecret = tokenapi.Fixed("wrong") })
		return vaulttest.Platform{
			Server: server.Server, SignIn: tradevesttest.EndpointToken,
			Refreshers: map[string]vault.Refresher{"main": by(t, client), "wrong": byKeeper(t, wrong)},
		}
	}
}

func byKeeper(t *testing.T, client *tradevest.Client) vault.Refresher {
	t.Helper()
	keeper, err := client.Keeper(tokenapi.Pace{})
	if err != nil {
		t.Fatal(err)
	}
	return keeper
}

// Each renewal is a sign-in, so a vault's entry never ends by itself. field 37
func TestClientIsUnattended(t *testing.T) {
	if _, client := start(t); !client.Unattended() {
		t.Error("Unattended = false, want true")
	}
}

func TestVault(t *testing.T) {
	for name, by := range map[string]func(*testing.T, *tradevest.Client) vault.Refresher{
		"Keeper": byKeeper, "Client": func(_ *testing.T, client *tradevest.Client) vault.Refresher { return client },
	} {
		faults := map[string]vaulttest.Recovery{
			"slow answer":         {Fault: apitest.Fault{DelayAfter: 50 * time.Second}, SignIns: 1, Renewals: 1},
			"lost request":        {Fault: apitest.Fault{LoseRequest: true}, SignIns: 1, Renewals: 2},
			"lost answer":         {Fault: apitest.Fault{LoseAnswer: true}, SignIns: 1, Renewals: 2},
			"503":                 {Fault: apitest.Fault{Status: 503, RetryAfter: "60"}, SignIns: 1, Renewals: 2},
			"429":                 {Fault: apitest.Fault{Status: 429, RetryAfter: "60"}, SignIns: 1, Renewals: 2},
			"answer too late":     {Fault: apitest.Fault{DelayAfter: time.Hour}, SignIns: 1, Renewals: 2},
			"HTML":                {Fault: apitest.Fault{Status: 200, ContentType: "text/html", Body: []byte("<html>")}, SignIns: 1, Renewals: 2},
			"invalid client":      {Fault: apitest.Fault{Status: 400, Body: []byte(`{"error":"invalid_client"}`)}, SignIns: 1, Renewals: 2},
			"unauthorized client": {Fault: apitest.Fault{Status: 400, Body: []byte(`{"error":"unauthorized_client"}`)}, SignIns: 1, Renewals: 2},
		}
		t.Run(name, func(t *testing.T) {
			vaulttest.Suite{Open: platform(by), Life: time.Hour, Renewals: 24*60/40 - 1, Faults: faults}.Run(t)
		})
	}
}
