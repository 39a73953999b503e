package identity_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
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

// assertHides checks that no spelling of v holds a secret, in the clear, form-encoded, in base64 or in hex.
func assertHides(t *testing.T, v any, secrets ...string) {
	t.Helper()
	text := spellings(v)
	for _, s := range secrets {
		if s == "" {
			t.Fatalf("%T: an empty secret proves nothing", v)
		}
		for _, form := range []string{s, url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s)), fmt.Sprintf("%x", s), fmt.Sprintf("%d", []byte(s))} {
			if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
				t.Errorf("%T shows %q in:\n%s", v, form, text)
				return
			}
		}
	}
}

// req 17, 123: nothing that this package exports shows a secret, however it is printed.
func TestExportedTypesHideSecrets(t *testing.T) {
	const clientSecret = "5ecret-of-the-client"
	srv := identitytest.Start(t, identitytest.Config{Clients: []identitytest.Client{{
		ID: "spa_admin", Secret: clientSecret, Scopes: []string{"openid", "offline_access", "FrontOffice", "BackOffice"},
		GrantTypes: []string{identitytest.GrantAuthorizationCode},
	}}})
	var exchanges []identity.Exchange
	config := identity.Config{URL: srv.URL(), ClientID: "spa_admin", ClientSecret: identity.NewSecret(clientSecret),
		Observe: func(_ context.Context, e identity.Exchange) { exchanges = append(exchanges, e) }}
	client, err := identity.New(config)
	if err != nil {
		t.Fatal(err)
	}
	s := signIn(t, client)
	code, err := s.Authorize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pending := spellings(s)
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
		assertHides(t, v, secrets...)
	}
	for _, secret := range secrets {
		if strings.Contains(pending, secret) {
			t.Error("a sign-in under way shows a secret")
		}
	}
	if len(exchanges) < 5 {
		t.Errorf("%d exchanges were observed", len(exchanges))
	}
	if !strings.Contains(pending, "spa_admin") || !strings.Contains(spellings(exchanges), "authorization_code") {
		t.Error("what may be shown is not shown")
	}
}

// A server that writes back what it was sent, in every field it has, is not repeated.
func TestErrorsHideSecrets(t *testing.T) {
	const clientSecret = "5ecret+of the/client"
	srv := identitytest.Start(t, identitytest.Config{})
	config := func(c *identity.Config) { c.ClientSecret = identity.NewSecret(clientSecret) }
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
	assertHides(t, wantError(t, err, identity.ErrBadCredentials), canary, clientSecret)

	srv.Inject(identitytest.EndpointToken, echo(canary))
	_, err = client.MachineToMachineSignIn(t.Context(), email, canary)
	assertHides(t, wantError(t, err, identity.ErrUnusableAnswer), canary, clientSecret)

	srv.Inject(identitytest.EndpointToken, echo(canary))
	_, err = client.RefreshToken(t.Context(), canary)
	assertHides(t, wantError(t, err, identity.ErrUnusableAnswer), canary, clientSecret)

	srv.Inject(identitytest.EndpointSignOut, echo("canary.5ecret"))
	err = client.SignOut(t.Context(), "canary.5ecret", "canary.5ecret")
	assertHides(t, wantError(t, err, identity.ErrUnusableAnswer), "canary.5ecret")

	s, err := client.SignIn(t.Context(), "guarded@example.com", "guarded-password")
	if err != nil {
		t.Fatal(err)
	}
	srv.Inject(identitytest.EndpointSignIn, echo(canary))
	assertHides(t, wantError(t, s.VerifySecondFactor(t.Context(), canary), identity.ErrSecondFactorRefused), canary)

	srv.Inject(identitytest.EndpointAuthorize, identitytest.Fault{Redirect: "https://user:canary-5ecret@elsewhere.example/p?code=canary-5ecret#canary-5ecret"})
	_, err = signIn(t, client).Authorize(t.Context())
	assertHides(t, wantError(t, err, identity.ErrNotSignedIn), "canary-5ecret")
}

// net/http names the URL in its errors, query and all.
func TestFaultsHideTheURL(t *testing.T) {
	srv, client := start(t)
	s := signIn(t, client)
	if err := client.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	srv.Inject(identitytest.EndpointAuthorize, identitytest.Fault{LoseAnswer: true, Times: -1})
	_, err := s.Authorize(t.Context())
	wantError(t, err, identity.ErrUnavailable)
	for _, r := range srv.Requests(identitytest.EndpointAuthorize) {
		assertHides(t, err, r.Query.Get("state"), r.Query.Get("nonce"))
	}
	if strings.Contains(err.Error(), "?") {
		t.Errorf("the error shows a query: %v", err)
	}
}
