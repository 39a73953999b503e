package web_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// off returns a replica whose clock is off, that of its clients included.
func (s *site) off(d time.Duration) (*site, *prometheus.Registry) {
	s.t.Helper()
	other, r := *s, prometheus.NewRegistry()
	now := func() time.Time { return time.Now().Add(d) }
	c, err := identity.New(identity.Config{URL: "http://127.0.0.1", ClientID: identity.ClientSPA, HTTP: tokenapi.HTTP{Transport: s.seen, Now: now}})
	if err != nil {
		s.t.Fatal(err)
	}
	other.config.Clients, other.config.Now, other.config.Registerer = []*identity.Client{c}, now, r
	other.open()
	synctest.Wait()
	return &other, r
}

// field 12, 44: a replica whose clock is off loses no session of any replica,
// gives out no expired token and repeats no refresh.
func TestReplicaWhoseClockIsOff(t *testing.T) {
	for _, off := range []time.Duration{-time.Minute, -5 * time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour} {
		t.Run(off.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, shared)
				wrong, r := s.off(off)
				b := s.browser()
				b.at(wrong).signIn("trader", "spa").leadsTo("/account")
				for range 30 {
					for _, at := range []*site{s, wrong, wrong, s} {
						b.at(at).post("/try").is(200, "200 OK")
					}
					pass(10 * time.Second)
				}
				for _, q := range s.identity.Requests(identitytest.EndpointFrontOffice) {
					if q.Status == 401 {
						t.Error("a call reached the API with an expired token")
					}
				}
				if n := s.identity.Grants("refresh_token"); n < 10 || n > 16 {
					t.Errorf("%d refreshes in 5 minutes, want one per token", n)
				}
				word := "behind"
				if off > 0 {
					word = "ahead of"
				}
				wrong.browser().get("/readyz").is(200, `"ready":true`, fmt.Sprintf("%v %s the store's clock", off.Abs(), word))
				if a := s.browser().get("/readyz").is(200); strings.Contains(a.body, "clock") {
					t.Errorf("/readyz of a replica whose clock is right = %s, want nothing of a clock", a.body)
				}
				wantSamples(t, r, map[string]float64{"b2trader_clock_offset_seconds": (-off).Seconds()})
				b.get("/session").is(200)
			})
		})
	}
}
