package traderevolution_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/vault"
)

// The secrets of the suite's requests.
const (
	sentPassword = "pa55word/+=\"<&>\\"
	sentRefresh  = "5f0c1a7d3e9b/+="
	sentOTT      = "9d2e4b6f8a01/+="
)

// subject has the three operations, in the order of the package doc's table.
var subject = clienttest.Subject[*traderevolution.Client]{
	System: "traderevolution",
	Life:   5 * time.Minute,
	New: func(t testing.TB, http tokenapi.HTTP, url string) *traderevolution.Client {
		return newClient(t, url, func(c *traderevolution.Config) { c.HTTP = http })
	},
	Body: func(access, refresh string) string {
		return `{"accessToken":` + access + `,"refreshToken":` + refresh + `}`
	},
	Operations: []clienttest.Operation[*traderevolution.Client]{
		{Name: "sign in", Path: "/auth/token", Secrets: []string{sentPassword},
			Call: func(ctx context.Context, _ testing.TB, c *traderevolution.Client) (*oauth2.Token, error) {
				return c.SignIn(ctx, login, sentPassword)
			}},
		{Name: "refresh token", Path: "/auth/token/refresh", Secrets: []string{sentRefresh},
			Call: func(ctx context.Context, _ testing.TB, c *traderevolution.Client) (*oauth2.Token, error) {
				return c.Refresh(ctx, &oauth2.Token{RefreshToken: sentRefresh})
			}},
		{Name: "verify one-time token", Path: "/external/token/verify", Secrets: []string{sentOTT}, MayLackToken: true, Call: verifyOTT},
	},
}

// verifyOTT checks that an OTT fits its error, and returns its token.
func verifyOTT(ctx context.Context, t testing.TB, c *traderevolution.Client) (*oauth2.Token, error) {
	ott, err := c.VerifyOTT(ctx, sentOTT)
	clienttest.Hides(t, ott, sentOTT)
	switch {
	case err == nil && ott == nil, err != nil && ott != nil && ott.StatusCode/100 != 2 && !errors.Is(err, tokenapi.ErrUnusableAnswer):
		t.Errorf("VerifyOTT = %v, %v, want one of them", ott, err)
	case ott == nil:
		return nil, err
	case !ott.Valid && (ott.Login != "" || ott.Token != nil), err != nil && ott.Valid:
		t.Errorf("VerifyOTT = login %q, token %v, %v, want neither if it is not valid", ott.Login, ott.Token != nil, err)
	case ott.Valid && ott.Login == "" && ott.Token == nil:
		t.Error("VerifyOTT = valid, want a login or a token then")
	}
	return ott.Token, err
}

func TestExchanges(t *testing.T) { clienttest.Exchanges(t, subject) }

func TestAnswers(t *testing.T) {
	odd := clienttest.Answer{Body: `{"accessToken":"a","refreshToken":7,"login":"l"}`, Want: clienttest.All(nil)} // field 5
	clienttest.Answers(t, subject, append(refusals, odd)...)
}

func FuzzAnswers(f *testing.F) {
	seeds := refusals
	for _, c := range ottAnswers {
		seeds = append(seeds, clienttest.Answer{Body: c.body})
	}
	for _, c := range problems {
		seeds = append(seeds, clienttest.Answer{Status: 401, Body: c.body})
	}
	clienttest.FuzzAnswers(f, subject, seeds...)
}

func TestLifetimes(t *testing.T) {
	var lives []clienttest.Life
	for members, want := range map[string][2]time.Duration{
		`"accessTokenLifeTime":300,"refreshTokenLifeTime":3600`:       {5 * time.Minute, time.Hour},
		`"accessTokenLifeTime":"60","refreshTokenLifeTime":"7200"`:    {time.Minute, 2 * time.Hour},
		`"accessTokenLifeTime":60.5,"refreshTokenLifeTime":"1e2"`:     {60500 * time.Millisecond, 100 * time.Second},
		`"accessTokenLifeTime":null,"refreshTokenLifeTime":null`:      {5 * time.Minute, time.Hour},
		`"accessTokenLifeTime":0,"refreshTokenLifeTime":"0"`:          {0, time.Hour}, // field 8
		`"accessTokenLifeTime":"-1","refreshTokenLifeTime":-1`:        {0, time.Hour},
		`"refreshTokenLifeTime":1`:                                    {5 * time.Minute, time.Second},
		`"accessTokenLifeTime":1,"unknown":{"accessTokenLifeTime":2}`: {time.Second, time.Hour},
	} {
		lives = append(lives, clienttest.Life{Body: `{"accessToken":"a","refreshToken":"r",` + members + `}`, Access: want[0], Refresh: want[1]})
	}
	clienttest.Lifetimes(t, subject, lives...)
}

