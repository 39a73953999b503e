package identitytest_test

import (
	"net/http"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

const (
	discoveryPath = "/identity/.well-known/openid-configuration"
	keysPath      = discoveryPath + "/jwks"
)

func TestDiscovery(t *testing.T) {
	b := start(t, identitytest.Config{})
	got := b.get(discoveryPath)
	wantEqual(t, "Content-Type", got.header.Get("Content-Type"), "application/json; charset=UTF-8")
	wantNames(t, got.body, "issuer", "jwks_uri", "authorization_endpoint", "token_endpoint", "userinfo_endpoint",
		"end_session_endpoint", "revocation_endpoint", "frontchannel_logout_supported",
		"frontchannel_logout_session_supported", "backchannel_logout_supported", "backchannel_logout_session_supported",
		"scopes_supported", "claims_supported", "grant_types_supported", "response_types_supported",
		"response_modes_supported", "token_endpoint_auth_methods_supported", "subject_types_supported",
		"id_token_signing_alg_values_supported", "code_challenge_methods_supported")
	doc := decode[struct {
		Issuer  string   `json:"issuer"`
		JWKSURI string   `json:"jwks_uri"`
		Scopes  []string `json:"scopes_supported"`
	}](t, got.body)
	wantEqual(t, "issuer", doc.Issuer, b.base+"/identity")
	wantEqual(t, "jwks_uri", doc.JWKSURI, b.base+keysPath)
	wantEqual(t, "last scope", doc.Scopes[len(doc.Scopes)-1], "offline_access")
	wantEqual(t, "status of POST", b.postForm(discoveryPath, nil).status, http.StatusMethodNotAllowed)
	wantEqual(t, "status of POST to the keys", b.postForm(keysPath, nil).status, http.StatusMethodNotAllowed)
}

func TestDiscoveryNamesTheConfiguredIssuerVerbatim(t *testing.T) {
	b := start(t, identitytest.Config{Issuer: identitytest.InternalIssuer})
	doc := decode[map[string]any](t, b.get(discoveryPath).body)
	wantEqual(t, "issuer", doc["issuer"], any("http://identity-server/identity/"))
	wantEqual(t, "token_endpoint", doc["token_endpoint"], any(b.base+tokenPath))
}

func TestIssuerIsTheOriginInLowerCase(t *testing.T) {
	b := inMemory(t, identitytest.Config{})
	b.base = "https://Identity.Example"
	doc := decode[map[string]any](t, b.get(discoveryPath).body)
	wantEqual(t, "issuer", doc["issuer"], any("https://identity.example/identity"))
	wantEqual(t, "token_endpoint", doc["token_endpoint"], any("https://Identity.Example"+tokenPath))
}

type keySet struct {
	Keys []map[string]string `json:"keys"`
}

func (b *browser) keys() []map[string]string {
	b.t.Helper()
	return decode[keySet](b.t, b.get(keysPath).body).Keys
}

func TestKeysCarryNoKeyID(t *testing.T) {
	b := start(t, identitytest.Config{})
	keys := b.keys()
	if len(keys) != 1 || len(keys[0]) != 5 {
		t.Fatalf("keys are %v", keys)
	}
	for name, want := range map[string]string{"kty": "RSA", "use": "sig", "e": "AQAB", "alg": "RS256"} {
		wantEqual(t, name, keys[0][name], want)
	}
	wantEqual(t, "length of n", len(keys[0]["n"]), 342)
}

func TestKeyRotation(t *testing.T) {
	b := start(t, identitytest.Config{})
	old := b.login("trader@example.com", "spa").AccessToken
	first := b.keys()[0]["n"]
	b.server.RotateKeys()
	keys := b.keys()
	if len(keys) != 2 || keys[0]["n"] == first || keys[1]["n"] != first {
		t.Fatal("want the new key, then the old one")
	}
	wantEqual(t, "status of the old token", b.account(old), http.StatusOK)
	b.server.DropOldKeys()
	wantEqual(t, "number of keys", len(b.keys()), 1)
	wantEqual(t, "status of the old token without its key", b.account(old), http.StatusUnauthorized)
	wantEqual(t, "status of a new token", b.account(b.login("trader@example.com", "spa").AccessToken), http.StatusOK)
}

// account returns the status of a FrontOffice request with that token.
func (b *browser) account(token string) int {
	b.t.Helper()
	return b.get("/frontoffice/api/v3/account", "Authorization", "Bearer "+token).status
}
