package identity_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// inBubble runs f on virtual time, with a server without sockets.
func inBubble(t *testing.T, f func(t *testing.T, srv *identitytest.Server, client *identity.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, err := identitytest.New(identitytest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		client, err := identity.New(identity.Config{URL: "https://trader.example.com", ClientID: identity.ClientSPA, HTTP: tokenapi.HTTP{Transport: srv.Transport()}, Issuer: "https://trader.example.com/identity"})
		if err != nil {
			t.Fatal(err)
		}
		f(t, srv, client)
	})
}

// req 41: the keys are where the discovery document says, and both are fetched
// once.
func TestDiscoveryIsUsedAndKept(t *testing.T) {
	srv, client := start(t)
	for range 3 {
		login(t, client)
	}
	if d, k := srv.Count(identitytest.EndpointDiscovery), srv.Count(identitytest.EndpointKeys); d != 1 || k != 1 {
		t.Errorf("got %d discoveries and %d fetches of keys, want 1 each", d, k)
	}
	if path := srv.Requests(identitytest.EndpointDiscovery)[0].Path; path != "/identity/.well-known/openid-configuration" {
		t.Errorf("discovered at %s, want /identity/.well-known/openid-configuration", path)
	}
	srv.Inject(identitytest.EndpointDiscovery, identitytest.Fault{Answer: func(f map[string]any) { f["jwks_uri"] = srv.URL() + "/nowhere" }})
	_, err := newClient(t, srv, identity.ClientSPA).Login(t.Context(), email, password)
	wantError(t, err, tokenapi.ErrUnavailable)
}

// req 7: byte for byte, also where only a slash differs.
func TestIssuerMismatch(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{Issuer: identitytest.InternalIssuer})
	for _, issuer := range []string{"", "http://identity-server/identity", "https://identity-server/identity/"} {
		client := newClient(t, srv, identity.ClientSPA, func(c *identity.Config) { c.Issuer = issuer })
		e := wantError(t, client.Ready(t.Context()), tokenapi.ErrMisconfigured)
		if !contains(e.Description, `"http://identity-server/identity/"`) {
			t.Errorf("Ready = %v, want the announced issuer in the error", e)
		}
		if _, err := client.Login(t.Context(), email, password); !errors.Is(err, tokenapi.ErrMisconfigured) {
			t.Errorf("Login = %v, want ErrMisconfigured", err)
		}
	}
	wantCount(t, srv, identitytest.EndpointAuthorize, 0)
}

func TestDiscoveryFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault identitytest.Fault
		want  error
	}{
		{"500", identitytest.Fault{Status: 500}, tokenapi.ErrUnavailable},
		{"keys over http", identitytest.Fault{Answer: func(f map[string]any) { f["jwks_uri"] = "http://example.com/keys" }}, tokenapi.ErrUnusableAnswer},
		{"no keys", identitytest.Fault{Answer: func(f map[string]any) { delete(f, "jwks_uri") }}, tokenapi.ErrUnusableAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, client := start(t)
			srv.Inject(identitytest.EndpointDiscovery, c.fault)
			wantError(t, client.Ready(t.Context()), c.want)
			if err := client.Ready(t.Context()); err != nil { // a failure is not kept
				t.Errorf("Ready without the fault = %v, want nil", err)
			}
		})
	}
}

func TestWithoutDiscovery(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{Issuer: identitytest.InternalIssuer})
	client := newClient(t, srv, identity.ClientSPA, func(c *identity.Config) {
		c.Issuer, c.JWKSURL = identitytest.InternalIssuer, srv.URL()+"/identity/.well-known/openid-configuration/jwks"
	})
	login(t, client)
	wantCount(t, srv, identitytest.EndpointDiscovery, 0)
}

// Callers share one discovery, and each waits until its own context ends.
func TestDiscoveryIsSharedAndCanBeLeft(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *identitytest.Server, client *identity.Client) {
		srv.Inject(identitytest.EndpointDiscovery, identitytest.Fault{DelayBefore: 10 * time.Second})
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if err := client.Ready(t.Context()); err != nil {
					t.Errorf("Ready = %v, want nil", err)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := client.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("Ready = %v after %v, want DeadlineExceeded after 1 s", err, time.Since(began))
		}
		wg.Wait()
		wantCount(t, srv, identitytest.EndpointDiscovery, 1)
	})
}

