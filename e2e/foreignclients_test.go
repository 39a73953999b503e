package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/identitytest/npmclient"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// The versions of the npm packages that TestForeignClients runs.
const (
	openidClientVersion = "6.9.0"
	oidcClientTSVersion = "3.5.0"
)

// Each foreign client signs in, renews and signs out at the test server, which
// publishes two keys, as after a rotation. What each needs is in the
// documentation of package identitytest. field 3
func TestForeignClients(t *testing.T) {
	t.Parallel()
	for _, foreign := range []struct {
		name  string
		keyID bool // needs a kid
		run   func(*testing.T, *relyingParty)
	}{
		{"openid-client", true, runOpenIDClient},
		{"oidc-client-ts", false, runOIDCClientTS},
		{"go-oidc", false, runGoOIDC},
		{"oauth2-proxy", false, runOAuth2Proxy},
	} {
		t.Run(foreign.name, func(t *testing.T) {
			t.Parallel()
			p := newRelyingParty(t, foreign.keyID)
			foreign.run(t, p)
			if n := p.server.Grants("authorization_code"); n != 1 {
				t.Errorf("codes exchanged = %d, want 1", n)
			}
			if p.server.Grants("refresh_token") == 0 {
				t.Error("renewals = 0, want some")
			}
			authorize := p.server.Requests(identitytest.EndpointAuthorize)[0]
			if landed := end(p.browser.Get(p.server.URL() + authorize.Path + "?" + authorize.Query.Encode()))(t); landed.Path != signInPage {
				t.Errorf("authorize after the sign-out ends at %s, want %s", landed.Path, signInPage)
			}
		})
	}
}

// relyingParty is an application with a foreign client, a test server that
// knows it and has a sign-in page, and a user's browser.
type relyingParty struct {
	server  *identitytest.Server
	client  identitytest.Client
	url     string // of the application
	browser *http.Client
}

func newRelyingParty(t *testing.T, keyID bool) *relyingParty {
	t.Helper()
	site := "http://" + servers.FreeAddress(t)
	p := &relyingParty{url: site, client: identitytest.Client{
		ID: "app", Secret: "app-secret",
		Scopes:                 []string{"openid", "profile", "email", "FrontOffice", "offline_access"},
		GrantTypes:             []string{identitytest.GrantAuthorizationCode},
		RedirectURIs:           []string{site + "/oauth2/callback"},
		AllowedCORSOrigins:     []string{site},
		PostLogoutRedirectURIs: []string{site + "/signed-out"},
	}}
	p.server = identitytest.Start(t, identitytest.Config{
		Clients: []identitytest.Client{p.client}, KeyID: keyID, SignInPage: true, AccessTokenLifetime: longLife,
	})
	p.server.RotateKeys()
	p.browser = &http.Client{Jar: must(cookiejar.New(nil))(t)}
	return p
}

func (p *relyingParty) issuer() string { return p.server.URL() + "/identity" }

// serve makes the application answer.
func (p *relyingParty) serve(t *testing.T, handler http.Handler) {
	t.Helper()
	listener := must(new(net.ListenConfig).Listen(t.Context(), "tcp", strings.TrimPrefix(p.url, "http://")))(t)
	site := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler, ReadHeaderTimeout: patience}}
	site.Start()
	t.Cleanup(site.Close)
}

// signInPage is the path of the test server's sign-in page.
const signInPage = "/identity/account/login"

// visit opens a URL in the browser, signs in if a sign-in page comes, and
// returns where the redirects end.
func (p *relyingParty) visit(t *testing.T, target string) *url.URL {
	t.Helper()
	landed := end(p.browser.Get(target))(t)
	for _, form := range []url.Values{
		{"email": {"guarded@example.com"}, "password": {"guarded-password"}},
		{"verificationCode": {"246810"}},
	} {
		if landed.Path == signInPage {
			landed = end(p.browser.PostForm(landed.String(), form))(t)
		}
	}
	return landed
}

// end returns the URL of an answer, after redirects.
func end(resp *http.Response, err error) func(*testing.T) *url.URL {
	return func(t *testing.T) *url.URL {
		t.Helper()
		resp := must(resp, err)(t)
		_ = resp.Body.Close()
		return resp.Request.URL
	}
}

// runOpenIDClient runs a script with the npm package openid-client. The script
// prints the URLs that the browser must visit.
func runOpenIDClient(t *testing.T, p *relyingParty) {
	dir := npmclient.InstallPackage(t, "openid-client", openidClientVersion)
	script := filepath.Join(dir, "script.mjs")
	if err := os.WriteFile(script, must(os.ReadFile("testdata/openid-client.mjs"))(t), 0o600); err != nil {
		t.Fatal(err)
	}
	p.serve(t, http.NotFoundHandler())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	node := exec.CommandContext(ctx, "node", script)
	node.Env = append(os.Environ(), "ISSUER="+p.issuer(), "CLIENT_ID="+p.client.ID, "CLIENT_SECRET="+p.client.Secret,
		"REDIRECT_URI="+p.client.RedirectURIs[0], "SIGNED_OUT_URI="+p.client.PostLogoutRedirectURIs[0])
	var stderr bytes.Buffer
	node.Stderr = &stderr
	answers, targets := must(node.StdinPipe())(t), must(node.StdoutPipe())(t)
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(targets); lines.Scan(); {
		if _, err := fmt.Fprintln(answers, p.visit(t, lines.Text())); err != nil {
			t.Error(err)
		}
	}
	if err := node.Wait(); err != nil {
		t.Fatalf("openid-client: %v\n%s", err, &stderr)
	}
}

