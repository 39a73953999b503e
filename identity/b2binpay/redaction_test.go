package b2binpay_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

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

// What cannot be used is not shown either: tokens of an answer whose signature is wrong, or that no header may hold.
func TestUnusableTokensAreHidden(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{})
	const sent = `{"data":{"attributes":{"access":"acce55 ","refresh":"refre5h\n"}},"meta":{"time":"t1me","sign":"5ign"}}`
	for _, op := range operations {
		server.Inject(op.Endpoint, answering([]byte(sent)))
		clienttest.Hides(t, wantError(t, op.Call(t.Context(), t, client), tokenapi.ErrUnusableAnswer), "acce55", "refre5h", "t1me", "5ign")
	}
}