// req 42: a rotation is followed, also one just before the token was signed;
// several keys without kid are all tried (req 31).
func TestKeyRotation(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *identitytest.Server, client *identity.Client) {
		login(t, client)
		srv.RotateKeys()
		login(t, client)
		srv.DropOldKeys()
		login(t, client)
		wantCount(t, srv, identitytest.EndpointKeys, 2)
	})
}

// req 43: however many bad tokens come, the keys are fetched again once in 30
// seconds.
func TestRefetchIsLimited(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *identitytest.Server, client *identity.Client) {
		login(t, client)
		srv.Inject(identitytest.EndpointToken, identitytest.Fault{IDToken: identitytest.UnpublishedKey, Times: -1})
		for range 20 {
			if _, err := client.Login(t.Context(), email, password); err == nil {
				t.Fatal("a token of an unknown key was accepted")
			}
		}
		wantCount(t, srv, identitytest.EndpointKeys, 2)
		<-time.After(30 * time.Second)
		_, err := client.Login(t.Context(), email, password)
		wantError(t, err, tokenapi.ErrUnusableAnswer)
		wantCount(t, srv, identitytest.EndpointKeys, 3)
		srv.ClearFaults()
		login(t, client) // the old keys are still held
	})
}

// field 7: a key set that cannot be read, as the page of a gateway, is like one
// that is unavailable: a refresh keeps its new tokens with the old ID token.
func TestRefreshSurvivesAnUnreadableKeySet(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *identitytest.Server, client *identity.Client) {
		old := login(t, client)
		srv.RotateKeys()
		srv.DropOldKeys()
		srv.Inject(identitytest.EndpointKeys, identitytest.Fault{Status: 200, ContentType: "text/html", Body: []byte("<html>"), Times: -1})
		token, err := client.Refresh(t.Context(), old)
		if err != nil || token.RefreshToken == old.RefreshToken || extra(token, "id_token") != extra(old, "id_token") {
			t.Fatalf("Refresh while the key set is a page = %v, want new tokens with the old ID token", err)
		}
		_, err = client.Login(t.Context(), email, password)
		wantError(t, err, tokenapi.ErrUnavailable)
		_, err = client.VerifyLogoutToken(t.Context(), srv.SignLogoutToken(order(client)))
		wantError(t, err, tokenapi.ErrUnavailable)
		srv.ClearFaults()
		<-time.After(time.Second)
		login(t, client)
	})
}

// field 51, 53: an ID token that names another user is refused, also if its
// signature cannot be judged.
func TestRefreshRefusesAnotherUserWithoutKeys(t *testing.T) {
	srv, before := start(t)
	old := login(t, before)
	client := newClient(t, srv, identity.ClientSPA)
	srv.Inject(identitytest.EndpointKeys, identitytest.Fault{Status: http.StatusServiceUnavailable, Times: -1})
	srv.Inject(identitytest.EndpointToken, identitytest.Fault{IDToken: identitytest.OtherSubject})
	_, err := client.Refresh(t.Context(), old)
	wantError(t, err, tokenapi.ErrUnusableAnswer)
}

