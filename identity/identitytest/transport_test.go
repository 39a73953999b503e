package identitytest_test

import (
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

func TestTransport(t *testing.T) {
	b := inMemory(t, identitytest.Config{})
	b.base = "https://anything.example:8443"
	answer := b.login("trader@example.com", "spa")
	wantEqual(t, "iss", claims(t, answer.IDToken)["iss"], any("https://anything.example:8443/identity"))
	got := b.server.Requests(identitytest.EndpointToken)[0]
	wantEqual(t, "path", got.Path, tokenPath)
}
