package identitytest_test

import (
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

// A fault of one client leaves others alone, and its undo leaves other faults.
func TestFaultOfOneClient(t *testing.T) {
	b := start(t, identitytest.Config{})
	fail := func(client string) (undo func()) {
		return b.server.Inject(identitytest.EndpointToken, identitytest.Fault{Client: client, Status: 500})
	}
	undo := fail("spa_admin")
	refresh := refreshForm(b.login("trader@example.com", "spa").RefreshToken)
	fail("spa")
	undo()
	wantEqual(t, "status of a refresh", b.postForm(tokenPath, refresh, basic("spa")...).status, 500)
	fail("spa")()
	wantEqual(t, "status after the fault", b.postForm(tokenPath, refresh, basic("spa")...).status, 200)
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