func TestConfig(t *testing.T) {
	wrong := clienttest.Wrong[traderevolution.Config]
	clienttest.Configs(t, clienttest.ConfigSubject[traderevolution.Config, *traderevolution.Client]{
		System: "traderevolution", New: traderevolution.New, Good: traderevolution.Config{URL: bubbleURL},
		Common: func(c *traderevolution.Config) (*string, *tokenapi.HTTP) { return &c.URL, &c.HTTP },
	}, wrong("URL TokenPath RefreshPath VerifyPath DefaultLifetime DefaultRefreshLifetime", func(c *traderevolution.Config) {
		*c = traderevolution.Config{TokenPath: "auth", RefreshPath: "/a?b", VerifyPath: "/a#b", DefaultLifetime: -1, DefaultRefreshLifetime: -1}
	}))
	_, err := newClient(t, bubbleURL).Keeper(tokenapi.Account{})
	if got := clienttest.WrongFields(err); len(got) != 2 || got[0] != "Account.Login" || got[1] != "Account.Password" {
		t.Errorf("Keeper = %v, want an error about login and password", err)
	}
}

// req 17, 123: no exported value shows a secret, however it is printed.
func TestExportedTypesHideSecrets(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{OTTAnswer: traderevolutiontest.AnswerBoth})
	token := server.IssueOTT("trader")
	ott, refused := verify(t, client, token), verify(t, client, token)
	keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{client, keeper, ott, refused} {
		clienttest.Hides(t, v, password, token, ott.Token.AccessToken, ott.Token.RefreshToken)
	}
	_, err = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: sentRefresh + "\r\n"})
	clienttest.Hides(t, wantError(t, err, tokenapi.ErrGrantRefused), sentRefresh)
}

// platform has a Keeper, one with a wrong password, and the Client alone.
func platform(changes ...func(*traderevolution.Config)) func(t *testing.T) vaulttest.Platform {
	return func(t *testing.T) vaulttest.Platform {
		t.Helper()
		server, client := inMemory(t, traderevolutiontest.Config{}, changes...)
		keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
		if err != nil {
			t.Fatal(err)
		}
		wrong, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed("wrong")})
		if err != nil {
			t.Fatal(err)
		}
		return vaulttest.Platform{
			Server: server.Server, SignIn: traderevolutiontest.EndpointToken, Renew: traderevolutiontest.EndpointRefresh,
			Refreshers: map[string]vault.Refresher{"main": keeper, "wrong": wrong, "client": client},
		}
	}
}

func TestVault(t *testing.T) {
	vaulttest.Suite{Open: platform(), Life: 5 * time.Minute, Renewals: 24*60*60/200 - 1, Faults: map[string]vaulttest.Recovery{
		"lost request": {Fault: apitest.Fault{LoseRequest: true}, SignIns: 1, Renewals: 2},
		"lost answer":  {Fault: apitest.Fault{LoseAnswer: true}, SignIns: 2, Renewals: 2}, // the refresh token is spent: a retry, then a sign-in
		"503":          {Fault: apitest.Fault{Status: 503}, SignIns: 1, Renewals: 2},
		"too many":     {Fault: apitest.Fault{Status: 429, RetryAfter: "3", Body: []byte(`{"errorCode":"2.147.1.27"}`)}, SignIns: 1, Renewals: 2},
		"refused":      {Fault: apitest.Fault{Status: 401}, SignIns: 2, Renewals: 1},
	}}.Run(t)
}

func TestKeeperSendsNoExpiredRefreshToken(t *testing.T) {
	vaulttest.RefreshTokenExpires(t, time.Hour, platform(func(c *traderevolution.Config) {
		c.HTTP.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	}))
}
