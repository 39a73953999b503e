package vault_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// call calls the FrontOffice with the token of "k" and returns the status.
func (p *process) call(method string, body io.Reader) (status int, err error) {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, "https://trader.example.com/frontoffice/api/v3/orders", body)
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Transport: &vault.Transport{Vault: p.vault, Key: "k", Base: p.network}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Body.Close()
}

// wantStatus checks the status of a call.
func (p *process) wantStatus(method string, body io.Reader, want int) {
	p.Helper()
	if status, err := p.call(method, body); err != nil || status != want {
		p.Errorf("%s = %d, %v, want %d", method, status, err, want)
	}
}

func TestTransportAttachesALiveToken(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		for range 4 {
			p.wantStatus(http.MethodGet, nil, http.StatusOK)
			pass(31 * time.Second)
		}
		c.wantRefreshes(3)
	})
}

// req 59: after a 401 the token is renewed once, and the request repeated once
// with its body.
func TestTransportRenewsARefusedToken(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		pass(5 * time.Second)
		c.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized})
		status, err := p.call(http.MethodPost, strings.NewReader(`{"instrument":"BTC_USD","side":"buy","amount":"1"}`))
		if err != nil || status/100 != 2 {
			c.Fatalf("POST = %d, %v, want success", status, err)
		}
		requests := c.server.Requests(identitytest.EndpointFrontOffice)
		if len(requests) != 2 || string(requests[0].Body) != string(requests[1].Body) || len(requests[1].Body) == 0 {
			c.Errorf("%d requests, want 2 with the same body", len(requests))
		}
		if requests[0].Header.Get("Authorization") == requests[1].Header.Get("Authorization") && time.Since(requests[0].Time) > time.Second {
			c.Error("the second request has the refused token, want its successor")
		}
		c.wantRefreshes(1)
	})
}

// A request is repeated once. An API that refuses every token causes at most one
// renewal in five seconds.
func TestTransportGivesUpAfterOneRepetition(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		c.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized, Times: -1})
		for _, step := range []struct {
			wait                time.Duration
			requests, refreshes int // until then
		}{{0, 1, 0}, {4 * time.Second, 2, 0}, {time.Second, 4, 1}, {0, 5, 1}, {5 * time.Second, 7, 2}} {
			pass(step.wait)
			p.wantStatus(http.MethodGet, nil, http.StatusUnauthorized)
			c.wantRefreshes(step.refreshes)
			if n := c.server.Count(identitytest.EndpointFrontOffice); n != step.requests {
				c.Errorf("requests = %d, want %d", n, step.requests)
			}
		}
	})
}

// A request whose body can be read only once is not repeated.
func TestTransportDoesNotRepeatStreams(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		pass(5 * time.Second)
		c.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized})
		p.wantStatus(http.MethodPost, io.MultiReader(strings.NewReader("{}")), http.StatusUnauthorized)
		c.wantRefreshes(0)
	})
}

// Without another token, the caller gets the API's 401.
func TestTransportPassesTheRefusalOn(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		pass(5 * time.Second)
		c.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized})
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: http.StatusServiceUnavailable})
		p.wantStatus(http.MethodGet, nil, http.StatusUnauthorized)
	})
}

// field 4: a Transport without a Base has the connection times of all clients.
func TestTransportWithoutABase(t *testing.T) {
	closed := make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	disk := memstore.New()
	defer func() { _ = disk.Close() }()
	v, err := vault.New(vault.Config{Store: disk, Keys: []vault.Key{vault.NewKey("a")}, Refreshers: map[string]vault.Refresher{"ours": &slowRefresher{}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Close(t.Context()) }()
	if err := v.Put(t.Context(), "k", vault.Entry{Owner: "o", Client: "ours", Token: &oauth2.Token{AccessToken: "a"}}); err != nil {
		t.Fatal(err)
	}
	resp, err := v.Client("k").Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	tokenapi.APITransport().(*http.Transport).CloseIdleConnections()
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Error("the connection is not one of tokenapi.APITransport")
	}
}

func TestTransportWithoutAnEntry(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		if _, err := p.call(http.MethodGet, nil); !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("GET = %v, want %v", err, vault.ErrNotFound)
		}
		if n := c.server.Count(identitytest.EndpointFrontOffice); n != 0 {
			c.Errorf("%d requests without a token, want 0", n)
		}
	})
}

