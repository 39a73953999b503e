package web_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web"
)

// samples is what a registry shows: of a histogram, how many were counted.
func samples(t *testing.T, r prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			parts := []string{f.GetName()}
			for _, l := range m.GetLabel() {
				parts = append(parts, l.GetValue())
			}
			found[strings.Join(parts, " ")] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return found
}

// measured is a site whose metrics are shown.
func measured(t *testing.T, change ...func(*web.Config)) (*site, *prometheus.Registry) {
	t.Helper()
	r := prometheus.NewRegistry()
	return newSite(t, append(change, func(c *web.Config) { c.Registerer = r })...), r
}

// wantSamples fails unless r shows these; a value of -1 is any but 0.
func wantSamples(t *testing.T, r prometheus.Gatherer, want map[string]float64) {
	t.Helper()
	got := samples(t, r)
	for name, value := range want {
		if n, shown := got[name]; !shown || value >= 0 && n != value || n == 0 && value < 0 {
			t.Errorf("%s is %v, want %v", name, n, value)
		}
	}
}

// req 126: whatever people do is counted, and nothing that is counted names them.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := measured(t)
		b := s.browser()
		b.post("/sign-in", "email", "trader@example.com", "password", "wrong-password", "client", "spa")
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 500})
		b.signIn("trader", "spa").is(503)
		b.signIn("trader", "spa").leadsTo("/account")
		guarded := s.browser()
		id := guarded.begun()
		guarded.code(id, "000000")
		guarded.code(id, rightCode).leadsTo("/account")
		wantSamples(t, r, map[string]float64{"b2trader_live_sessions spa": 2})

		pass(31 * time.Second) // the token has expired: this request waits
		b.get("/account").is(200)
		s.lockOut("guarded@example.com")
		guarded.get("/account")
		b.post("/sign-out")
		other := s.browser()
		other.signIn("trader", "spa")
		other.post("/sign-out/everywhere")
		idle := s.browser()
		idle.signIn("admin", "spa_admin").leadsTo("/account")
		pass(17 * time.Minute)
		for range 6 {
			other.post("/sign-in", "email", "nobody@example.com", "password", "wrong-password", "client", "spa")
		}
		synctest.Wait()

		wantSamples(t, r, map[string]float64{
			"b2trader_sign_ins_total spa bad_credentials":             6,
			"b2trader_sign_ins_total spa ok":                          3,
			"b2trader_sign_ins_total spa unavailable":                 1,
			"b2trader_sign_ins_total spa_admin ok":                    1,
			"b2trader_second_factors_total spa second_factor_refused": 1,
			"b2trader_second_factors_total spa ok":                    1,
			"b2trader_attempts_refused_total account":                 1,
			"b2trader_sign_outs_total user":                           1,
			"b2trader_sign_outs_total everywhere":                     1,
			"b2trader_sign_outs_total timeout":                        1,
			"b2trader_revocations_total spa ok":                       2,
			"b2trader_renewal_duration_seconds spa renewed":           -1,
			"b2trader_renewal_duration_seconds spa refused":           1,
			"b2trader_renewal_wait_seconds spa ok":                    -1,
			"b2trader_renewal_wait_seconds spa ended":                 1,
			"b2trader_store_operation_duration_seconds put ok":        -1,
			"b2trader_store_operation_duration_seconds get not_found": -1,
			"b2trader_store_watches_down":                             0,
		})
		for name := range samples(t, r) {
			for what, secret := range s.seen.all() {
				if strings.Contains(name, secret) {
					t.Errorf("%s holds a %s", name, what)
				}
			}
			if strings.Contains(name, "@") || strings.Contains(name, "http") {
				t.Errorf("%s names a user", name)
			}
		}
	})
}

// A shaky store can be down, and its watch reports what a test says.
type shaky struct {
	outage
	mu     sync.Mutex
	events []chan store.Event
}

