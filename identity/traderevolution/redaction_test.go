package traderevolution_test

import (
	"bytes"
	"context"
	"testing"

	"golang.org/x/oauth2"

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

// What is not sent is not shown either. And a login that repeats the token is none, so that whoever prints a login prints no token.
func TestErrorsHideSecrets(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	_, err := client.Refresh(t.Context(), &oauth2.Token{RefreshToken: sentRefresh + "\r\n"})
	clienttest.Hides(t, wantError(t, err, tokenapi.ErrGrantRefused), sentRefresh)

	server.Inject(traderevolutiontest.EndpointVerify, answer([]byte(`{"login":"user of `+sentOTT+`"}`)))
	ott, err := client.VerifyOTT(t.Context(), sentOTT)
	wantError(t, err, tokenapi.ErrUnusableAnswer)
	clienttest.Hides(t, ott, sentOTT)
}
