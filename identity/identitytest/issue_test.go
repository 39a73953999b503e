package identitytest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

const (
	traderID = "10e3bfcf-56f7-421d-84ea-1700209ae121"
	adminID  = "4be0aa38-2c4e-4c0a-9a41-6a3f0bb0f0d2"
)

func TestAccessToken(t *testing.T) {
	b := start(t, identitytest.Config{Issuer: identitytest.InternalIssuer})
	token := b.login("admin@example.com", "spa").AccessToken
	wantEqual(t, "header", jwtPart(t, token, 0), `{"alg":"RS256","typ":"JWT"}`)
	payload := jwtPart(t, token, 1)
	wantNames(t, payload, "nbf", "exp", "iss", "aud", "client_id", "sub", "auth_time", "idp", "role", "scope", "amr")
	got := claims(t, token)
	for name, want := range map[string]any{
		"iss": "http://identity-server/identity/", "client_id": "spa", "sub": adminID, "idp": "local", "role": "Admin",
	} {
		wantEqual(t, name, got[name], want)
	}
	for name, want := range map[string]string{
		"aud": "[http://identity-server/identity/resources FrontOffice]", "scope": "[openid FrontOffice offline_access]", "amr": "[pwd]",
	} {
		if list, ok := got[name].([]any); !ok || fmt.Sprint(list) != want {
			t.Errorf("%s is %v, want the array %s", name, got[name], want)
		}
	}
	wantEqual(t, "lifetime", got["exp"].(float64)-got["nbf"].(float64), 30)
}

func TestAccessTokenWithOneAudience(t *testing.T) {
	b := start(t, identitytest.Config{})
	b.signIn("trader@example.com")
	code := b.authorize(with(b.authorizeParams("spa"), "scope", "openid")).Query().Get("code")
	token := b.token(b.codeForm(code), basic("spa")...).AccessToken
	wantEqual(t, "aud", claims(t, token)["aud"], any(b.base+"/identity/resources"))
	wantNames(t, jwtPart(t, token, 1), "nbf", "exp", "iss", "aud", "client_id", "sub", "auth_time", "idp", "scope", "amr")
}

func TestIDToken(t *testing.T) {
	b := start(t, identitytest.Config{})
	answer := b.login("admin@example.com", "spa")
	wantEqual(t, "header", jwtPart(t, answer.IDToken, 0), `{"alg":"RS256","typ":"JWT"}`)
	wantNames(t, jwtPart(t, answer.IDToken, 1), "nbf", "exp", "iss", "aud", "nonce", "iat", "at_hash", "sid", "sub", "auth_time", "idp", "role", "amr")
	got := claims(t, answer.IDToken)
	sum := sha256.Sum256([]byte(answer.AccessToken))
	for name, want := range map[string]any{
		"iss": b.base + "/identity", "aud": "spa", "nonce": "nonce12345", "sub": adminID, "idp": "local", "role": "Admin",
		"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "nbf": got["iat"],
	} {
		wantEqual(t, name, got[name], want)
	}
	wantEqual(t, "lifetime", got["exp"].(float64)-got["iat"].(float64), 300)
	if fmt.Sprint(got["amr"]) != "[pwd]" {
		t.Errorf("amr is %v", got["amr"])
	}

	b.signIn("trader@example.com")
	plain := b.authorize(with(b.authorizeParams("spa"), "nonce", "")).Query().Get("code")
	without := names(t, jwtPart(t, b.token(b.codeForm(plain), basic("spa")...).IDToken, 1))
	if slices.Contains(without, "nonce") || slices.Contains(without, "role") {
		t.Errorf("claims are %v, want neither nonce nor role", without)
	}
}

func TestLifetimesAreConfiguration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := inMemory(t, identitytest.Config{AccessTokenLifetime: time.Minute, IDTokenLifetime: 2 * time.Minute})
		answer := b.login("trader@example.com", "spa")
		wantEqual(t, "expires_in", answer.ExpiresIn, 60)
		start := float64(time.Now().Unix())
		wantEqual(t, "exp of the access token", claims(t, answer.AccessToken)["exp"].(float64), start+60)
		wantEqual(t, "exp of the ID token", claims(t, answer.IDToken)["exp"].(float64), start+120)
	})
}

func TestTheClockIsConfiguration(t *testing.T) {
	now := time.Date(2031, 2, 3, 4, 5, 6, 7, time.UTC)
	b := start(t, identitytest.Config{Now: func() time.Time { return now }})
	answer := b.login("trader@example.com", "spa")
	wantEqual(t, "nbf", claims(t, answer.AccessToken)["nbf"].(float64), float64(now.Unix()))
	wantEqual(t, "time of the record", b.server.Requests(identitytest.EndpointToken)[0].Time, now)
}
