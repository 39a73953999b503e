package traderevolution_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// req 17, 123: nothing that this package exports shows a secret, however it is printed.
func TestExportedTypesHideSecrets(t *testing.T) {
	var exchanges []tokenapi.Exchange
	server := traderevolutiontest.Start(t, traderevolutiontest.Config{OTTAnswer: traderevolutiontest.AnswerBoth})
	config := traderevolution.Config{URL: server.BaseURL(), HTTP: tokenapi.HTTP{
		Observe: func(_ context.Context, e tokenapi.Exchange) { exchanges = append(exchanges, e) },
	}}
	client, err := traderevolution.New(config)
	if err != nil {
		t.Fatal(err)
	}
	first := signIn(t, client)
	second, err := client.Refresh(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	token := server.IssueOTT("trader")
	ott := verify(t, client, token)
	refused := verify(t, client, token)
	keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{password, token, first.AccessToken, first.RefreshToken, second.AccessToken, second.RefreshToken,
		ott.Token.AccessToken, ott.Token.RefreshToken}
	for _, v := range []any{config, client, keeper, ott, refused, exchanges} {
		clienttest.Hides(t, v, secrets...)
	}
	if !bytes.Contains(ott.Raw(), []byte(ott.Token.AccessToken)) {
		t.Error("Raw is not what the server answered")
	}
	if len(exchanges) != 4 || exchanges[1].Op != "refresh token" || exchanges[1].URL != server.BaseURL()+"/auth/token/refresh" {
		t.Errorf("%d exchanges were observed", len(exchanges))
	}
	if p := exchanges[0].Parameters; p.Get("password") != tokenapi.Redacted || p.Get("login") != tokenapi.Redacted {
		t.Errorf("observed %v", p)
	}
}

// A server that writes back what it was sent, in every member it has, is not repeated.
func TestErrorsHideSecrets(t *testing.T) {
	const canary = "canary-5ecret/+="
	server, client := start(t, traderevolutiontest.Config{})
	echo := func(status int) apitest.Fault {
		q := url.QueryEscape(canary)
		body, err := json.Marshal(map[string]any{
			"errorCode": canary, "code": "c " + canary, "message": canary + " and " + q, "error": canary, "traceId": canary,
			"errors": []any{map[string]string{"code": canary, "message": canary}}, "valid": canary, "login": canary,
			"accessToken": 7, "accessTokenLifeTime": canary,
		})
		if err != nil {
			t.Fatal(err)
		}
		return apitest.Fault{Status: status, Body: body, RetryAfter: canary}
	}
	for _, status := range []int{200, 302, 400, 401, 404, 429, 500} {
		server.Inject(traderevolutiontest.EndpointToken, echo(status))
		_, err := client.SignIn(t.Context(), login, canary)
		clienttest.Hides(t, err, canary)
		server.Inject(traderevolutiontest.EndpointRefresh, echo(status))
		_, err = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: canary})
		clienttest.Hides(t, err, canary)
		server.Inject(traderevolutiontest.EndpointVerify, echo(status))
		ott, err := client.VerifyOTT(t.Context(), canary)
		clienttest.Hides(t, err, canary)
		clienttest.Hides(t, ott, canary)
	}
	_, err := client.Refresh(t.Context(), &oauth2.Token{RefreshToken: canary + "\r\n"})
	clienttest.Hides(t, err, canary)

	// A login that repeats the token is none, so that whoever prints a login prints no token.
	server.Inject(traderevolutiontest.EndpointVerify, answer([]byte(`{"login":"user of `+canary+`"}`)))
	ott, err := client.VerifyOTT(t.Context(), canary)
	wantError(t, err, tokenapi.ErrUnusableAnswer)
	clienttest.Hides(t, ott, canary)
}

// net/http names the URL and the header in its errors.
func TestFaultsHideSecrets(t *testing.T) {
	server, client := start(t, traderevolutiontest.Config{})
	for _, op := range operations {
		server.Inject(op.endpoint, apitest.Fault{LoseAnswer: true})
		clienttest.Hides(t, op.call(t, client), password, sentRefresh, sentOTT)
	}
	elsewhere := newClient(t, "http://127.0.0.1:1/rest")
	for _, op := range operations {
		clienttest.Hides(t, op.call(t, elsewhere), password, sentRefresh, sentOTT)
	}
}
