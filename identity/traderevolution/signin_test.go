package traderevolution_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// The tokens live as long as the server says, by our clock, and open the API.
func TestSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := inMemory(t, traderevolutiontest.Config{
			AccessTokenLifetime: time.Minute, RefreshTokenLifetime: 2 * time.Minute, Now: func() time.Time { return time.Now().Add(-3 * time.Hour) },
		})
		token := signIn(t, client)
		if access, refresh := clienttest.Lives(token); access != time.Minute || refresh != 2*time.Minute || token.Type() != "Bearer" {
			t.Errorf("got %+v, want tokens for one minute and two", token)
		}
		for _, want := range []int{200, 401} {
			if got := clienttest.Send(t, server.Server, http.MethodGet, bubbleURL+traderevolutiontest.APIPath, "", "Authorization", "Bearer "+token.AccessToken).Status; got != want {
				t.Errorf("the API answers %d, want %d", got, want)
			}
			server.ExpireTokens()
		}
		<-time.After(2 * time.Minute)
		_, err := client.Refresh(t.Context(), token)
		wantError(t, err, tokenapi.ErrGrantRefused)
		_, err = client.SignIn(t.Context(), login, "guess")
		if e := wantError(t, err, tokenapi.ErrBadCredentials); e.StatusCode != http.StatusUnauthorized || e.Code != "1.2.0.11" || e.Description != "Wrong login or password" {
			t.Errorf("got %#v, want the code 1.2.0.11", e)
		}
	})
}

// Empty credentials are not sent.
func TestEmptyCredentials(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	for _, c := range [][2]string{{"", password}, {login, ""}} {
		_, err := client.SignIn(t.Context(), c[0], c[1])
		if e := wantError(t, err, tokenapi.ErrBadCredentials); e.Sent || server.Count(traderevolutiontest.EndpointToken) != 0 {
			t.Errorf("SignIn(%q, %q) = %#v, want it not sent", c[0], c[1], e)
		}
	}
}

// The Config's lives count where the answer has none.
func TestLifetimesOfTheConfig(t *testing.T) {
	inBubble(t, func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client) {
		server.Inject(traderevolutiontest.EndpointToken, answer([]byte(`{"accessToken":"a","refreshToken":"r"}`)))
		if access, refresh := clienttest.Lives(signIn(t, client)); access != 7*time.Second || refresh != 8*time.Second {
			t.Errorf("the tokens live %v and %v, want 7 s and 8 s", access, refresh)
		}
	}, func(c *traderevolution.Config) {
		c.DefaultLifetime, c.DefaultRefreshLifetime = 7*time.Second, 8*time.Second
	})
}
