package identitytest_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

func TestRefresh(t *testing.T) {
	b := start(t, identitytest.Config{})
	first := b.login("trader@example.com", "spa")
	got := b.postForm(tokenPath, with(refreshForm(first.RefreshToken), "client_id", "spa", "scope", "BackOffice"))
	wantEqual(t, "status", got.status, http.StatusOK)
	wantNames(t, got.body, "id_token", "access_token", "expires_in", "token_type", "refresh_token", "scope")
	second := decode[tokens](t, got.body)
	wantEqual(t, "scope, whatever was asked for", second.Scope, "openid FrontOffice offline_access")
	if second.RefreshToken == first.RefreshToken {
		t.Error("the refresh token was not rotated")
	}
	wantNames(t, jwtPart(t, second.IDToken, 1), "nbf", "exp", "iss", "aud", "iat", "at_hash", "sub", "auth_time", "idp", "amr")
	wantEqual(t, "auth_time kept", claims(t, second.IDToken)["auth_time"], claims(t, first.IDToken)["auth_time"])

	// Stock: the second use is refused, its successor lives on.
	wantTokenError(t, b.postForm(tokenPath, refreshForm(first.RefreshToken), basic("spa")...), "invalid_grant", "")
	b.token(refreshForm(second.RefreshToken), basic("spa")...)
}

func TestRefreshErrors(t *testing.T) {
	b := start(t, identitytest.Config{})
	for _, c := range []struct {
		name, token, client, want string
	}{
		{"missing", "", "spa", "invalid_request"},
		{"unknown", strings.Repeat("a", 64), "spa", "invalid_grant"},
		{"too long", strings.Repeat("a", 101), "spa", "invalid_grant"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantTokenError(t, b.postForm(tokenPath, refreshForm(c.token), basic(c.client)...), c.want, "")
		})
	}
	good := b.login("trader@example.com", "spa").RefreshToken
	wantTokenError(t, b.postForm(tokenPath, refreshForm(good), basic("spa_admin")...), "invalid_grant", "")
	good = b.token(refreshForm(good), basic("spa")...).RefreshToken // the attempt did not use it up
	b.server.DisableUser("trader@example.com")
	wantTokenError(t, b.postForm(tokenPath, refreshForm(good), basic("spa")...), "invalid_grant", "")
}

func TestRefreshTokenKeepsItsCreationTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{RefreshTokenLifetime: time.Hour})
		token := b.login("trader@example.com", "spa").RefreshToken
		for range 6 {
			wait(10 * time.Minute)
			token = b.token(refreshForm(token), basic("spa")...).RefreshToken
		}
		wait(time.Nanosecond) // just made, but the first is an hour old
		wantTokenError(t, b.postForm(tokenPath, refreshForm(token), basic("spa")...), "invalid_grant", "")
	})
}

func TestReuseRevokesFamilyOnRequest(t *testing.T) {
	b := start(t, identitytest.Config{ReuseRevokesFamily: true})
	first := b.login("trader@example.com", "spa").RefreshToken
	other := b.login("trader@example.com", "spa").RefreshToken
	second := b.token(refreshForm(first), basic("spa")...).RefreshToken
	third := b.token(refreshForm(second), basic("spa")...).RefreshToken
	wantTokenError(t, b.postForm(tokenPath, refreshForm(first), basic("spa")...), "invalid_grant", "")
	wantTokenError(t, b.postForm(tokenPath, refreshForm(third), basic("spa")...), "invalid_grant", "")
	b.token(refreshForm(other), basic("spa")...) // another sign-in is another family
}

// Of concurrent requests with the same refresh token, one succeeds.
func TestRefreshTokenWorksOnceUnderLoad(t *testing.T) {
	b := start(t, identitytest.Config{})
	token := b.login("trader@example.com", "spa").RefreshToken
	var granted atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			got, err := b.try(http.MethodPost, tokenPath, refreshForm(token).Encode(),
				append(basic("spa"), "Content-Type", "application/x-www-form-urlencoded")...)
			if err == nil && got.status == http.StatusOK {
				granted.Add(1)
			}
		})
	}
	all.Wait()
	wantEqual(t, "number of successes", granted.Load(), 1)
	wantEqual(t, "number of requests", b.server.Grants("refresh_token"), 16)
}
