package identity_test

import (
	"testing"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest/npmclient"
	"b2trader.identity.auth/identity/tokenapi"
)

// oidcProviderVersion is the version of oidc-provider, a certified OpenID
// provider by other authors.
const oidcProviderVersion = "9.13.3"

const (
	providerPassword = "pa55 word"
	providerSecret   = "s+cret/%41 of spa_admin"
)

// The client works with a server by other authors, too.
func TestAgainstAnotherProvider(t *testing.T) {
	url := npmclient.StartScript(t, "oidc-provider", oidcProviderVersion, "testdata/provider.mjs",
		"PASSWORD="+providerPassword, "SPA_ADMIN_SECRET="+providerSecret)
	for _, config := range []identity.Config{
		{URL: url, ClientID: identity.ClientSPA},
		{URL: url, ClientID: identity.ClientSPAAdmin, ClientSecret: tokenapi.NewSecret(providerSecret)},
	} {
		t.Run(config.ClientID, func(t *testing.T) {
			client, err := identity.New(config)
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.Login(t.Context(), email, "wrong")
			wantError(t, err, tokenapi.ErrBadCredentials)
			s, err := client.SignIn(t.Context(), email, providerPassword)
			if err != nil {
				t.Fatal(err)
			}
			code, err := s.Authorize(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			old, err := s.RetrieveToken(t.Context(), code)
			if err != nil {
				t.Fatal(err)
			}
			state, err := s.State()
			if err != nil {
				t.Fatal(err)
			}
			token, err := client.Refresh(t.Context(), old)
			if err != nil || token.RefreshToken == old.RefreshToken {
				t.Fatalf("Refresh = %v, want a token", err)
			}
			_, err = client.Refresh(t.Context(), old) // reuse, which this provider punishes by revoking the family
			wantError(t, err, tokenapi.ErrGrantRefused)
			token, _, err = client.Resume(t.Context(), state)
			if err != nil {
				t.Fatalf("Resume = %v, want a token", err)
			}
			if err := client.SignOut(t.Context(), token.AccessToken, token.RefreshToken); err != nil {
				t.Errorf("SignOut = %v, want nil", err)
			}
			_, err = client.Refresh(t.Context(), token)
			wantError(t, err, tokenapi.ErrGrantRefused)
		})
	}
}