// Watch reports what the test says.
func (s *shaky) Watch(ctx context.Context) iter.Seq[store.Event] {
	events := make(chan store.Event)
	s.mu.Lock()
	s.events = append(s.events, events)
	s.mu.Unlock()
	return func(yield func(store.Event) bool) {
		for {
			select {
			case e := <-events:
				if !yield(e) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func (s *shaky) tell(e store.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, events := range s.events {
		events <- e
	}
}

// shakySite is a site on a store that fails on command.
func shakySite(t *testing.T, change ...func(*web.Config)) (*site, *prometheus.Registry, *shaky) {
	t.Helper()
	shaky := &shaky{outage: outage{Store: memstore.New()}}
	s, r := measured(t, append(change, func(c *web.Config) { c.Store, c.Keys = shaky, []vault.Key{vault.NewKey("k")} })...)
	synctest.Wait()
	return s, r, shaky
}

func TestStoreMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r, shaky := shakySite(t)
		shaky.tell(store.Event{Kind: store.Synced})
		shaky.tell(store.Event{Kind: store.Lost, Err: errors.New("cut")})
		shaky.tell(store.Event{Kind: store.Lost, Err: errors.New("cut")})
		synctest.Wait()
		down := samples(t, r)["b2trader_store_watches_down"]
		if down < 1 || samples(t, r)["b2trader_store_watch_interruptions_total"] != down {
			t.Errorf("%v watches are down", samples(t, r))
		}
		shaky.down.Store(true)
		s.browser().get("/readyz").is(503)
		wantSamples(t, r, map[string]float64{"b2trader_store_operation_duration_seconds put unavailable": -1})
		shaky.tell(store.Event{Kind: store.Synced})
		synctest.Wait()
		wantSamples(t, r, map[string]float64{"b2trader_store_watches_down": 0, "b2trader_store_watch_interruptions_total": down})
	})
}

// A Server shows its metrics until it is closed; two cannot show them at once.
func TestMetricsEndWithTheServer(t *testing.T) {
	s, r := measured(t)
	again := web.Config{Clients: []*identity.Client{s.client(identity.ClientSPA)}, PublicURL: origin, Registerer: r}
	if _, err := web.New(again); err == nil || !strings.Contains(err.Error(), "Registerer") {
		t.Fatalf("a second server on one registry: %v", err)
	}
	crowded := prometheus.NewRegistry() // a name that is taken leaves nothing behind
	taken := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "b2trader_live_sessions"}, []string{"other"})
	crowded.MustRegister(taken)
	if _, err := web.New(web.Config{Clients: again.Clients, PublicURL: origin, Registerer: crowded}); err == nil {
		t.Fatal("a name that is taken is not told of")
	}
	if left := samples(t, crowded); len(left) != 0 {
		t.Errorf("left after the failure: %v", left)
	}
	if err := s.web.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := samples(t, r); len(left) != 0 {
		t.Errorf("left after Close: %v", left)
	}
	second, err := web.New(again)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A store that can be read and not written is not ready.
func TestReadinessOfAStandby(t *testing.T) { // field 2
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.Store = &outage{Store: c.Store} })
		standby := s.config.Store.(*outage)
		b := s.browser()
		b.get("/readyz").is(200)
		standby.unwritable = "ready:"
		pass(5 * time.Second)
		b.get("/readyz").is(503, `"store":"unavailable"`)
		standby.unwritable = ""
		pass(5 * time.Second)
		b.get("/readyz").is(200)
		pass(2 * time.Hour) // the record that the checks write has expired
		b.get("/readyz").is(200)
	})
}

// req 127: readiness is that of the store and of the IdentityServer, and names what is not ready.
func TestReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var part error
		var back time.Duration
		s, _, shaky := shakySite(t, func(c *web.Config) {
			c.Now = func() time.Time { return time.Now().Add(-back) }
			c.Ready = map[string]func(context.Context) error{"reports": func(context.Context) error { return part }}
		})
		b := s.browser()
		b.get("/readyz").is(200, `"ready":true`, `"store":"ready"`, `"spa":"ready"`, `"reports":"ready"`)
		part = errors.New("away")
		pass(5 * time.Second)
		b.get("/readyz").is(503, `"ready":false`, `"store":"ready"`, `"reports":"unavailable"`)
		part = nil
		pass(5 * time.Second)
		b.get("/readyz").is(200)
		shaky.down.Store(true)
		b.get("/readyz").is(200) // for some seconds
		back = 10 * time.Minute  // field 11: not until the clock that was set back is there again
		a := b.get("/readyz").is(503, `"ready":false`, `"store":"unavailable"`, `"spa":"ready"`)
		if strings.Contains(a.body, "away") {
			t.Error("it tells why")
		}
		b.header.Set("X-Forwarded-For", "127.0.0.1")
		b.header.Set("Authorization", "Bearer probe")
		b.header.Set("User-Agent", "kube-probe/1.30")
		b.get("/readyz").is(503)
		b.get("/account").leadsTo("/sign-in")
		b.get("/healthz").is(200, "ok")
		shaky.down.Store(false)
		s.identity.Inject(identitytest.EndpointDiscovery, identitytest.Fault{Status: 500, Times: -1})
		pass(5 * time.Second)
		b.get("/readyz").is(200) // what was discovered is known
		s.web.Drain()
		if a := b.get("/readyz").is(503, `"stopping":true`); a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		b.get("/healthz").is(200, "ok")
	})
}
