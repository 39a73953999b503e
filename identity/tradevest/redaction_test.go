package tradevest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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

// A server that writes back what it was sent, in every field it has, is not repeated.
func TestErrorsHideSecrets(t *testing.T) {
	server := newServer(t, tradevesttest.Config{})
	var seen []tokenapi.Exchange
	client := newClient(t, server, observing(&seen), func(c *tradevest.Config) { c.ClientSecret = tokenapi.Fixed(odd) })
	everywhere := func(code string) []byte {
		said := code + odd + " " + url.QueryEscape(odd)
		body, _ := json.Marshal(map[string]any{"error": said, "error_description": said, "title": said, "traceId": said,
			"access_token": said, "errors": []any{map[string]string{"code": said, "message": said}}})
		return body
	}
	for name, fault := range map[string]apitest.Fault{
		"400":            {Status: 400, Body: everywhere("e ")},
		"401":            {Status: 401, Body: everywhere("")},
		"200":            {Status: 200, Body: everywhere("")},
		"503":            {Status: 503, Body: everywhere("")},
		"a token":        {Body: []byte(`{"access_token":"` + odd + ` ","token_type":"Bearer"}`)},
		"a type":         {Body: []byte(`{"access_token":"a","token_type":"` + odd + `"}`)},
		"a lifetime":     {Body: []byte(`{"access_token":"a","token_type":"Bearer","expires_in":"` + odd + `"}`)},
		"half an answer": {Body: []byte(`{"access_token":"` + odd)},
		"plain text":     {Status: 400, Body: []byte(odd), ContentType: "text/plain"},
		"a form":         {Status: 400, Body: []byte("error=" + url.QueryEscape(odd)), ContentType: "application/x-www-form-urlencoded"},
		"a media type":   {Body: []byte("{}"), ContentType: odd},
		"nothing":        {LoseAnswer: true},
	} {
		server.Inject(tradevesttest.EndpointToken, fault)
		token, err := client.SignIn(t.Context())
		if token != nil || err == nil {
			t.Errorf("%s: got %v", name, token)
		}
		clienttest.Hides(t, err, odd)
	}
	if len(seen) != server.Count(tradevesttest.EndpointToken) {
		t.Errorf("%d exchanges were observed", len(seen))
	}
	clienttest.Hides(t, seen, odd)
}

// A transport whose errors hold what it sent, and a secret that cannot be read.
func TestFaultsHideSecrets(t *testing.T) {
	_, client := start(t, func(c *tradevest.Config) {
		c.ClientSecret = tokenapi.Fixed(odd)
		c.HTTP.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, errors.New("cannot send " + odd + " or " + url.QueryEscape(odd))
		})
	})
	_, err := client.SignIn(t.Context())
	clienttest.Hides(t, wantError(t, err, tokenapi.ErrUnavailable), odd)
	clienttest.Hides(t, err, odd)
}
