package traderevolution_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// req 128
func TestNewReportsEveryProblem(t *testing.T) {
	_, err := traderevolution.New(traderevolution.Config{
		URL: "https://backoffice:5ecret@h", TokenPath: "auth", RefreshPath: "auth", VerifyPath: "auth",
		DefaultLifetime: -1, DefaultRefreshLifetime: -1, HTTP: tokenapi.HTTP{Timeout: -1},
	})
	if err == nil || !strings.HasPrefix(err.Error(), "traderevolution: ") || strings.Contains(err.Error(), "5ecret") {
		t.Fatalf("got %v", err)
	}
	for _, name := range []string{"URL", "TokenPath", "RefreshPath", "VerifyPath", "DefaultLifetime", "DefaultRefreshLifetime", "HTTP.Timeout"} {
		if !strings.Contains(err.Error(), "Config."+name+" ") {
			t.Errorf("the error lacks %s: %v", name, err)
		}
	}
}

// req 69
func TestNewRefusesHTTP(t *testing.T) {
	for url, want := range map[string]string{
		"":                               "Config.URL is missing",
		"http://backoffice.example/rest": "Config.URL must be https",
		"https://h/rest?q=1":             "Config.URL must have no query",
	} {
		if _, err := traderevolution.New(traderevolution.Config{URL: url}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", url, err, want)
		}
	}
	newClient(t, "http://backoffice.example/rest", func(c *traderevolution.Config) { c.HTTP.InsecureAllowHTTP = true })
}

func TestClientSaysWhichServer(t *testing.T) {
	client := newClient(t, "https://sandbox.traderevolution.com:8443/proftrading/rest/")
	const want = "traderevolution.Client(https://sandbox.traderevolution.com:8443/proftrading/rest)"
	if got := fmt.Sprintf("%v", client); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestKeeperNeedsAnAccount(t *testing.T) {
	_, err := newClient(t, bubbleURL).Keeper(tokenapi.Account{})
	for _, want := range []string{"traderevolution: Keeper: Account.Login is missing", "traderevolution: Keeper: Account.Password is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

// What an answer does not tell is assumed as the Config says. The clock is the Config's too.
func TestLifetimesOfTheConfig(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct{ access, refresh, wantAccess, wantRefresh time.Duration }{
		{0, 0, 5 * time.Minute, time.Hour},
		{7 * time.Second, 8 * time.Second, 7 * time.Second, 8 * time.Second},
	} {
		server, client := inMemory(t, traderevolutiontest.Config{}, func(config *traderevolution.Config) {
			config.DefaultLifetime, config.DefaultRefreshLifetime = c.access, c.refresh
			config.HTTP.Now = func() time.Time { return at }
		})
		server.Inject(traderevolutiontest.EndpointToken, answer([]byte(`{"accessToken":"a","refreshToken":"r"}`)))
		token := signIn(t, client)
		if !token.Expiry.Equal(at.Add(c.wantAccess)) || !clienttest.RefreshExpiry(token).Equal(at.Add(c.wantRefresh)) {
			t.Errorf("until %v and %v", token.Expiry, clienttest.RefreshExpiry(token))
		}
	}
}
