package identitytest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// req 133
func TestFaultTimes(t *testing.T) {
	b := start(t, identitytest.Config{})
	status := func() int { return b.get(discoveryPath).status }
	b.server.Inject(identitytest.EndpointDiscovery, identitytest.Fault{Status: 503})
	b.server.Inject(identitytest.EndpointDiscovery, identitytest.Fault{Status: 502, Times: 2})
	for i, want := range []int{503, 502, 502, 200} {
		wantEqual(t, "status "+string(rune('1'+i)), status(), want)
	}
	b.server.Inject(identitytest.EndpointDiscovery, identitytest.Fault{Status: 500, Times: -1})
	for range 3 {
		wantEqual(t, "status until cleared", status(), 500)
	}
	wantEqual(t, "status of another endpoint", b.get(keysPath).status, 200)
	b.server.ClearFaults()
	wantEqual(t, "status after ClearFaults", status(), 200)
}

func TestFaultOfOneGrant(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.server.Inject(identitytest.EndpointToken, identitytest.Fault{Grant: "refresh_token", Status: 500})
	answer := b.login("trader@example.com", "spa")
	wantEqual(t, "status of a refresh", b.postForm(tokenPath, refreshForm(answer.RefreshToken), basic("spa")...).status, 500)
	wantEqual(t, "the token was used up", !b.refreshes(answer.RefreshToken), false)
}

func TestFaultAnswerInstead(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 429, RetryAfter: "7", ContentType: "text/plain", Body: []byte("slow down")})
	got := b.postForm(tokenPath, nil)
	wantEqual(t, "status", got.status, 429)
	wantEqual(t, "Retry-After", got.header.Get("Retry-After"), "7")
	wantEqual(t, "Content-Type", got.header.Get("Content-Type"), "text/plain")
	wantEqual(t, "body", got.body, "slow down")
	b.server.Inject(identitytest.EndpointToken, identitytest.Fault{Body: []byte("[]")})
	wantEqual(t, "status of a body alone", b.postForm(tokenPath, nil).status, 200)
	wantEqual(t, "recorded status", b.server.Requests(identitytest.EndpointToken)[0].Status, 429)
}

func TestFaultAnswerChangesFields(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.server.Inject(identitytest.EndpointToken, identitytest.Fault{Answer: func(fields map[string]any) {
		fields["expires_in"] = fields["expires_in"].(json.Number).String()
		delete(fields, "refresh_token")
		fields["surprise"] = true
	}})
	b.signIn("trader@example.com")
	got := b.postForm(tokenPath, b.codeForm(b.code("spa")), basic("spa")...)
	fields := decode[map[string]any](t, got.body)
	wantEqual(t, "expires_in", fields["expires_in"], any("30"))
	wantEqual(t, "surprise", fields["surprise"], any(true))
	if _, ok := fields["refresh_token"]; ok {
		t.Error("refresh_token is still there")
	}
	called := false
	b.server.Inject(identitytest.EndpointToken, identitytest.Fault{Answer: func(map[string]any) { called = true }})
	b.postForm(tokenPath, nil)
	wantEqual(t, "called for an error", called, false)
}

// A client that does not bound what it reads gets a good answer.
func TestFaultOversized(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.server.Inject(identitytest.EndpointDiscovery, identitytest.Fault{Oversized: true})
	got := b.get(discoveryPath)
	if len(got.body) <= 1<<20 || strings.TrimLeft(got.body[:1<<20], " ") != "" {
		t.Errorf("a body of %d bytes, want over 1 MiB that begins with white space", len(got.body))
	}
	wantEqual(t, "issuer", decode[map[string]any](t, got.body)["issuer"], any(b.base+"/identity"))
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

func TestFaultDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{})
		begin := time.Now()
		b.server.Inject(identitytest.EndpointDiscovery, identitytest.Fault{DelayBefore: 2 * time.Second, DelayAfter: 3 * time.Second})
		wantEqual(t, "status", b.get(discoveryPath).status, 200)
		wantEqual(t, "time taken", time.Since(begin), 5*time.Second)
	})
}

// What the client's patience decides: DelayBefore loses the request, DelayAfter the answer.
func TestFaultDelaysEndWithTheClient(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  identitytest.Fault
		usedUp bool
	}{
		{"before", identitytest.Fault{DelayBefore: time.Hour}, false},
		{"after", identitytest.Fault{DelayAfter: time.Hour}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := inMemory(t, identitytest.Config{})
				token := b.login("trader@example.com", "spa").RefreshToken
				b.server.Inject(identitytest.EndpointToken, c.fault)
				b.http.Timeout = time.Second
				begin := time.Now()
				_, err := b.try(http.MethodPost, tokenPath, with(refreshForm(token), "client_id", "spa").Encode(), "Content-Type", "application/x-www-form-urlencoded")
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error is %v", err)
				}
				wantEqual(t, "time taken", time.Since(begin), time.Second)
				synctest.Wait()
				b.http.Timeout = 0
				wantEqual(t, "the token works", b.refreshes(token), !c.usedUp)
			})
		})
	}
}

// The same over sockets: the server notices that the client hangs up.
func TestFaultDelaysEndWithTheConnection(t *testing.T) {
	server := newServer(t)
	server.Inject(identitytest.EndpointDiscovery, identitytest.Fault{DelayBefore: time.Hour})
	arrived, ended := make(chan struct{}), make(chan struct{})
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		defer close(ended)
		server.ServeHTTP(w, r)
	}))
	defer outer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, outer.URL+discoveryPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := outer.Client().Do(r); !errors.Is(err, context.Canceled) {
		t.Errorf("answer is %v, error is %v", answer, err)
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the server still waits")
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
