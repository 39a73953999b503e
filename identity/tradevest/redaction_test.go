package tradevest_test

import (
	"fmt"
	"testing"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// odd is a secret that is spelt otherwise in a form.
const odd = "canary-5ecret/+=&"

// req 17, 123: nothing that this package exports shows a secret, however it is printed.
func TestExportedTypesHideSecrets(t *testing.T) {
	server := newServer(t, tradevesttest.Config{ClientSecret: odd})
	var seen []tokenapi.Exchange
	config := tradevest.Config{ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(odd), RequestorID: someone,
		HTTP: tokenapi.HTTP{Transport: server.Transport()}}
	observing(&seen)(&config)
	client, err := tradevest.New(config)
	if err != nil {
		t.Fatal(err)
	}
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
		t.Fatal("it signed in twice at once")
	}
	for _, v := range []any{client, keeper, paused, seen, client.Transport(nil)} {
		clienttest.Hides(t, v, odd, token.AccessToken)
	}
	config.HTTP.Transport = nil // the test server's, which knows everything
	clienttest.Hides(t, config, odd)
	if got := fmt.Sprintf("%+v", client); got != "tradevest.Client(https://b2b.auth.platform-test.tradevest.ai)" {
		t.Errorf("the client prints %s", got)
	}
	if len(seen) != 2 || seen[0].Parameters.Get("grant_type") != "client_credentials" || seen[0].Parameters.Get("client_secret") != tokenapi.Redacted {
		t.Errorf("observed %+v", seen)
	}
}

// What a token response says where it should say something else is not repeated.
func TestUnusableAnswersAreHidden(t *testing.T) {
	server, client := start(t, func(c *tradevest.Config) { c.ClientSecret = tokenapi.Fixed(odd) })
	for name, body := range map[string]string{
		"a token":    `{"access_token":"` + odd + ` ","token_type":"Bearer"}`,
		"a type":     `{"access_token":"a","token_type":"` + odd + `"}`,
		"a lifetime": `{"access_token":"a","token_type":"Bearer","expires_in":"` + odd + `"}`,
		"half of it": `{"access_token":"` + odd,
	} {
		server.Inject(tradevesttest.EndpointToken, apitest.Fault{Body: []byte(body)})
		token, err := client.SignIn(t.Context())
		if token != nil {
			t.Errorf("%s: got a token", name)
		}
		clienttest.Hides(t, wantError(t, err, tokenapi.ErrUnusableAnswer), odd)
	}
}
