package identity_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// req 1, 2, 4, 12
func TestAuthorizationRequest(t *testing.T) {
	srv, client := start(t)
	for range 2 {
		login(t, client)
	}
	requests, exchanges := srv.Requests(identitytest.EndpointAuthorize), srv.Requests(identitytest.EndpointToken)
	if len(requests) != 2 || len(exchanges) != 2 {
		t.Fatalf("got %d authorization requests and %d exchanges, want 2 each", len(requests), len(exchanges))
	}
	for i, r := range requests {
		want := url.Values{
			"client_id": {"spa"}, "response_type": {"code"}, "code_challenge_method": {"S256"},
			"scope": {"openid offline_access FrontOffice"}, "redirect_uri": {srv.URL() + "/identity/sign-in-done"},
			"state": r.Query["state"], "nonce": r.Query["nonce"], "code_challenge": r.Query["code_challenge"],
		}
		if r.Query.Encode() != want.Encode() || r.Method != http.MethodGet {
			t.Errorf("sent %s %v, want GET %v", r.Method, r.Query, want)
		}
		verifier := exchanges[i].Form.Get("code_verifier")
		digest := sha256.Sum256([]byte(verifier))
		if len(verifier) < 43 || base64.RawURLEncoding.EncodeToString(digest[:]) != r.Query.Get("code_challenge") {
			t.Errorf("code_challenge = %q, want S256 of the verifier %q", r.Query.Get("code_challenge"), verifier)
		}
		if len(r.Query.Get("state")) < 22 || len(r.Query.Get("nonce")) < 22 {
			t.Errorf("state and nonce of %v, want at least 128 bits each", r.Query)
		}
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if requests[0].Query.Get(name) == requests[1].Query.Get(name) {
			t.Errorf("%s is %q in both requests, want a new one", name, requests[0].Query.Get(name))
		}
	}
}

func TestRedirectsStopAtTheRedirectURI(t *testing.T) {
	called := false
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer app.Close()
	srv := identitytest.Start(t, identitytest.Config{Clients: []identitytest.Client{{
		ID: "spa", Scopes: []string{"openid", "offline_access", "FrontOffice"},
		GrantTypes: []string{identitytest.GrantAuthorizationCode}, RedirectURIs: []string{app.URL + "/done"},
	}}})
	client := newClient(t, srv, identity.ClientSPA, func(c *identity.Config) { c.RedirectURL = app.URL + "/done" })
	login(t, client)
	if called {
		t.Error("the redirect URI was called, want no request")
	}
}

// Any answer but the expected redirect is a typed error, and no token
// request follows.
func TestAuthorizeRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault identitytest.Fault
		want  error
		says  string
	}{
		{"state of another request (req 3)", identitytest.Fault{WrongState: true}, tokenapi.ErrUnusableAnswer, "state"},
		{"no state (req 5)", identitytest.Fault{NoState: true}, tokenapi.ErrUnusableAnswer, "state"},
		{"login required", identitytest.Fault{ErrorCode: "login_required"}, tokenapi.ErrNotSignedIn, "login_required"},
		{"access denied", identitytest.Fault{ErrorCode: "access_denied"}, tokenapi.ErrNotSignedIn, "access_denied"},
		{"invalid scope", identitytest.Fault{ErrorCode: "invalid_scope"}, tokenapi.ErrMisconfigured, "invalid_scope"},
		{"server error", identitytest.Fault{ErrorCode: "server_error"}, tokenapi.ErrUnavailable, "server_error"},
		{"elsewhere", identitytest.Fault{Redirect: "https://phish.example/identity/sign-in-done?code=c0de"}, tokenapi.ErrNotSignedIn, "phish.example/identity/sign-in-done"},
		{"another path", identitytest.Fault{Redirect: "/identity/unauthorized?code=c0de"}, tokenapi.ErrNotSignedIn, "/identity/unauthorized"},
		{"a page that is not there", identitytest.Fault{Redirect: "/identity/nowhere"}, tokenapi.ErrNotSignedIn, "/identity/nowhere"},
		{"500", identitytest.Fault{Status: 500}, tokenapi.ErrUnavailable, ""},
		{"429", identitytest.Fault{Status: 429}, tokenapi.ErrUnavailable, ""},
		{"404", identitytest.Fault{Status: 404}, tokenapi.ErrMisconfigured, ""},
		{"400", identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_client"}`)}, tokenapi.ErrMisconfigured, "invalid_client"},
		{"a page", identitytest.Fault{Status: 200, ContentType: "text/html", Body: []byte("sign in")}, tokenapi.ErrNotSignedIn, "/identity/connect/authorize"},
		{"oversized", identitytest.Fault{Oversized: true}, tokenapi.ErrUnusableAnswer, "longer"},
		// field 9
		{"a gateway's 401", identitytest.Fault{Status: 401, ContentType: "text/html", Body: []byte("<html>")}, tokenapi.ErrUnavailable, "/identity/connect/authorize"},
		{"a gateway's 403", identitytest.Fault{Status: 403, ContentType: "text/plain", Body: []byte("denied")}, tokenapi.ErrUnavailable, "/identity/connect/authorize"},
		{"405", identitytest.Fault{Status: 405}, tokenapi.ErrMisconfigured, "/identity/connect/authorize"},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, client := start(t)
			s := signIn(t, client)
			srv.Inject(identitytest.EndpointAuthorize, c.fault)
			code, err := s.Authorize(t.Context())
			e := wantError(t, err, c.want)
			if code != "" || !strings.Contains(e.Error(), c.says) || strings.Contains(e.Error(), "c0de") {
				t.Errorf("Authorize = %q, %v, want no code and %q in the error", code, err, c.says)
			}
			if _, err := s.RetrieveToken(t.Context(), "anything"); err == nil {
				t.Error("RetrieveToken succeeded, want an error")
			}
			wantCount(t, srv, identitytest.EndpointToken, 0)
		})
	}
}

