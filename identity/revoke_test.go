package identity_test

import (
	"errors"
	"testing"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// field 63: a refresh token is revoked without an access token, by a client with
// a secret and by one without.
func TestRevokeToken(t *testing.T) {
	for _, id := range []string{identity.ClientSPA, identity.ClientSPAAdmin} {
		server, err := identitytest.New(identitytest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		config := identity.Config{URL: "http://127.0.0.1", ClientID: id, HTTP: tokenapi.HTTP{Transport: server.Transport()}}
		if id != identity.ClientSPA {
			config.ClientSecret = tokenapi.NewSecret(id + "-secret")
		}
		c, err := identity.New(config)
		if err != nil {
			t.Fatal(err)
		}
		session, err := c.Login(t.Context(), "admin@example.com", "admin-password")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.RevokeToken(t.Context(), session.RefreshToken); err != nil {
			t.Errorf("%s: RevokeToken = %v, want no error", id, err)
		}
		if _, err := c.Refresh(t.Context(), session.Token); !errors.Is(err, tokenapi.ErrGrantRefused) {
			t.Errorf("%s: Refresh of a revoked token = %v, want ErrGrantRefused", id, err)
		}
		if err := c.RevokeToken(t.Context(), ""); !errors.Is(err, identity.ErrNoRefreshToken) {
			t.Errorf("%s: RevokeToken without a token = %v, want ErrNoRefreshToken", id, err)
		}
		server.Inject(identitytest.EndpointRevocation, identitytest.Fault{Status: 503})
		if err := c.RevokeToken(t.Context(), "another"); !errors.Is(err, tokenapi.ErrUnavailable) {
			t.Errorf("%s: RevokeToken with HTTP 503 = %v, want ErrUnavailable", id, err)
		}
	}
}

// field 63: a server without the endpoint gets no request.
func TestRevokeTokenUnsupported(t *testing.T) {
	server, err := identitytest.New(identitytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server.Inject(identitytest.EndpointDiscovery, identitytest.Fault{
		Times: -1, Answer: func(fields map[string]any) { delete(fields, "revocation_endpoint") },
	})
	c, err := identity.New(identity.Config{URL: "http://127.0.0.1", ClientID: identity.ClientSPA, HTTP: tokenapi.HTTP{Transport: server.Transport()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.RevokeToken(t.Context(), "a token"); !errors.Is(err, errors.ErrUnsupported) || server.Count(identitytest.EndpointRevocation) != 0 {
		t.Errorf("RevokeToken = %v with %d requests, want errors.ErrUnsupported and none", err, server.Count(identitytest.EndpointRevocation))
	}
}

// field 63: without discovery the answer says whether the server revokes refresh
// tokens.
func TestRevokeTokenUnsupportedByAnswer(t *testing.T) {
	for _, fault := range []identitytest.Fault{{Status: 404}, {Status: 405}, {Status: 400, Body: []byte(`{"error":"unsupported_token_type"}`)}} {
		server := identitytest.Start(t, identitytest.Config{})
		c := newClient(t, server, identity.ClientSPA, func(c *identity.Config) {
			c.Issuer, c.JWKSURL = server.URL()+"/identity", server.URL()+"/identity/.well-known/openid-configuration/jwks"
		})
		server.Inject(identitytest.EndpointRevocation, fault)
		if err := c.RevokeToken(t.Context(), "a token"); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("RevokeToken with %d %s = %v, want errors.ErrUnsupported", fault.Status, fault.Body, err)
		}
		if err := c.RevokeToken(t.Context(), "a token"); err != nil {
			t.Errorf("RevokeToken without the fault = %v, want no error", err)
		}
	}
}
