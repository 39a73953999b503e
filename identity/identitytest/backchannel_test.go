package identitytest_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// told records the logout tokens that clients get, by the host of the URI.
type told struct {
	mu     sync.Mutex
	tokens map[string][]string
	answer func(r *http.Request) (*http.Response, error)
}

func (c *told) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tokens == nil {
		c.tokens = make(map[string][]string)
	}
	c.tokens[r.URL.Host] = append(c.tokens[r.URL.Host], r.PostForm.Get("logout_token"))
	if c.answer != nil {
		return c.answer(r)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// toldClients are the sample clients with back-channel and post-logout URIs.
func toldClients() []identitytest.Client {
	clients := identitytest.SampleClients()
	clients[0].BackChannelLogoutURI = "https://spa.example/backchannel-logout"
	clients[0].PostLogoutRedirectURIs = []string{"https://spa.example/bye", "https://spa.example/bye?lang=en"}
	clients[1].BackChannelLogoutURI = "https://admin.example/backchannel-logout"
	return clients
}

// endSession follows end session to the logout page and returns its answer.
func (b *browser) endSession(params url.Values) response {
	b.t.Helper()
	location := b.get(endSessionPath + "?" + params.Encode()).header.Get("Location")
	return b.get(strings.TrimPrefix(location, b.base))
}

// Both ways to end a session tell each client that was authorized in it, once.
// field 3
func TestBackChannelLogout(t *testing.T) {
	for name, leave := range map[string]func(b *browser, access string){
		"end session": func(b *browser, _ string) { b.endSession(nil) },
		"sign-out":    func(b *browser, access string) { b.postJSON(signOutPath, `{}`, bearer(access)...) },
	} {
		t.Run(name, func(t *testing.T) {
			clients := &told{}
			b := start(t, identitytest.Config{Clients: toldClients(), BackChannelTransport: clients})
			bystander := b.another()
			bystander.login("admin@example.com", "spa")
			answer := b.login("trader@example.com", "spa")
			b.code("spa") // a second time
			leave(b, answer.AccessToken)
			leave(b, answer.AccessToken)
			wantEqual(t, "tokens for spa", len(clients.tokens["spa.example"]), 1)
			wantEqual(t, "tokens for spa_admin, which was not authorized", len(clients.tokens["admin.example"]), 0)
			got, issued := claims(t, clients.tokens["spa.example"][0]), claims(t, answer.IDToken)
			for _, claim := range []string{"iss", "aud", "sub", "sid"} {
				wantEqual(t, claim, got[claim], issued[claim])
			}

			b.signIn("trader@example.com")
			b.code("spa")
			b.code("spa_admin")
			b.endSession(nil)
			wantEqual(t, "tokens for spa in the end", len(clients.tokens["spa.example"]), 2)
			wantEqual(t, "tokens for spa_admin in the end", len(clients.tokens["admin.example"]), 1)
			bystander.code("spa") // lives on
		})
	}
}

// A client that fails or is silent does not keep the user signed in.
// field 3
func TestBackChannelLogoutFails(t *testing.T) {
	for name, answer := range map[string]func(*http.Request) (*http.Response, error){
		"error": func(*http.Request) (*http.Response, error) { return nil, errors.New("no route") },
		"refusal": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusBadRequest, Body: http.NoBody}, nil
		},
		"silence": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := inMemory(t, identitytest.Config{Clients: toldClients(), BackChannelTransport: &told{answer: answer}})
				b.login("trader@example.com", "spa")
				begin := time.Now()
				wantEqual(t, "status of the logout page", b.endSession(nil).status, http.StatusOK)
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("the sign-out took %v, want at most 5 s", took)
				}
				wantEqual(t, "path after it", b.authorize(b.authorizeParams("spa")).Path, "/identity/unauthorized")
				pages := b.server.Requests(identitytest.EndpointPage)
				if problem := pages[0].Problem; !strings.Contains(problem, "back-channel logout of spa") {
					t.Errorf("problem is %q, want the failure of spa", problem)
				}
			})
		})
	}
}

// The default transport reaches a client on a socket.
// field 3
func TestBackChannelLogoutOnASocket(t *testing.T) {
	got := make(chan string, 1)
	client := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got <- r.Method + " " + r.Header.Get("Content-Type")
	}))
	t.Cleanup(client.Close)
	clients := toldClients()
	clients[0].BackChannelLogoutURI = client.URL
	b := start(t, identitytest.Config{Clients: clients})
	b.login("trader@example.com", "spa")
	b.endSession(nil)
	wantEqual(t, "request", <-got, "POST application/x-www-form-urlencoded")
}

// field 3
func TestPostLogoutRedirect(t *testing.T) {
	b := start(t, identitytest.Config{Clients: toldClients(), BackChannelTransport: &told{}})
	answer := b.login("trader@example.com", "spa")
	others := b.token(b.codeForm(b.code("spa_admin")), basic("spa_admin")...).IDToken
	b.endSession(nil)
	for _, signedIn := range []bool{true, false} {
		for _, c := range []struct{ name, hint, target, state, want string }{
			{"registered", answer.IDToken, "https://spa.example/bye", "", "https://spa.example/bye"},
			{"with a state", answer.IDToken, "https://spa.example/bye", "a&b", "https://spa.example/bye?state=a%26b"},
			{"with a query", answer.IDToken, "https://spa.example/bye?lang=en", "x", "https://spa.example/bye?lang=en&state=x"},
			{"not registered", answer.IDToken, "https://evil.example/", "", ""},
			{"below a registered one", answer.IDToken, "https://spa.example/bye/there", "", ""},
			{"of another client", others, "https://spa.example/bye", "", ""},
			{"no hint", "", "https://spa.example/bye", "", ""},
			{"an access token as the hint", answer.AccessToken, "https://spa.example/bye", "", ""},
			{"nonsense as the hint", "abc", "https://spa.example/bye", "", ""},
		} {
			if signedIn {
				b.signIn("trader@example.com")
			}
			params := with(url.Values{"post_logout_redirect_uri": {c.target}}, "id_token_hint", c.hint, "state", c.state)
			page := b.endSession(params)
			wantEqual(t, c.name+": location", page.header.Get("Location"), c.want)
			status := http.StatusOK
			if c.want != "" {
				status = http.StatusFound
			}
			wantEqual(t, c.name+": status", page.status, status)
			refused := slices.Contains([]string{answer.AccessToken, "abc"}, c.hint)
			if path := b.authorize(b.authorizeParams("spa")).Path; (path == "/identity/sign-in-done") != (signedIn && refused) {
				t.Errorf("%s: authorize leads to %s", c.name, path)
			}
			b.endSession(nil)
		}
	}
}
