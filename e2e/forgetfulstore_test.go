package e2e

import (
	"net/http"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store/storetest/servers"
)

// TestStoreForgets starts Redis again from an older copy of its data. A session
// that was signed out since stays out. A session that was renewed since lives
// on with the newer refresh token, although its IdentityServer's session is not
// kept. The process that is asked first has never seen the newer token.
func TestStoreForgets(t *testing.T) { // field 20
	t.Parallel()
	redis := servers.StartRedis(t, "--appendonly", "no")
	f := newFleet(t, newSecrets(t), redis.URL(0), "-forget-identity-session")
	kept, out := f.expired(), f.browser()
	account := out.signIn(trader, "spa").want(http.StatusOK, "/account")
	old := out.clone()
	redis.MustDo(t, "SAVE")
	f.server.shorten("refresh_token")
	if p := kept.fetch(apiCall); p.status != http.StatusOK {
		t.Fatalf("GET %s = %d, want 200", apiCall, p.status)
	}
	account.submit("/sign-out", "Sign out").want(http.StatusOK, "/sign-in")
	<-time.After(shortLife)
	redis.Kill()
	redis.Start(t)
	for _, d := range []*demo{f.demos[1], f.demos[0]} {
		f.untilServed(kept, d)
	}
	f.wantEnded(old)
	f.wantGrants("refresh_token", 2)
	f.wantRenewals("refused", 0)
}
