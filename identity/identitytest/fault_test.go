package identitytest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

func TestFaultOfOneGrant(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.server.Inject(identitytest.EndpointToken, identitytest.Fault{Grant: "refresh_token", Status: 500})
	answer := b.login("trader@example.com", "spa")
	wantEqual(t, "status of a refresh", b.postForm(tokenPath, refreshForm(answer.RefreshToken), basic("spa")...).status, 500)
	wantEqual(t, "the token was used up", !b.refreshes(answer.RefreshToken), false)
}

func TestFaultLostRequestsAndAnswers(t *testing.T) {
	b := start(t, identitytest.Config{})
	token := b.login("trader@example.com", "spa").RefreshToken
	lose := func(f identitytest.Fault) {
		t.Helper()
		b.server.Inject(identitytest.EndpointToken, f)
		_, err := b.try(http.MethodPost, tokenPath, with(refreshForm(token), "client_id", "spa").Encode(), "Content-Type", "application/x-www-form-urlencoded")
		if !errors.Is(err, io.EOF) {
			t.Errorf("error is %v, want EOF", err)
		}
	}
	lose(identitytest.Fault{LoseRequest: true})
	token = b.token(refreshForm(token), basic("spa")...).RefreshToken // it was not used up
	lose(identitytest.Fault{LoseAnswer: true})
	wantEqual(t, "the token works after its answer was lost", b.refreshes(token), false)
	for i, r := range b.server.Requests(identitytest.EndpointToken) {
		if lost := i == 1 || i == 3; lost != (r.Status == 0) {
			t.Errorf("request %d is recorded with status %d", i, r.Status)
		}
	}
}

func TestFaultsOfAuthorize(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("trader@example.com")
	authorize := func(f identitytest.Fault) string {
		t.Helper()
		b.server.Inject(identitytest.EndpointAuthorize, f)
		return b.get(authorizePath + "?" + b.authorizeParams("spa").Encode()).header.Get("Location")
	}
	wantEqual(t, "Redirect", authorize(identitytest.Fault{Redirect: "https://evil.example/?code=1"}), "https://evil.example/?code=1")
	wantEqual(t, "ErrorCode", authorize(identitytest.Fault{ErrorCode: "access_denied"}),
		b.base+"/identity/sign-in-done?error=access_denied&state=state12345#_=_")
	if l := authorize(identitytest.Fault{NoState: true}); strings.Contains(l, "&state=") || !strings.Contains(l, "code=") {
		t.Errorf("NoState redirects to %s", l)
	}
	if l := authorize(identitytest.Fault{WrongState: true}); !strings.Contains(l, "&state=") || strings.Contains(l, "state12345") {
		t.Errorf("WrongState redirects to %s", l)
	}
}

func TestInjectPanicsOnWhatDoesNotExist(t *testing.T) {
	server := newServer(t)
	for name, inject := range map[string]func(){
		"endpoint": func() { server.Inject("magic", identitytest.Fault{}) },
		"fault":    func() { server.Inject(identitytest.EndpointToken, identitytest.Fault{IDToken: "magic"}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("an unknown %s was accepted", name)
				}
			}()
			inject()
		}()
	}
}