func runGoOIDC(t *testing.T, p *relyingParty) {
	p.serve(t, http.NotFoundHandler())
	ctx := t.Context()
	provider := must(oidc.NewProvider(ctx, p.issuer()))(t)
	config := oauth2.Config{
		ClientID: p.client.ID, ClientSecret: p.client.Secret, Endpoint: provider.Endpoint(),
		RedirectURL: p.client.RedirectURIs[0], Scopes: []string{"openid", "profile", "offline_access"},
	}
	verifier := oauth2.GenerateVerifier()
	callback := p.visit(t, config.AuthCodeURL("state12345", oidc.Nonce("nonce12345"), oauth2.S256ChallengeOption(verifier))).Query()
	if got := callback.Get("state"); got != "state12345" {
		t.Errorf("state = %q, want state12345", got)
	}
	first := must(config.Exchange(ctx, callback.Get("code"), oauth2.VerifierOption(verifier)))(t)
	raw, _ := first.Extra("id_token").(string)
	idToken := must(provider.Verifier(&oidc.Config{ClientID: p.client.ID}).Verify(ctx, raw))(t)
	if idToken.Nonce != "nonce12345" {
		t.Errorf("nonce = %q, want nonce12345", idToken.Nonce)
	}
	second := must(config.TokenSource(ctx, &oauth2.Token{RefreshToken: first.RefreshToken}).Token())(t)
	user := must(provider.UserInfo(ctx, oauth2.StaticTokenSource(second)))(t)
	if user.Subject != idToken.Subject || second.RefreshToken == first.RefreshToken {
		t.Errorf("sub after the renewal = %s, want %s and another refresh token", user.Subject, idToken.Subject)
	}
	var metadata struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&metadata); err != nil {
		t.Fatal(err)
	}
	signOut := metadata.EndSession + "?" + url.Values{"id_token_hint": {raw}, "post_logout_redirect_uri": p.client.PostLogoutRedirectURIs}.Encode()
	if landed := p.visit(t, signOut).String(); landed != p.client.PostLogoutRedirectURIs[0] {
		t.Errorf("end session ends at %s, want %s", landed, p.client.PostLogoutRedirectURIs[0])
	}
}

// runOAuth2Proxy runs the program oauth2-proxy. It cannot pass on an
// id_token_hint, so that the end session page of the server is the last one.
func runOAuth2Proxy(t *testing.T, p *relyingParty) {
	log := new(logBuffer)
	proxy := exec.CommandContext(t.Context(), servers.Program(t, "oauth2-proxy"),
		"--provider=oidc", "--oidc-issuer-url="+p.issuer(), "--client-id="+p.client.ID, "--client-secret="+p.client.Secret,
		"--scope=openid email FrontOffice offline_access", "--code-challenge-method=S256",
		"--http-address="+strings.TrimPrefix(p.url, "http://"), "--redirect-url="+p.client.RedirectURIs[0], "--upstream=static://202",
		"--cookie-secret=0123456789abcdef0123456789abcdef", "--cookie-secure=false", "--cookie-refresh=1s",
		"--email-domain=*", "--skip-provider-button", "--whitelist-domain="+strings.TrimPrefix(p.server.URL(), "http://"))
	proxy.Stdout, proxy.Stderr = log, log
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Process.Kill(); _ = proxy.Wait() })
	status := func(path string) int {
		resp, err := p.browser.Get(p.url + path)
		if err != nil {
			return 0 // it does not listen yet
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	until(t, "oauth2-proxy", func() bool { return status("/ping") == http.StatusOK })
	if landed := p.visit(t, p.url+"/chart?a=b").String(); landed != p.url+"/chart?a=b" {
		t.Fatalf("a page without a session ends at %s, want it after the sign-in\n%s", landed, log)
	}
	until(t, "renewal", func() bool {
		return status("/oauth2/auth") == http.StatusAccepted && p.server.Grants("refresh_token") > 0
	})
	resp := must(p.browser.Get(p.url + "/oauth2/userinfo"))(t)
	defer func() { _ = resp.Body.Close() }()
	var user struct{ Email string }
	if err := json.NewDecoder(resp.Body).Decode(&user); err != nil || user.Email != "guarded@example.com" {
		t.Errorf("userinfo = %+v (%v), want guarded@example.com\n%s", user, err, log)
	}
	if landed := p.visit(t, p.url+"/oauth2/sign_out?rd="+url.QueryEscape(p.issuer()+"/connect/endsession")); landed.Path != "/identity/account/logout" {
		t.Errorf("sign-out ends at %s, want the server's page", landed.Path)
	}
	if got := status("/oauth2/auth"); got != http.StatusUnauthorized {
		t.Errorf("status after the sign-out = %d, want 401", got)
	}
}
