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

// After a 401 another bearer is shown, and perhaps a refresh token before: a server that writes back what it has been sent so far is
// not repeated.
func TestErrorsHideWhatWasSentBefore(t *testing.T) {
	const another = "canary-another-5ecret/+="
	all := sentBearer + " " + sentRefresh + " " + another + " " + url.QueryEscape(sentBearer+" "+sentRefresh+" "+another)
	body, err := json.Marshal(map[string]any{"error": map[string]any{"code": sentBearer, "message": "for " + all}, "traceId": another})
	if err != nil {
		t.Fatal(err)
	}
	server, client := open(t, withBearer(func(_ context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if refused == nil {
			return &oauth2.Token{AccessToken: sentBearer}, nil
		}
		return &oauth2.Token{AccessToken: another}, nil
	}))
	always(server, apitest.Fault{Status: 401, Body: body})
	_, err = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: sentRefresh})
	clienttest.Hides(t, wantError(t, err, tokenapi.ErrNotSignedIn), sentBearer, another, sentRefresh)
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
