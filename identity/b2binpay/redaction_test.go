package b2binpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// req 17, 123: nothing that this package exports shows a secret, however it is printed.
func TestExportedTypesHideSecrets(t *testing.T) {
	var exchanges []tokenapi.Exchange
	server := b2binpaytest.Start(t, b2binpaytest.Config{})
	config := b2binpay.Config{URL: server.URL(), HTTP: tokenapi.HTTP{
		Observe: func(_ context.Context, e tokenapi.Exchange) { exchanges = append(exchanges, e) },
	}}
	client, err := b2binpay.New(config)
	if err != nil {
		t.Fatal(err)
	}
	first := signIn(t, client)
	second := refresh(t, client, first)
	_, spent := client.Refresh(t.Context(), first)
	_, wrong := client.SignIn(t.Context(), login, "wrong-5ecret")
	keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
	if err != nil {
		t.Fatal(err)
	}
	callbackConfig := b2binpay.CallbackConfig{Login: login, Password: tokenapi.Fixed(password)}
	callbacks, err := b2binpay.NewCallbacks(callbackConfig)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := callbacks.Verify(t.Context(), server.Callback("2", "1", ""))
	if err != nil {
		t.Fatal(err)
	}
	_, forged := newCallbacks(t, account(login, "another-5ecret")).Verify(t.Context(), cb.Raw)

	secrets := []string{password, "wrong-5ecret", "another-5ecret", first.AccessToken, first.RefreshToken, second.AccessToken, second.RefreshToken}
	for _, v := range []any{config, client, keeper, callbackConfig, callbacks, cb, exchanges, spent, wrong, forged} {
		clienttest.Hides(t, v, secrets...)
	}
	if len(exchanges) != 4 || exchanges[0].Op != "sign in" || exchanges[1].URL != server.URL()+"/token/refresh/" || exchanges[2].StatusCode != http.StatusUnauthorized {
		t.Errorf("observed %+v", exchanges)
	}
	if !strings.Contains(clienttest.Spellings(client), server.URL()) || !strings.Contains(clienttest.Spellings(wrong), "2006") {
		t.Error("what may be shown is not shown")
	}
}

// A server that writes back what it was sent, in every field it has and in several spellings, is not repeated.
func TestErrorsHideSecrets(t *testing.T) {
	const canary = `canary-5ecret/+="<&>\`
	server, client := inMemory(t, b2binpaytest.Config{})
	quoted, err := json.Marshal(canary)
	if err != nil {
		t.Fatal(err)
	}
	words := canary + " " + url.QueryEscape(canary) + " " + string(quoted)
	echo, err := json.Marshal(map[string]any{
		"errors": []any{map[string]any{"status": canary, "code": canary, "title": words, "detail": words, "source": map[string]string{"pointer": canary}}},
		"error":  canary, "error_description": words, "traceId": canary,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 418, 429, 500} {
		for _, mediaType := range []string{"application/vnd.api+json", "text/html"} {
			fault := apitest.Fault{Status: status, Body: echo, ContentType: mediaType, Times: 2}
			server.Inject(b2binpaytest.EndpointToken, fault)
			server.Inject(b2binpaytest.EndpointRefresh, fault)
			_, err := client.SignIn(t.Context(), login, canary)
			clienttest.Hides(t, err, canary, "canary-5ecret")
			_, err = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: canary, AccessToken: "acce55"})
			clienttest.Hides(t, err, canary, "canary-5ecret", "acce55")
			server.ClearFaults()
			if _, ok := errors.AsType[*tokenapi.Error](err); !ok {
				t.Fatalf("%d: got %v", status, err)
			}
		}
	}
}

// What cannot be used is not shown either: tokens of an answer whose signature is wrong, or that no header may hold.
func TestUnusableTokensAreHidden(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{})
	const sent = `{"data":{"attributes":{"access":"acce55 ","refresh":"refre5h\n"}},"meta":{"time":"t1me","sign":"5ign"}}`
	for _, op := range operations {
		server.Inject(op.endpoint, answering([]byte(sent)))
		clienttest.Hides(t, wantError(t, op.call(t, client), tokenapi.ErrUnusableAnswer), "acce55", "refre5h", "t1me", "5ign")
	}
}
