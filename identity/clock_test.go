package identity_test

import (
	"net/http"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// withoutDate is a way to a server whose answers have no Date.
type withoutDate struct{ base http.RoundTripper }

func (t withoutDate) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.base.RoundTrip(req)
	if err == nil {
		resp.Header.Del("Date")
	}
	return resp, err
}

// aheadBy makes the clock of a client wrong.
func aheadBy(d time.Duration) func(*identity.Config) {
	return func(c *identity.Config) { c.HTTP.Now = func() time.Time { return time.Now().Add(d) } }
}

// field 12: a client whose clock is off signs in, refreshes and accepts logout
// tokens by the server's clock. It accepts no token that has expired.
func TestClockOfTheServer(t *testing.T) {
	for _, off := range []time.Duration{-24 * time.Hour, -time.Hour, -5 * time.Minute, -time.Minute, time.Minute, 6 * time.Minute, 24 * time.Hour} {
		srv, client := start(t, aheadBy(off))
		token := login(t, client)
		if left := time.Until(token.Expiry.Add(-off)); left < 0 || left > time.Minute {
			t.Errorf("clock off by %v: the token expires in %v, want within its life by the client's clock", off, left)
		}
		if _, err := client.Refresh(t.Context(), token); err != nil {
			t.Errorf("clock off by %v: Refresh = %v, want no error", off, err)
		}
		raw := srv.SignLogoutToken(order(client))
		if _, err := client.VerifyLogoutToken(t.Context(), raw); err != nil {
			t.Errorf("clock off by %v: VerifyLogoutToken = %v, want no error", off, err)
		}
		for _, broken := range []identitytest.IDTokenFault{identitytest.Expired, identitytest.NotYetValid} {
			srv.Inject(identitytest.EndpointToken, identitytest.Fault{IDToken: broken})
			_, err := client.Login(t.Context(), email, password)
			wantError(t, err, tokenapi.ErrUnusableAnswer)
		}
	}
}

// field 12: a Date that differs by days is not believed.
func TestClockOfTheServerIsBounded(t *testing.T) {
	for _, off := range []time.Duration{-26 * time.Hour, 26 * time.Hour} {
		_, client := start(t, aheadBy(off))
		_, err := client.Login(t.Context(), email, password)
		wantError(t, err, tokenapi.ErrUnusableAnswer)
	}
}

// field 12: after a start, a client whose clock is behind accepts a logout token
// before it has sent any request of its own: the discovery document tells it.
func TestClockOfTheServerAfterAStart(t *testing.T) {
	srv, client := start(t, aheadBy(-5*time.Minute))
	if _, err := client.VerifyLogoutToken(t.Context(), srv.SignLogoutToken(order(client))); err != nil {
		t.Errorf("VerifyLogoutToken = %v, want no error", err)
	}
}