// field 7: a refresh after a restart keeps its new tokens too if there is no
// discovery document, whatever the server answers instead. A logout token cannot
// be judged then.
func TestRefreshSurvivesWithoutDiscovery(t *testing.T) {
	page := []byte("<html>")
	for name, fault := range map[string]identitytest.Fault{
		"a page": {Status: 200, ContentType: "text/html", Body: page}, "a page with 403": {Status: 403, ContentType: "text/html", Body: page},
		"404": {Status: 404}, "a redirect": {Status: 302}, "503": {Status: 503}, "another document": {Status: 200, Body: []byte("{}")},
		"too long": {Oversized: true}, "another issuer": {Answer: func(f map[string]any) { f["issuer"] = "https://other.example" }},
	} {
		srv, before := start(t)
		old := login(t, before)
		client := newClient(t, srv, identity.ClientSPA)
		fault.Times = -1
		srv.Inject(identitytest.EndpointDiscovery, fault)
		token, err := client.Refresh(t.Context(), old)
		if err != nil || token.RefreshToken == old.RefreshToken || extra(token, "id_token") != extra(old, "id_token") {
			t.Errorf("%s: Refresh = %v, want new tokens with the old ID token", name, err)
		}
		if _, err = client.VerifyLogoutToken(t.Context(), srv.SignLogoutToken(order(client))); !errors.Is(err, tokenapi.ErrUnavailable) || errors.Is(err, tokenapi.ErrUnusableAnswer) {
			t.Errorf("%s: VerifyLogoutToken = %v, want ErrUnavailable only", name, err)
		}
	}
}

// field 7: a cache in front of the server keeps the key set from before a
// rotation. A refresh cannot judge its ID token then; a sign-in is refused.
func TestRefreshSurvivesAStaleKeySet(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{KeyID: true})
	before := newClient(t, srv, identity.ClientSPA)
	old := login(t, before)
	resp, err := http.Get(srv.URL() + "/identity/.well-known/openid-configuration/jwks")
	if err != nil {
		t.Fatal(err)
	}
	stale, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	srv.RotateKeys()
	srv.DropOldKeys()
	srv.Inject(identitytest.EndpointKeys, identitytest.Fault{Status: 200, Body: stale, Times: -1})
	for name, client := range map[string]*identity.Client{"a client that knows keys": before, "one after a restart": newClient(t, srv, identity.ClientSPA)} {
		for try := range 3 {
			next, err := client.Refresh(t.Context(), old)
			if err != nil || extra(next, "id_token") != extra(old, "id_token") {
				t.Fatalf("%s, %d: Refresh = %v, want new tokens with the old ID token", name, try, err)
			}
			old = next
		}
		if _, err = client.Login(t.Context(), email, password); err == nil {
			t.Errorf("%s: Login = nil, want an error", name)
		}
	}
}

// Callers that wait for a discovery share its error.
func TestDiscoveryFailsOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *identitytest.Server, client *identity.Client) {
		srv.Inject(identitytest.EndpointDiscovery, identitytest.Fault{DelayBefore: 5 * time.Second, Status: 503, Times: -1})
		began := time.Now()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if err := client.Ready(t.Context()); !errors.Is(err, tokenapi.ErrUnavailable) {
					t.Errorf("Ready = %v, want ErrUnavailable", err)
				}
			})
		}
		all.Wait()
		wantCount(t, srv, identitytest.EndpointDiscovery, 1)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("10 callers waited %v, want 5 s", took)
		}
		srv.ClearFaults()
		login(t, client)
	})
}

// field 51: a key set that moved is found again without a restart.
func TestKeySetMoves(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *identitytest.Server, client *identity.Client) {
		srv.Inject(identitytest.EndpointDiscovery, identitytest.Fault{Answer: func(f map[string]any) { f["jwks_uri"] = "https://trader.example.com/nowhere" }})
		_, err := client.Login(t.Context(), email, password)
		wantError(t, err, tokenapi.ErrUnavailable)
		<-time.After(time.Second)
		login(t, client)
	})
}

// field 51: so is one that moved and left the old keys behind.
func TestKeySetMovesAndLeavesTheOldKeys(t *testing.T) {
	var old []byte
	srv, client := start(t, func(c *identity.Config) {
		c.HTTP.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.URL.RawQuery == "old" && old != nil {
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(old)), Request: r}, nil
			}
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err == nil && r.URL.RawQuery == "old" {
				old, err = io.ReadAll(resp.Body)
				resp.Body = io.NopCloser(bytes.NewReader(old))
			}
			return resp, err
		})
	})
	srv.Inject(identitytest.EndpointDiscovery, identitytest.Fault{Answer: func(f map[string]any) { f["jwks_uri"] = fmt.Sprint(f["jwks_uri"], "?old") }})
	login(t, client)
	srv.RotateKeys()
	srv.DropOldKeys()
	login(t, client)
}
