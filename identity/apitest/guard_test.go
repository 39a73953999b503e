package apitest_test

import (
	"net/http"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

func TestGuard(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	tokens, others := apitest.NewTokens(nil, time.Hour), apitest.NewTokens(nil, time.Hour)
	tokens.Add("t-1", "owner")
	others.Add("t-2", "other")
	refuse := func(x *apitest.Exchange) { x.Status(http.StatusTeapot) }
	guarded := func(x *apitest.Exchange, owner string) { x.JSON(http.StatusOK, "text/plain", owner) }
	c.server.Handle("/post", "guarded", tokens.Guard(http.MethodPost, refuse, guarded))
	c.server.Handle("/get", "guarded", tokens.Guard(http.MethodGet, refuse, guarded))

	for bearer, want := range map[string]int{"": http.StatusTeapot, "t-2": http.StatusTeapot, "t-1": http.StatusOK} {
		got := c.post("/post", "", "Authorization", "Bearer "+bearer)
		wantEqual(t, "status for "+bearer, got.status, want)
		wantEqual(t, "body for "+bearer, got.body == `"owner"`, want == http.StatusOK)
		requests := c.server.Requests("guarded")
		wantEqual(t, "problem of "+bearer, requests[len(requests)-1].Problem != "", want != http.StatusOK)
	}
	got := c.post("/get", "", "Authorization", "Bearer t-1")
	wantEqual(t, "status of a POST", got.status, http.StatusMethodNotAllowed)
	wantEqual(t, "Allow", got.header.Get("Allow"), "GET")
}

func TestNothingEqualsAnEmptySecret(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{{"a", "a", true}, {"a", "b", false}, {"a", "", false}, {"", "a", false}, {"", "", false}} {
		wantEqual(t, c.want+" and "+c.got+": same", apitest.SameSecret(c.want, c.got), c.same)
	}
}
