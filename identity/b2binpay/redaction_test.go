package b2binpay_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// spellings returns every way in which v might end up in a log.
func spellings(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
		fmt.Fprintf(&b, verb+"\n", struct{ hidden any }{v})
		fmt.Fprintf(&b, verb+"\n", []any{v})
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("m", "v", v, "in", struct{ V any }{v})
	}
	if raw, err := json.Marshal(v); err == nil {
		b.Write(raw)
	}
	return b.String()
}

// assertHides checks that no spelling of v holds a secret, in the clear or in another form.
func assertHides(t *testing.T, v any, secrets ...string) {
	t.Helper()
	text := strings.ToLower(spellings(v))
	for _, s := range secrets {
		if s == "" {
			t.Fatalf("%T: an empty secret proves nothing", v)
		}
		quoted, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		forms := []string{s, strings.Trim(string(quoted), `"`), url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s)), fmt.Sprintf("%x", s), fmt.Sprintf("%d", []byte(s))}
		for _, form := range forms {
			if strings.Contains(text, strings.ToLower(form)) {
				t.Errorf("%T shows %q in:\n%s", v, form, text)
				return
			}
		}
	}
}

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
	keeper, err := client.Keeper(login, tokenapi.Fixed(password))
	if err != nil {
		t.Fatal(err)
	}
	callbackConfig := b2binpay.CallbackConfig{Login: login, Password: tokenapi.Fixed(password)}
	callbacks, err := b2binpay.NewCallbacks(callbackConfig)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := callbacks.Verify(server.Callback("2", "1", ""))
	if err != nil {
		t.Fatal(err)
	}
	_, forged := newCallbacks(t, account(login, "another-5ecret")).Verify(cb.Raw)

	secrets := []string{password, "wrong-5ecret", "another-5ecret", first.AccessToken, first.RefreshToken, second.AccessToken, second.RefreshToken}
	for _, v := range []any{config, client, keeper, callbackConfig, callbacks, cb, exchanges, spent, wrong, forged} {
		assertHides(t, v, secrets...)
	}
	if len(exchanges) != 4 || exchanges[0].Op != "sign in" || exchanges[1].URL != server.URL()+"/token/refresh/" || exchanges[2].StatusCode != http.StatusUnauthorized {
		t.Errorf("observed %+v", exchanges)
	}
	if !strings.Contains(spellings(client), server.URL()) || !strings.Contains(spellings(wrong), "2006") {
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
			assertHides(t, err, canary, "canary-5ecret")
			_, err = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: canary, AccessToken: "acce55"})
			assertHides(t, err, canary, "canary-5ecret", "acce55")
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
		assertHides(t, wantError(t, op.call(t, client), tokenapi.ErrUnusableAnswer), "acce55", "refre5h", "t1me", "5ign")
	}
}
