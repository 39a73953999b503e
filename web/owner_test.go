package web_test

import (
	"testing"
	"testing/synctest"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web"
)

// req 46: a user is issuer and subject. Two issuers may give the same subject to two people; in a store that both
// sites share, one's sign-out everywhere ends nothing of the other's.
func TestUsersOfTwoIssuers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := newSite(t, shared)
		other := newSite(t, func(c *web.Config) {
			c.Store, c.Keys = one.config.Store, one.config.Keys
			c.Clients = []*identity.Client{anotherIssuer(t)}
		})
		mine, theirs := one.browser(), other.browser()
		mine.signIn("trader", "spa").leadsTo("/account")
		theirs.signIn("trader", "spa").leadsTo("/account") // of the same subject
		mine.post("/sign-out/everywhere").leadsTo("/sign-in?done=signed-out-everywhere")
		theirs.get("/account").is(200)
		mine.get("/account").leadsTo("/sign-in")
	})
}

// anotherIssuer returns a client of an IdentityServer with the same users and another name.
func anotherIssuer(t *testing.T) *identity.Client {
	t.Helper()
	server, err := identitytest.New(identitytest.Config{Issuer: identitytest.InternalIssuer})
	if err != nil {
		t.Fatal(err)
	}
	client, err := identity.New(identity.Config{
		URL: "http://127.0.0.1", ClientID: identity.ClientSPA, Issuer: identitytest.InternalIssuer, HTTP: tokenapi.HTTP{Transport: server.Transport()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}
