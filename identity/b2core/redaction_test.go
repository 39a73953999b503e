package b2core_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// Nothing that this package exports shows a token, however it is printed.
func TestExportedTypesHideSecrets(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	bearer, err := server.Bearer(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var exchanges []tokenapi.Exchange
	config := b2core.Config{URL: broker, Bearer: b2core.StaticBearer(bearer.AccessToken), HTTP: tokenapi.HTTP{
		Transport: server.Transport(),
		Observe:   func(_ context.Context, e tokenapi.Exchange) { exchanges = append(exchanges, e) },
	}}
	client, err := b2core.New(config)
	if err != nil {
		t.Fatal(err)
	}
	old := signIn(t, server, client)
	token, err := client.Refresh(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{config, client, exchanges, config.Bearer} {
		clienttest.Hides(t, v, bearer.AccessToken, old.AccessToken, old.RefreshToken, token.AccessToken, token.RefreshToken)
	}
	if len(exchanges) != 2 || exchanges[0].Op != "sign in" || exchanges[1].Op != "refresh token" ||
		exchanges[1].URL != broker+"/api/v2/my/platforms/1/refresh" || exchanges[1].Parameters.Get("refreshToken") != tokenapi.Redacted {
		t.Errorf("observed %+v", exchanges)
	}
}

// A server that writes back what it was sent, in every field it has, is not repeated.
func TestErrorsHideSecrets(t *testing.T) {
	const bearer, refresh, another = "canary-bearer-5ecret/+=", "canary-refresh-5ecret/+=", "canary-another-5ecret/+="
	all := bearer + " " + refresh + " " + another + " " + url.QueryEscape(bearer+" "+refresh)
	body, err := json.Marshal(map[string]any{
		"error": map[string]any{"code": bearer, "message": "for " + all}, "error_description": all, "traceId": bearer, "title": all, "errors": []any{map[string]string{"code": refresh, "message": all}},
	})
	if err != nil {
		t.Fatal(err)
	}
	source := func(_ context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if refused == nil {
			return &oauth2.Token{AccessToken: bearer}, nil
		}
		return &oauth2.Token{AccessToken: another}, nil
	}
	for _, status := range []int{200, 400, 401, 403, 404, 418, 422, 429, 500} {
		for op, o := range calls {
			server, client := open(t, withBearer(source))
			always(server, apitest.Fault{Status: status, Body: body})
			token, err := o.call(t.Context(), client, &oauth2.Token{RefreshToken: refresh})
			if err == nil || token != nil {
				t.Fatalf("%s, %d: got a token", op, status)
			}
			if op == "sign in" {
				clienttest.Hides(t, err, bearer) // no refresh token was told
				continue
			}
			clienttest.Hides(t, err, bearer, refresh)
		}
	}
	server, client := open(t, withBearer(source))
	always(server, apitest.Fault{Status: 401, Body: body})
	_, err = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: refresh})
	clienttest.Hides(t, wantError(t, err, tokenapi.ErrNotSignedIn), bearer, another, refresh)
	asked(t, server, 2, 1)
}

// An answer that hides its own tokens in the host is not repeated either.
func TestHostsHideSecrets(t *testing.T) {
	for _, host := range []string{"https://canary-bearer.example", "https://canary-access.example", "https://canary-refresh.example:1", "https://canary-access@evil.example", "https://u:canary-refresh@" + broker[8:]} {
		server, client := open(t, withBearer(b2core.StaticBearer("canary-bearer")))
		body, err := json.Marshal(map[string]string{"token": "canary-access", "refreshToken": "canary-refresh", "host": host})
		if err != nil {
			t.Fatal(err)
		}
		server.Inject(b2coretest.EndpointAuth, apitest.Fault{Body: body})
		_, err = client.SignIn(t.Context())
		clienttest.Hides(t, wantError(t, err, tokenapi.ErrUnusableAnswer), "canary-bearer", "canary-access", "canary-refresh")
	}
}

// net/http names the URL in its errors, and a platform's id may hold anything.
func TestFaultsHideTheURL(t *testing.T) {
	server, client := open(t, func(c *b2core.Config) { c.PlatformID = "1\r\n2" })
	server.Inject(b2coretest.EndpointUnknown, apitest.Fault{LoseAnswer: true})
	_, err := client.SignIn(t.Context())
	if wantError(t, err, tokenapi.ErrUnavailable); strings.ContainsAny(err.Error(), "\r\n") || strings.Contains(err.Error(), "platforms") {
		t.Errorf("got %q", err)
	}
}
