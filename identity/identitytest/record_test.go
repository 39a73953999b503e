package identitytest_test

import (
	"net/http"
	"slices"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

func TestRecord(t *testing.T) {
	b := start(t, identitytest.Config{})
	answer := b.login("trader@example.com", "spa")
	b.postForm(tokenPath, refreshForm(answer.RefreshToken), basic("spa")...)
	b.postForm(tokenPath, refreshForm(answer.RefreshToken), basic("spa")...)
	for e, want := range map[identitytest.Endpoint]int{
		identitytest.EndpointSignIn: 1, identitytest.EndpointAuthorize: 1, identitytest.EndpointToken: 3, identitytest.EndpointSignOut: 0,
	} {
		wantEqual(t, "count of "+string(e), b.server.Count(e), want)
		wantEqual(t, "requests to "+string(e), len(b.server.Requests(e)), want)
	}
	wantEqual(t, "authorization_code grants", b.server.Grants("authorization_code"), 1)
	wantEqual(t, "refresh_token grants", b.server.Grants("refresh_token"), 2)
	third := b.server.Requests(identitytest.EndpointToken)[2]
	wantEqual(t, "form", third.Form.Get("refresh_token"), answer.RefreshToken)
	wantEqual(t, "status", third.Status, http.StatusBadRequest)
	wantEqual(t, "problem", third.Problem, "invalid_grant: refresh token unknown or used")
}

func TestConcurrentUse(t *testing.T) {
	b := start(t, identitytest.Config{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.server.RotateKeys()
		b.server.EndSessions("admin@example.com")
		b.server.RevokeTokens("admin@example.com")
		b.server.Inject(identitytest.EndpointUserInfo, identitytest.Fault{})
		b.server.ClearFaults()
		b.server.DropOldKeys()
	}()
	for range 5 {
		b.another().login("trader@example.com", "spa")
		b.server.Requests(identitytest.EndpointToken)
	}
	<-done
	if !slices.ContainsFunc(b.server.Requests(identitytest.EndpointToken), func(r identitytest.Request) bool { return r.Status == 200 }) {
		t.Error("no token was issued")
	}
}
