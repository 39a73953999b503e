package identity_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// answering makes the requests to a path get a status with a header and without
// a body.
func answering(path string, status int, name, value string) func(*identity.Config) {
	return func(c *identity.Config) {
		c.HTTP.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(req.URL.Path, path) {
				return http.DefaultTransport.RoundTrip(req)
			}
			return &http.Response{StatusCode: status, Header: http.Header{name: {value}}, Body: http.NoBody, Request: req}, nil
		})
	}
}

// Errors of a wrong Config name the field to correct, and the URL.
//
// field 10
func TestErrorsNameTheField(t *testing.T) {
	login := func(c *identity.Client) (*oauth2.Token, error) {
		session, err := c.Login(t.Context(), email, password)
		if err != nil {
			return nil, err
		}
		return session.Token, nil
	}
	machine := func(c *identity.Client) (*oauth2.Token, error) {
		return c.MachineToMachineSignIn(t.Context(), "machine@example.com", "machine-password")
	}
	refresh := func(c *identity.Client) (*oauth2.Token, error) { return c.RefreshToken(t.Context(), "r") }
	wrongSecret := func(c *identity.Config) { c.ClientSecret = tokenapi.NewSecret("wrong") }
	page := identitytest.Fault{Status: 400, ContentType: "text/html", Body: []byte("<html>Invalid parameter: redirect_uri")}
	discovery := func(f identitytest.Fault) (identitytest.Endpoint, identitytest.Fault) {
		return identitytest.EndpointDiscovery, f
	}
	for _, c := range []struct {
		name   string
		client string
		change func(*identity.Config)
		fault  func() (identitytest.Endpoint, identitytest.Fault)
		call   func(*identity.Client) (*oauth2.Token, error)
		want   error
		says   []string
	}{
		{name: "a redirect URI that is not registered, by the error page", client: "spa", call: login, want: tokenapi.ErrMisconfigured,
			change: func(c *identity.Config) { c.RedirectURL = "https://elsewhere.example/done" }, says: []string{"Config.RedirectURL", "https://elsewhere.example/done"}},
		{name: "a redirect URI that is not registered, by 400", client: "spa", call: login, want: tokenapi.ErrMisconfigured,
			fault: func() (identitytest.Endpoint, identitytest.Fault) { return identitytest.EndpointAuthorize, page }, says: []string{"Config.RedirectURL", "/identity/sign-in-done"}},
		{name: "the same without a body", client: "spa", call: login, want: tokenapi.ErrMisconfigured,
			fault: func() (identitytest.Endpoint, identitytest.Fault) {
				return identitytest.EndpointAuthorize, identitytest.Fault{Status: 400}
			}, says: []string{"Config.RedirectURL"}},
		{name: "a wrong secret at a sign-in of a machine", client: "core_ib", change: wrongSecret, call: machine, want: tokenapi.ErrMisconfigured, says: []string{"Config.ClientSecret"}},
		{name: "a wrong secret at a sign-in", client: "spa_admin", change: wrongSecret, call: login, want: tokenapi.ErrMisconfigured, says: []string{"Config.ClientSecret"}},
		{name: "a wrong secret at a refresh", client: "spa_admin", change: wrongSecret, call: refresh, want: tokenapi.ErrMisconfigured, says: []string{"Config.ClientSecret"}},
		{name: "an empty 401 with a challenge", client: "spa_admin", call: refresh, want: tokenapi.ErrMisconfigured,
			change: answering("/connect/token", 401, "Www-Authenticate", `Basic realm="x"`), says: []string{"Config.ClientSecret"}},
		{name: "a person's sign-in by core_ib", client: "core_ib", call: login, want: tokenapi.ErrMisconfigured, says: []string{"Config.ClientID", "MachineToMachineSignIn"}},
		{name: "a person's sign-in by lk", client: "lk", call: login, want: tokenapi.ErrMisconfigured, says: []string{"Config.ClientID", "MachineToMachineSignIn"}},
		{name: "a URL without a discovery document", client: "spa", call: login, want: tokenapi.ErrMisconfigured,
			fault: func() (identitytest.Endpoint, identitytest.Fault) { return discovery(identitytest.Fault{Status: 404}) }, says: []string{"Config.URL", "/identity/.well-known/openid-configuration"}},
		{name: "a URL that redirects", client: "spa", call: login, want: tokenapi.ErrMisconfigured,
			change: answering("/openid-configuration", 301, "Location", "https://www.example.com/"), says: []string{"Config.URL", "/identity/.well-known/openid-configuration"}},
		{name: "a JWKSURL of another document", client: "spa", call: login, want: tokenapi.ErrUnavailable,
			change: func(c *identity.Config) { c.JWKSURL = c.URL + "/identity/.well-known/openid-configuration" },
			says:   []string{"Config.JWKSURL", "/identity/.well-known/openid-configuration", "it has no list of keys"}},
		{name: "a JWKSURL without a key set", client: "spa", call: login, want: tokenapi.ErrMisconfigured,
			change: func(c *identity.Config) { c.JWKSURL = c.URL + "/nowhere?key=s3cret" }, says: []string{"Config.JWKSURL", "://127.0.0.1", "/nowhere,"}},
		{name: "a JWKSURL that a gateway guards", client: "spa", call: login, want: tokenapi.ErrUnavailable,
			change: func(c *identity.Config) { c.JWKSURL = c.URL + "/identity/.well-known/openid-configuration/jwks" },
			fault: func() (identitytest.Endpoint, identitytest.Fault) {
				return identitytest.EndpointKeys, identitytest.Fault{Status: 403, ContentType: "text/html", Body: []byte("<html>")}
			}, says: []string{"Config.JWKSURL", "/jwks"}},
		{name: "a URL without a token endpoint", client: "spa", call: refresh, want: tokenapi.ErrMisconfigured,
			fault: func() (identitytest.Endpoint, identitytest.Fault) {
				return identitytest.EndpointToken, identitytest.Fault{Status: 404, Body: []byte(`{"title":"Not Found"}`)}
			}, says: []string{"Config.URL", "http://127.0.0.1", "/identity/connect/token"}},
		{name: "a URL of a web application", client: "spa", call: login, want: tokenapi.ErrUnusableAnswer,
			fault: func() (identitytest.Endpoint, identitytest.Fault) {
				return discovery(identitytest.Fault{Status: 200, ContentType: "text/html", Body: []byte("<html>")})
			}, says: []string{"Config.URL", "/identity/.well-known/openid-configuration"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := identitytest.Start(t, identitytest.Config{})
			var change []func(*identity.Config)
			if c.change != nil {
				change = append(change, c.change)
			}
			client := newClient(t, srv, c.client, change...)
			if c.fault != nil {
				srv.Inject(c.fault())
			}
			_, err := c.call(client)
			e := wantError(t, err, c.want)
			for _, says := range c.says {
				if !strings.Contains(e.Error(), says) {
					t.Errorf("the error is %v, want %q in it", e, says)
				}
			}
			if strings.HasPrefix(c.client, "core") || c.client == "lk" {
				wantCount(t, srv, identitytest.EndpointSignIn, 0)
			}
		})
	}
}
