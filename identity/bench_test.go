package identity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
)

// BenchmarkLogin signs in with every check; BenchmarkLoginBare sends the same
// requests with net/http alone and checks nothing. The ratio of both in one run
// is the cost of the checks.
//
//	go test -run '^$' -bench Login -count 6 ./identity
func BenchmarkLogin(b *testing.B) {
	srv := identitytest.Start(b, identitytest.Config{})
	client := newClient(b, srv, identity.ClientSPA)
	login(b, client) // discovery and keys are fetched once
	for b.Loop() {
		login(b, client)
	}
}

func BenchmarkLoginBare(b *testing.B) {
	srv := identitytest.Start(b, identitytest.Config{})
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	for b.Loop() {
		if err := bareLogin(transport, srv.URL()); err != nil {
			b.Fatal(err)
		}
	}
}

func bareLogin(transport http.RoundTripper, base string) error {
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Transport: transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	body, _ := json.Marshal(map[string]string{"email": email, "password": password})
	resp, err := client.Post(base+"/identity/sign-in", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()

	verifier := oauth2.GenerateVerifier()
	redirect := base + "/identity/sign-in-done"
	query := url.Values{"client_id": {"spa"}, "response_type": {"code"}, "redirect_uri": {redirect}, "state": {"s"}, "nonce": {"n"},
		"scope": {"openid offline_access FrontOffice"}, "code_challenge_method": {"S256"}, "code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}}
	resp, err = client.Get(base + "/identity/connect/authorize?" + query.Encode())
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	done, err := resp.Location()
	if err != nil {
		return err
	}

	form := url.Values{"client_id": {"spa"}, "grant_type": {"authorization_code"}, "code": {done.Query().Get("code")},
		"code_verifier": {verifier}, "redirect_uri": {redirect}}
	resp, err = client.Post(base+"/identity/connect/token", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	var token oauth2.Token
	err = json.NewDecoder(resp.Body).Decode(&token)
	_ = resp.Body.Close()
	if err != nil || token.AccessToken == "" {
		return fmt.Errorf("no token: %w", err)
	}
	return nil
}
