package identity_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// req 17, 123: nothing that this package exports shows a secret, however it is
// printed.
func TestExportedTypesHideSecrets(t *testing.T) {
	const clientSecret = "5ecret-of-the-client"
	srv := identitytest.Start(t, identitytest.Config{Clients: []identitytest.Client{{
		ID: "spa_admin", Secret: clientSecret, Scopes: []string{"openid", "offline_access", "FrontOffice", "BackOffice"},
		GrantTypes: []string{identitytest.GrantAuthorizationCode},
	}}})
	var exchanges []tokenapi.Exchange
	config := identity.Config{URL: srv.URL(), ClientID: "spa_admin", ClientSecret: tokenapi.NewSecret(clientSecret),
		HTTP: tokenapi.HTTP{Observe: func(_ context.Context, e tokenapi.Exchange) { exchanges = append(exchanges, e) }}}
	client, err := identity.New(config)
	if err != nil {
		t.Fatal(err)
	}
	s := signIn(t, client)
	code, err := s.Authorize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pending := clienttest.Spellings(s)
	token, err := s.RetrieveToken(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	state, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.SignOut(t.Context(), token.AccessToken, token.RefreshToken, identity.WithState(state)); err != nil {
		t.Fatal(err)
	}

	sent := srv.Requests(identitytest.EndpointAuthorize)[0]
	exchange := srv.Requests(identitytest.EndpointToken)[0]
	secrets := []string{password, clientSecret, code, token.AccessToken, token.RefreshToken, extra(token, "id_token"),
		exchange.Form.Get("code_verifier"), sent.Query.Get("state"), sent.Query.Get("nonce"), sent.Query.Get("code_challenge")}
	for _, c := range strings.Split(sent.Header.Get("Cookie"), "; ") {
		_, value, _ := strings.Cut(c, "=")
		secrets = append(secrets, value)
	}
	for _, v := range []any{config, client, s, state, config.ClientSecret, identity.WithState(state), exchanges, s.Account} {
		clienttest.Hides(t, v, secrets...)
	}
	for _, secret := range secrets {
		if strings.Contains(pending, secret) {
			t.Errorf("a printed sign-in under way shows %q, want it redacted", secret)
		}
	}
	if len(exchanges) < 5 {
		t.Errorf("observed %d exchanges, want at least 5", len(exchanges))
	}
	if !strings.Contains(pending, "spa_admin") || !strings.Contains(clienttest.Spellings(exchanges), "authorization_code") {
		t.Error("the client's id or the grant type is not printed, want both")
	}
}

// An error does not repeat a secret that the server sends back, in any field.
func TestErrorsHideSecrets(t *testing.T) {
	const clientSecret = "5ecret+of the/client"
	srv := identitytest.Start(t, identitytest.Config{})
	config := func(c *identity.Config) { c.ClientSecret = tokenapi.NewSecret(clientSecret) }
	client := newClient(t, srv, identity.ClientCoreIB, config)
	echo := func(secret string) identitytest.Fault {
		q := url.QueryEscape(secret)
		body, _ := json.Marshal(map[string]any{"error": "e " + secret, "error_description": "for " + secret + " " + q + " " + clientSecret,
			"traceId": secret, "errors": []any{map[string]string{"code": secret, "message": secret}}})
		return identitytest.Fault{Status: 400, Body: body}
	}
	const canary = "canary-5ecret/+="

	srv.Inject(identitytest.EndpointSignIn, echo(canary))
	_, err := client.SignIn(t.Context(), email, canary)
	clienttest.Hides(t, wantError(t, err, tokenapi.ErrBadCredentials), canary, clientSecret)

	srv.Inject(identitytest.EndpointSignOut, echo("canary.5ecret"))
	err = client.SignOut(t.Context(), "canary.5ecret", "canary.5ecret")
	clienttest.Hides(t, wantError(t, err, tokenapi.ErrUnusableAnswer), "canary.5ecret")

	s, err := client.SignIn(t.Context(), "guarded@example.com", "guarded-password")
	if err != nil {
		t.Fatal(err)
	}
	srv.Inject(identitytest.EndpointSignIn, echo(canary))
	clienttest.Hides(t, wantError(t, s.VerifySecondFactor(t.Context(), canary), tokenapi.ErrSecondFactorRefused), canary)

	srv.Inject(identitytest.EndpointAuthorize, identitytest.Fault{Redirect: "https://user:canary-5ecret@elsewhere.example/p?code=canary-5ecret#canary-5ecret"})
	_, err = signIn(t, client).Authorize(t.Context())
	clienttest.Hides(t, wantError(t, err, tokenapi.ErrNotSignedIn), "canary-5ecret")
}

// net/http shows the URL with its query in its errors.
func TestFaultsHideTheURL(t *testing.T) {
	srv, client := start(t)
	s := signIn(t, client)
	if err := client.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv.Inject(identitytest.EndpointAuthorize, identitytest.Fault{LoseAnswer: true, Times: -1})
	_, err := s.Authorize(t.Context())
	wantError(t, err, tokenapi.ErrUnavailable)
	for _, r := range srv.Requests(identitytest.EndpointAuthorize) {
		clienttest.Hides(t, err, r.Query.Get("state"), r.Query.Get("nonce"))
	}
	if strings.Contains(err.Error(), "?") {
		t.Errorf("Authorize = %v, want an error without the query", err)
	}
}

// field 50: a server that repeats our request shows its Basic credentials, in
// which no test for the secret's own spelling finds it.
func TestRepeatedBasicCredentials(t *testing.T) {
	const secret = "s3cret/+&"
	srv := identitytest.Start(t, identitytest.Config{})
	client := newClient(t, srv, identity.ClientSPAAdmin, func(c *identity.Config) { c.ClientSecret = tokenapi.NewSecret(secret) })
	for _, repeated := range []string{
		base64.StdEncoding.EncodeToString([]byte("spa_admin:" + secret)),
		base64.StdEncoding.EncodeToString([]byte("spa_admin:" + url.QueryEscape(secret))),
		base64.StdEncoding.EncodeToString([]byte(secret)),
	} {
		srv.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_request","error_description":"you sent Basic ` + repeated + `"}`)})
		_, err := client.RefreshToken(t.Context(), "token")
		if e := wantError(t, err, tokenapi.ErrMisconfigured); contains(e.Error(), repeated) || !contains(e.Error(), "you sent") {
			t.Errorf("RefreshToken = %v, want the description without %q", err, repeated)
		}
	}
}
