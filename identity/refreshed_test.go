package identity

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// field 52, 58: claims of the wrong type, and times out of range, are refused
// also where the claim is optional.
func TestCheckClaims(t *testing.T) {
	c, err := New(Config{URL: "https://trader.example.com", ClientID: ClientSPA})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	for claim, ok := range map[string]bool{
		`"x":null`: true, `"nbf":1`: true, `"nbf":null`: false, `"nbf":"1"`: false, `"nbf":1e19`: false, fmt.Sprint(`"nbf":`, now+600): false,
		`"auth_time":0`: true, `"auth_time":null`: false, `"auth_time":1e300`: false, `"auth_time":"1"`: false,
		`"azp":"spa"`: true, `"azp":""`: false, `"azp":["spa"]`: false, `"at_hash":""`: false, `"events":{}`: false, `"events":[]`: false,
	} {
		all, err := claimsOf(fmt.Appendf(nil, `{"sub":"u","iat":%d,"exp":%d,%s}`, now, now+60, claim))
		if err == nil {
			err = c.checkClaims(&oidc.IDToken{Audience: []string{ClientSPA}}, all, "a")
		}
		if (err == nil) != ok {
			t.Errorf("an ID token with %s: %v, want success %t", claim, err, ok)
		}
	}
}

// field 53
func TestCheckRefreshed(t *testing.T) {
	token := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	const old = `{"iss":"i","sub":"u","nonce":"n","auth_time":1700000000}`
	for _, c := range []struct {
		name, is, was string
		ok            bool
	}{
		{"the same without a nonce", `{"iss":"i","sub":"u","auth_time":1700000000}`, old, true},
		{"the same nonce", `{"iss":"i","sub":"u","nonce":"n"}`, old, true},
		{"another nonce", `{"iss":"i","sub":"u","nonce":"m"}`, old, false},
		{"a nonce that the old one lacked", `{"iss":"i","sub":"u","nonce":"m"}`, `{"iss":"i","sub":"u"}`, false},
		{"another subject", `{"iss":"i","sub":"v"}`, old, false},
		{"another issuer", `{"iss":"j","sub":"u"}`, old, false},
		{"a new azp", `{"iss":"i","sub":"u","azp":"spa"}`, old, false},
		{"azp gone", `{"iss":"i","sub":"u"}`, `{"iss":"i","sub":"u","azp":"spa"}`, false},
		{"another auth_time", `{"iss":"i","sub":"u","auth_time":1700000001}`, old, false},
		{"no auth_time", `{"iss":"i","sub":"u"}`, old, true},
		{"an auth_time that the old one lacked", `{"iss":"i","sub":"u","auth_time":1700000000}`, `{"iss":"i","sub":"u","iat":1700000000}`, true},
		{"an auth_time after the old one", `{"iss":"i","sub":"u","auth_time":1700000001}`, `{"iss":"i","sub":"u","iat":1700000000}`, false},
	} {
		if err := checkRefreshed(token(c.is), token(c.was)); (err == nil) != c.ok {
			t.Errorf("checkRefreshed with %s = %v, want success %t", c.name, err, c.ok)
		}
	}
	if err := checkRefreshed(token(old), ""); err != nil {
		t.Errorf("checkRefreshed without an old ID token = %v, want nil", err)
	}
	if err := checkRefreshed(token(old), "a.!.c"); err == nil || err.Error() != "the old ID token cannot be read" {
		t.Errorf("checkRefreshed with an old ID token that cannot be read = %v, want that it says so", err)
	}
}
