package identitytest

import (
	"net/http"

	"b2trader.identity.auth/identity/apitest"
)

// discovery answers GET /identity/.well-known/openid-configuration. The
// endpoints have the request's origin, whatever the issuer is.
func (s *Server) discovery(x *exchange) {
	base := x.origin() + basePath
	doc := apitest.Object{
		{"issuer", s.issuer(x)},
		{"jwks_uri", base + "/.well-known/openid-configuration/jwks"},
		{"authorization_endpoint", base + "/connect/authorize"},
		{"token_endpoint", base + "/connect/token"},
		{"userinfo_endpoint", base + "/connect/userinfo"},
		{"end_session_endpoint", base + "/connect/endsession"},
		{"revocation_endpoint", base + "/connect/revocation"},
		{"frontchannel_logout_supported", true},
		{"frontchannel_logout_session_supported", true},
		{"backchannel_logout_supported", true},
		{"backchannel_logout_session_supported", true},
		{"scopes_supported", s.scopes},
		{"claims_supported", []string{"sub", "name", "nickname", "email", "email_verified", "role"}},
		{"grant_types_supported", []string{GrantAuthorizationCode, GrantClientCredentials, grantRefreshToken, "implicit", GrantPassword}},
		{"response_types_supported", responseTypes()},
		{"response_modes_supported", []string{"form_post", "query", "fragment"}},
		{"token_endpoint_auth_methods_supported", []string{"client_secret_basic", "client_secret_post"}},
		{"subject_types_supported", []string{"public"}},
		{"id_token_signing_alg_values_supported", []string{"RS256"}},
		{"code_challenge_methods_supported", []string{"plain", "S256"}},
	}
	x.JSON(http.StatusOK, identityServerJSON, doc)
}

// responseTypes returns those of IdentityServer. The clients here may use code
// only.
func responseTypes() []string {
	return []string{"code", "token", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}
}

// jwks answers GET /identity/.well-known/openid-configuration/jwks.
func (s *Server) jwks(x *exchange) {
	var keys []apitest.Object
	for _, key := range s.keys.all() {
		keys = append(keys, key.jwk())
	}
	x.JSON(http.StatusOK, identityServerJSON, apitest.Object{{"keys", keys}})
}
