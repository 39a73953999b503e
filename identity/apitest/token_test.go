package apitest_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/apitest"
)

func TestRandomHex(t *testing.T) {
	a, b := apitest.RandomHex(16), apitest.RandomHex(16)
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(a) || a == b {
		t.Errorf("%q and %q", a, b)
	}
}

func TestJWT(t *testing.T) {
	header, claims := apitest.Object{{"typ", "JWT"}, {"alg", "RS256"}}, apitest.Object{{"sub", "u-1"}, {"exp", 1900000000}}
	token := apitest.JWT(header, claims)
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	for i, want := range []string{`{"typ":"JWT","alg":"RS256"}`, `{"sub":"u-1","exp":1900000000}`} {
		part, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		wantEqual(t, "part of the token", string(part), want)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "length of the signature", len(signature), 32)
	if apitest.JWT(header, claims) == token {
		t.Error("the same token twice")
	}
}