// Renew of a token that has a successor returns that and renews nothing.
func TestRenewOfAnOldToken(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		first := p.signIn("k")
		pass(31 * time.Second)
		second := p.token("k")
		for _, old := range []*oauth2.Token{first, {AccessToken: "unknown"}} {
			if token, err := p.vault.Renew(c.Context(), "k", old); err != nil || !same(token, second) {
				c.Errorf("Renew of an old token = %v, want the current token", err)
			}
		}
		c.wantRefreshes(1)
		if token, err := p.vault.Renew(c.Context(), "k", second); err != nil || same(token, second) {
			c.Errorf("Renew of the current token = %v, the same token: %v, want another", err, same(token, second))
		}
		c.wantRefreshes(2)
	})
}

// Newer of a token that has a successor returns that, however young it is, and
// renews nothing.
func TestNewerOfAnOldToken(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		first := p.signIn("k")
		pass(31 * time.Second)
		second := p.token("k")
		if token, err := p.vault.Newer(c.Context(), "k", first); err != nil || token == nil || !same(token, second) {
			c.Errorf("Newer of an old token = %v, want the current token", err)
		}
		if token, err := p.vault.Newer(c.Context(), "k", second); err != nil || token != nil {
			c.Errorf("Newer of a young token = %v, %v, want none", token != nil, err)
		}
		c.wantRefreshes(1)
	})
}

// A source that takes a refused token returns another one.
func TestSource(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		first := p.signIn("k")
		bearer := p.vault.Source("k")
		if token, err := bearer(c.Context(), nil); err != nil || !same(token, first) {
			c.Fatalf("the source returns %v or another token, want the live one", err)
		}
		c.wantRefreshes(0)
		pass(time.Second) // access tokens of the same second are equal
		second, err := bearer(c.Context(), first)
		if err != nil || same(second, first) {
			c.Fatalf("the source returns %v or the refused token, want another", err)
		}
		if token, err := bearer(c.Context(), first); err != nil || !same(token, second) {
			c.Errorf("the source returns %v or a third token, want the second", err)
		}
		c.wantRefreshes(1)
		if _, err := p.vault.Source("another")(c.Context(), nil); !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("a source without an entry returns %v, want %v", err, vault.ErrNotFound)
		}
	})
}

// A redirect within the origin keeps the token. Another origin gets no token,
// and neither does any address that it redirects to.
func TestTransportKeepsTheTokenFromOthers(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		var seen []string
		network := roundTripper(func(req *http.Request) (*http.Response, error) {
			bearer, _, _ := strings.Cut(req.Header.Get("Authorization"), " ")
			seen = append(seen, req.URL.String()+" "+bearer)
			next := map[string]string{
				"https://trader.example.com/a": "/b", "https://trader.example.com/b": "https://evil.example.com/", "https://evil.example.com/": "http://trader.example.com/a2",
				"http://trader.example.com/a2": "https://trader.example.com/c",
			}[req.URL.String()]
			resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}
			if next != "" {
				resp.StatusCode = http.StatusFound
				resp.Header.Set("Location", next)
			}
			return resp, nil
		})
		client := http.Client{Transport: &vault.Transport{Vault: p.vault, Key: "k", Base: network}}
		resp, err := client.Get("https://trader.example.com/a")
		if err != nil {
			c.Fatal(err)
		}
		_ = resp.Body.Close()
		want := []string{
			"https://trader.example.com/a Bearer", "https://trader.example.com/b Bearer", "https://evil.example.com/ ",
			"http://trader.example.com/a2 ", "https://trader.example.com/c ",
		}
		if !slices.Equal(seen, want) {
			c.Errorf("the requests are %q, want %q", seen, want)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
