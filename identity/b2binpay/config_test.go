package b2binpay_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/tokenapi"
)

func TestNewReportsEveryProblem(t *testing.T) {
	_, err := b2binpay.New(b2binpay.Config{
		URL: "http://u:5ecret@api.b2binpay.example", TokenPath: "token/", RefreshPath: "refresh/", DefaultLifetime: -1,
		HTTP: tokenapi.HTTP{Timeout: -1},
	})
	if err == nil || !strings.HasPrefix(err.Error(), "b2binpay: ") || strings.Contains(err.Error(), "5ecret") {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"Config.URL", "Config.TokenPath", "Config.RefreshPath", "Config.DefaultLifetime", "Config.HTTP.Timeout"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s: %v", want, err)
		}
	}
}

// The zero Config is the sandbox's, as in the article.
func TestZeroConfig(t *testing.T) {
	client, err := b2binpay.New(b2binpay.Config{})
	if err != nil || fmt.Sprintf("%v", client) != "b2binpay.Client(https://api-sandbox.b2binpay.com)" || client.MaxUses() != 30 {
		t.Errorf("got %v, %v", client, err)
	}
	production, err := b2binpay.New(b2binpay.Config{URL: b2binpay.ProductionURL + "/"})
	if err != nil || fmt.Sprintf("%v", production) != "b2binpay.Client(https://api.b2binpay.com)" {
		t.Errorf("got %v, %v", production, err)
	}
}

func TestMaxUses(t *testing.T) {
	for configured, want := range map[int]int{0: 30, 7: 7, -1: 0} {
		client := newClient(t, "", func(c *b2binpay.Config) { c.MaxUses = configured })
		keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
		if err != nil || client.MaxUses() != want || keeper.MaxUses() != want {
			t.Errorf("%d: got %d, %v", configured, client.MaxUses(), err)
		}
	}
}

// An installation below a prefix, with other paths.
func TestPaths(t *testing.T) {
	server, err := b2binpaytest.New(b2binpaytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(t, bubbleURL+"/token/", func(c *b2binpay.Config) {
		c.HTTP.Transport, c.TokenPath, c.RefreshPath = server.Transport(), "/", "/refresh/"
	})
	refresh(t, client, signIn(t, client))
	if server.Count(b2binpaytest.EndpointToken) != 1 || server.Count(b2binpaytest.EndpointRefresh) != 1 {
		t.Error("the requests went elsewhere")
	}
}

func TestKeeperReportsEveryProblem(t *testing.T) {
	_, err := newClient(t, "").Keeper(tokenapi.Account{})
	if err == nil || err.Error() != "b2binpay: Keeper: Account.Login is missing\nb2binpay: Keeper: Account.Password is missing" {
		t.Errorf("got %v", err)
	}
}

func TestNewCallbacksReportsEveryProblem(t *testing.T) {
	callbacks, err := b2binpay.NewCallbacks(b2binpay.CallbackConfig{MaxAge: -time.Second})
	if err == nil || callbacks != nil {
		t.Fatalf("got %v, %v", callbacks, err)
	}
	for _, want := range []string{"b2binpay: Callbacks: Config.Login", "b2binpay: Callbacks: Config.Password", "b2binpay: Callbacks: Config.MaxAge"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %s: %v", want, err)
		}
	}
}
