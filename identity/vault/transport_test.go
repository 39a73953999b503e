package vault_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

// call asks the FrontOffice for something, with the token of key.
func (h *house) call(method string, body io.Reader) (*http.Response, error) {
	h.Helper()
	req, err := http.NewRequestWithContext(h.Context(), method, "https://trader.example.com/frontoffice/api/v3/orders", body)
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Transport: &vault.Transport{Vault: h.vault, Key: "k", Base: h.server.Transport()}}
	resp, err := client.Do(req)
	if err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	return resp, err
}

func TestTransportAttachesALiveToken(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		for range 4 {
			if resp, err := h.call(http.MethodGet, nil); err != nil || resp.StatusCode != http.StatusOK {
				h.Fatalf("got %v, %v", resp, err)
			}
			pass(31 * time.Second)
		}
		h.refreshes(3)
	})
}

// req 59: a token that should be good and is refused is renewed once, and the request repeated once, body and all.
func TestTransportRenewsARefusedToken(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		h.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized})
		resp, err := h.call(http.MethodPost, strings.NewReader(`{"instrument":"BTC_USD","side":"buy","amount":"1"}`))
		if err != nil || resp.StatusCode/100 != 2 {
			h.Fatalf("got %v, %v", resp, err)
		}
		requests := h.server.Requests(identitytest.EndpointFrontOffice)
		if len(requests) != 2 || string(requests[0].Body) != string(requests[1].Body) || len(requests[1].Body) == 0 {
			h.Errorf("%d requests, or another body", len(requests))
		}
		if requests[0].Header.Get("Authorization") == requests[1].Header.Get("Authorization") && time.Since(requests[0].Time) > time.Second {
			h.Error("the same token was sent again")
		}
		h.refreshes(1)
	})
}

func TestTransportGivesUpAfterOneRepetition(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		h.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized, Times: -1})
		if resp, err := h.call(http.MethodGet, nil); err != nil || resp.StatusCode != http.StatusUnauthorized {
			h.Errorf("got %v, %v", resp, err)
		}
		h.refreshes(1)
		if n := h.server.Count(identitytest.EndpointFrontOffice); n != 2 {
			h.Errorf("%d requests", n)
		}
	})
}

// A body that can be read only once is sent only once.
func TestTransportDoesNotRepeatStreams(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		h.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized})
		resp, err := h.call(http.MethodPost, io.MultiReader(strings.NewReader("{}")))
		if err != nil || resp.StatusCode != http.StatusUnauthorized {
			h.Errorf("got %v, %v", resp, err)
		}
		h.refreshes(0)
	})
}

// If no other token can be had, the API's refusal is the answer.
func TestTransportPassesTheRefusalOn(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		h.server.Inject(identitytest.EndpointFrontOffice, identitytest.Fault{Status: http.StatusUnauthorized})
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: http.StatusServiceUnavailable})
		if resp, err := h.call(http.MethodGet, nil); err != nil || resp.StatusCode != http.StatusUnauthorized {
			h.Errorf("got %v, %v", resp, err)
		}
	})
}

func TestTransportWithoutAnEntry(t *testing.T) {
	inHouse(t, func(h *house) {
		if _, err := h.call(http.MethodGet, nil); !errors.Is(err, vault.ErrNotFound) {
			h.Errorf("got %v", err)
		}
		if n := h.server.Count(identitytest.EndpointFrontOffice); n != 0 {
			h.Errorf("%d requests were sent without a token", n)
		}
	})
}

// Whoever holds a token that has a successor gets it, and no renewal.
func TestRenewOfAnOldToken(t *testing.T) {
	inHouse(t, func(h *house) {
		first := h.signIn("k")
		pass(31 * time.Second)
		second := h.token("k")
		for _, old := range []*oauth2.Token{first, {AccessToken: "unknown"}} {
			if token, err := h.vault.Renew(h.Context(), "k", old); err != nil || !same(token, second) {
				h.Errorf("got %v", err)
			}
		}
		h.refreshes(1)
		if token, err := h.vault.Renew(h.Context(), "k", second); err != nil || same(token, second) {
			h.Errorf("got %v", err)
		}
		h.refreshes(2)
	})
}

// A source is asked again with the token that was refused, and then has another one.
func TestSource(t *testing.T) {
	inHouse(t, func(h *house) {
		first := h.signIn("k")
		bearer := h.vault.Source("k")
		if token, err := bearer(h.Context(), nil); err != nil || !same(token, first) {
			h.Fatalf("got another token than the live one, or %v", err)
		}
		h.refreshes(0)
		pass(time.Second) // an access token of the same second is the same
		second, err := bearer(h.Context(), first)
		if err != nil || same(second, first) {
			h.Fatalf("got the refused token, or %v", err)
		}
		if token, err := bearer(h.Context(), first); err != nil || !same(token, second) {
			h.Errorf("refused late: got a third token, or %v", err)
		}
		h.refreshes(1)
		if _, err := h.vault.Source("another")(h.Context(), nil); !errors.Is(err, vault.ErrNotFound) {
			h.Errorf("without an entry: %v", err)
		}
	})
}

// A redirect within the API is followed with the token; what lies beyond gets nothing, and neither does what that names.
func TestTransportKeepsTheTokenFromOthers(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
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
		client := http.Client{Transport: &vault.Transport{Vault: h.vault, Key: "k", Base: network}}
		resp, err := client.Get("https://trader.example.com/a")
		if err != nil {
			h.Fatal(err)
		}
		_ = resp.Body.Close()
		want := []string{
			"https://trader.example.com/a Bearer", "https://trader.example.com/b Bearer", "https://evil.example.com/ ",
			"http://trader.example.com/a2 ", "https://trader.example.com/c ",
		}
		if !slices.Equal(seen, want) {
			h.Errorf("the network saw %q", seen)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