// req 10: Authorize works again after a refusal.
func TestAuthorizeAgainAfterARefusal(t *testing.T) {
	srv, client := start(t)
	s := signIn(t, client)
	srv.Inject(identitytest.EndpointAuthorize, identitytest.Fault{ErrorCode: "temporarily_unavailable"})
	if _, err := s.Authorize(t.Context()); err == nil {
		t.Fatal("no error")
	}
	code, err := s.Authorize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.RetrieveToken(t.Context(), code); err != nil {
		t.Error(err)
	}
}

// req 6: the issuer of the response is compared if there is one, and required
// if discovery announces it.
func TestIssuerOfTheAuthorizationResponse(t *testing.T) {
	for _, c := range []struct {
		name      string
		announced bool
		iss       func(srv *identitytest.Server) string
		ok        bool
	}{
		{"right", true, func(srv *identitytest.Server) string { return srv.URL() + "/identity" }, true},
		{"right, not announced", false, func(srv *identitytest.Server) string { return srv.URL() + "/identity" }, true},
		{"wrong", true, func(*identitytest.Server) string { return "https://another.example" }, false},
		{"wrong, not announced", false, func(*identitytest.Server) string { return "https://another.example" }, false},
		{"missing", true, nil, false},
		{"missing, not announced", false, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := identitytest.Start(t, identitytest.Config{})
			srv.Inject(identitytest.EndpointDiscovery, identitytest.Fault{Answer: func(fields map[string]any) {
				if c.announced {
					fields["authorization_response_iss_parameter_supported"] = true
				}
			}})
			client := newClient(t, srv, identity.ClientSPA, func(config *identity.Config) {
				if c.iss != nil {
					config.HTTP.Transport = addToRedirect("iss", c.iss(srv))
				}
			})
			_, err := client.Login(t.Context(), email, password)
			if (err == nil) != c.ok {
				t.Errorf("Login = %v, want success %v", err, c.ok)
			}
			if !c.ok {
				wantError(t, err, tokenapi.ErrUnusableAnswer)
			}
		})
	}
}

// RFC 6749 section 3.1: "parameters MUST NOT be included more than once".
func TestRepeatedParameters(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{})
	client := newClient(t, srv, identity.ClientSPA, func(c *identity.Config) { c.HTTP.Transport = addToRedirect("code", "another") })
	_, err := client.Login(t.Context(), email, password)
	wantError(t, err, tokenapi.ErrUnusableAnswer)
}

// addToRedirect returns a transport that adds a parameter to the redirect of
// authorize, as another server may.
func addToRedirect(name, value string) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err == nil && resp.Header.Get("Location") != "" {
			resp.Header.Set("Location", resp.Header.Get("Location")+"&"+name+"="+url.QueryEscape(value))
		}
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Another server may redirect to its own pages before it answers.
func TestRedirectsWithinTheServerAreFollowed(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{})
	target, err := url.Parse(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	behind := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	var referers []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		referers = append(referers, r.Header.Get("Referer"))
		if strings.HasSuffix(r.URL.Path, "/authorize") && !r.URL.Query().Has("again") {
			http.Redirect(w, r, r.URL.String()+"&again=1", http.StatusFound)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	client := newClient(t, srv, identity.ClientSPA, func(c *identity.Config) {
		c.URL, c.Issuer = proxy.URL, srv.URL()+"/identity"
		c.RedirectURL = srv.URL() + "/identity/sign-in-done"
	})
	login(t, client)
	if got := strings.Join(referers, ""); got != "" {
		t.Errorf("got the Referers %q, want none: they repeat the state", got)
	}
}

func TestNotSignedIn(t *testing.T) {
	srv, client := start(t)
	s := signIn(t, client)
	srv.EndSessions(email)
	_, err := s.Authorize(t.Context())
	wantError(t, err, tokenapi.ErrNotSignedIn)
	var nobody identity.SignIn
	_, err = nobody.Authorize(t.Context())
	wantError(t, err, tokenapi.ErrNotSignedIn)
}

// A loop of redirects ends.
func TestRedirectLoop(t *testing.T) {
	srv, client := start(t)
	s := signIn(t, client)
	srv.Inject(identitytest.EndpointAuthorize, identitytest.Fault{Redirect: "/identity/connect/authorize?loop", Times: -1})
	_, err := s.Authorize(t.Context())
	wantError(t, err, tokenapi.ErrNotSignedIn)
	if n := srv.Count(identitytest.EndpointAuthorize); n > 11 {
		t.Errorf("sent %d requests, want at most 11", n)
	}
}
