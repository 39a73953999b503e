package web

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// req 126: an API cannot make up labels.
func TestUpstreamMetrics(t *testing.T) {
	m := NewMetrics()
	api := m.upstream("frontoffice")
	for status := range 2000 {
		api.Answered(status)
		api.Took(20 * time.Millisecond)
	}
	if n := testutil.CollectAndCount(m.upstreamResponses); n > 70 {
		t.Errorf("%d codes", n)
	}
	for code, want := range map[string]float64{"none": 1, "200": 1, "503": 1} {
		if got := testutil.ToFloat64(m.upstreamResponses.WithLabelValues("frontoffice", code)); got != want {
			t.Errorf("code %s was counted %v times", code, got)
		}
	}
	if n := testutil.CollectAndCount(m.upstreamDurations); n != 1 {
		t.Errorf("%d durations", n)
	}
}

func TestLeaseWaitMetrics(t *testing.T) {
	m := NewMetrics()
	m.Renewed(vault.Renewal{Client: "spa", Result: vault.Renewed})
	if n := testutil.CollectAndCount(m.leaseWaits); n != 0 {
		t.Errorf("a renewal that did not wait is counted")
	}
	m.Renewed(vault.Renewal{Client: "spa", Result: vault.Joined, LeaseWait: time.Second})
	if n := testutil.CollectAndCount(m.leaseWaits); n != 1 {
		t.Errorf("a wait is not counted")
	}
}

func TestResultOf(t *testing.T) {
	for want, err := range map[string]error{
		"ok":              nil,
		"failed":          errors.New("whatever"),
		"bad_credentials": &tokenapi.Error{Err: tokenapi.ErrBadCredentials},
		"unavailable":     &vault.UnavailableError{Err: errors.New("whatever")},
		"refused":         &vault.UnavailableError{Err: tokenapi.ErrGrantRefused},
		"conflict":        fmt.Errorf("put: %w", store.ErrConflict),
	} {
		if got := resultOf(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
}
