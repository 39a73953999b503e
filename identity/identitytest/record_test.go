package identitytest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

func TestRecord(t *testing.T) {
	b := start(t, identitytest.Config{})
	answer := b.login("trader@example.com", "spa")
	b.postForm(tokenPath+"?trace=1", refreshForm(answer.RefreshToken), basic("spa")...)
	b.postForm(tokenPath, refreshForm(answer.RefreshToken), basic("spa")...)
	for e, want := range map[identitytest.Endpoint]int{
		identitytest.EndpointSignIn: 1, identitytest.EndpointAuthorize: 1, identitytest.EndpointToken: 3, identitytest.EndpointSignOut: 0,
	} {
		wantEqual(t, "count of "+string(e), b.server.Count(e), want)
		wantEqual(t, "requests to "+string(e), len(b.server.Requests(e)), want)
	}
	wantEqual(t, "authorization_code grants", b.server.Grants("authorization_code"), 1)
	wantEqual(t, "refresh_token grants", b.server.Grants("refresh_token"), 2)

	signIn := b.server.Requests(identitytest.EndpointSignIn)[0]
	wantEqual(t, "body", string(signIn.Body), `{"email":"trader@example.com","password":"trader-password"}`)
	if signIn.Form != nil || signIn.Query == nil {
		t.Errorf("form is %v, query is %v", signIn.Form, signIn.Query)
	}
	second := b.server.Requests(identitytest.EndpointToken)[1]
	wantEqual(t, "method", second.Method, http.MethodPost)
	wantEqual(t, "path", second.Path, tokenPath)
	wantEqual(t, "query", second.Query.Get("trace"), "1")
	wantEqual(t, "form", second.Form.Get("refresh_token"), answer.RefreshToken)
	wantEqual(t, "header", second.Header.Get("Authorization"), basic("spa")[1])
	wantEqual(t, "status", second.Status, http.StatusOK)
	wantEqual(t, "problem", second.Problem, "")
	third := b.server.Requests(identitytest.EndpointToken)[2]
	wantEqual(t, "status", third.Status, http.StatusBadRequest)
	wantEqual(t, "problem", third.Problem, "invalid_grant: refresh token unknown or used")
	wantEqual(t, "problem of a sign-in", signIn.Problem, "")
}

func TestRecordIsACopy(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.postForm(tokenPath, refreshForm("a"), "X-Mark", "1")
	got := b.server.Requests(identitytest.EndpointToken)[0]
	got.Form.Set("refresh_token", "changed")
	got.Header.Set("X-Mark", "2")
	got.Body[0] = '#'
	again := b.server.Requests(identitytest.EndpointToken)[0]
	wantEqual(t, "form", again.Form.Get("refresh_token"), "a")
	wantEqual(t, "header", again.Header.Get("X-Mark"), "1")
	wantEqual(t, "body intact", strings.HasPrefix(string(again.Body), "#"), false)
}

func TestRunningRequestsAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{})
		b.server.Inject(identitytest.EndpointDiscovery, identitytest.Fault{DelayBefore: time.Hour})
		done := make(chan response)
		go func() { done <- b.get(discoveryPath) }()
		synctest.Wait()
		wantEqual(t, "count", b.server.Count(identitytest.EndpointDiscovery), 1)
		wantEqual(t, "status", b.server.Requests(identitytest.EndpointDiscovery)[0].Status, 0)
		<-done
		wantEqual(t, "status in the end", b.server.Requests(identitytest.EndpointDiscovery)[0].Status, 200)
	})
}

func TestRecordIsBounded(t *testing.T) {
	b := inMemory(t, identitytest.Config{})
	const sent = 5000
	for range sent {
		b.get(discoveryPath)
	}
	wantEqual(t, "count", b.server.Count(identitytest.EndpointDiscovery), sent)
	if kept := len(b.server.Requests(identitytest.EndpointDiscovery)); kept < 3072 || kept > 4096 {
		t.Errorf("%d requests are remembered", kept)
	}
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
