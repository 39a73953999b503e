package showcase_test

import (
	"context"
	"iter"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store"
)

// watchCounter counts the watches that are open.
type watchCounter struct {
	store.Store
	open atomic.Int32
}

func (w *watchCounter) Watch(ctx context.Context) iter.Seq[store.Event] {
	return func(yield func(store.Event) bool) {
		w.open.Add(1)
		defer w.open.Add(-1)
		w.Store.Watch(ctx)(yield)
	}
}

// The sign-ins of platforms count in the site's metrics, and the site and the
// showcase watch the store once.
func TestPlatformMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := prometheus.NewRegistry()
		watches := &watchCounter{}
		s, o := newSite(t, func(c *config) {
			watches.Store = c.Store
			c.Store, c.Registerer = watches, r
			c.Platforms[0].SignOut = func(context.Context, *oauth2.Token) error { return nil }
		})
		b := s.administrator()
		if got := watches.open.Load(); got != 1 {
			t.Errorf("the process has %d watches of the store, want 1", got)
		}
		o.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 500})
		b.done("office", "sign-in")
		pass(10 * time.Second)
		b.done("office", "sign-in")
		b.done("office", "renew")
		b.done("office", "fail")
		synctest.Wait()
		const want = `
			# HELP b2trader_sign_ins_total Sign-ins that finished or failed.
			# TYPE b2trader_sign_ins_total counter
			b2trader_sign_ins_total{client="platform/office",result="ok"} 1
			b2trader_sign_ins_total{client="platform/office",result="unavailable"} 1
			b2trader_sign_ins_total{client="spa_admin",result="ok"} 1
		`
		if err := testutil.GatherAndCompare(r, strings.NewReader(want), "b2trader_sign_ins_total"); err != nil {
			t.Error(err)
		}
		got := series(t, r)
		b.done("office", "sign-out")
		synctest.Wait()
		maps.Copy(got, series(t, r))
		for _, want := range []string{
			"b2trader_live_sessions platform/office", "b2trader_renewal_duration_seconds platform/office renewed",
			"b2trader_renewal_duration_seconds platform/office failed", "b2trader_renewal_wait_seconds platform/office ok",
			"b2trader_revocations_total platform/office ok",
		} {
			if !got[want] {
				t.Errorf("the metrics lack %s", want)
			}
		}
	})
}

// series returns the names of the time series, with the values of their labels.
func series(t *testing.T, r prometheus.Gatherer) map[string]bool {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			parts := []string{family.GetName()}
			for _, label := range m.GetLabel() {
				parts = append(parts, label.GetValue())
			}
			names[strings.Join(parts, " ")] = true
		}
	}
	return names
}
