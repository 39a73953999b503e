package identitytest_test

import (
	"slices"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

func TestConcurrentUse(t *testing.T) {
	b := start(t, identitytest.Config{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.server.RotateKeys()
		b.server.EndSessions("admin@example.com")
		b.server.RevokeTokens("admin@example.com")
		b.server.Inject(identitytest.EndpointUserInfo, identitytest.Fault{})
		b.server.ClearFaults()
		b.server.DropOldKeys()
	}()
	for range 5 {
		b.another().login("trader@example.com", "spa")
		b.server.Requests(identitytest.EndpointToken)
	}
	<-done
	if !slices.ContainsFunc(b.server.Requests(identitytest.EndpointToken), func(r identitytest.Request) bool { return r.Status == 200 }) {
		t.Error("no token was issued")
	}
}
