package docs

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/web"
)

var (
	metricName  = regexp.MustCompile(`fqName: "([a-z0-9_]+)"`)
	metricInRow = regexp.MustCompile("(?m)^\\| `(b2trader_[a-z_]+)` \\|")
	alertName   = regexp.MustCompile(`(?m)^ *- alert: (\w+)$`)
	alertInRow  = regexp.MustCompile(`(?m)^\| (B2Trader\w+) \|`)
)

// operations.md lists each metric of the site and no other (req 126).
func TestMetricsAreDocumented(t *testing.T) {
	client, err := identity.New(identity.Config{URL: "http://127.0.0.1:1", ClientID: identity.ClientSPA})
	if err != nil {
		t.Fatal(err)
	}
	metrics := registerer{}
	site, err := web.New(web.Config{Clients: []*identity.Client{client}, PublicURL: "http://127.0.0.1:2", Registerer: metrics})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = site.Close(t.Context()) }()
	want := slices.Sorted(maps.Keys(metrics))
	if got := submatches(metricInRow, read(t, "operations.md")); !slices.Equal(got, want) || len(want) < 10 {
		t.Errorf("operations.md has the metrics\n%q\nwant\n%q", got, want)
	}
}

func TestAlertsAreDocumented(t *testing.T) {
	want := submatches(alertName, read(t, "../web/alerts.yaml"))
	if got := submatches(alertInRow, read(t, "operations.md")); !slices.Equal(got, want) || len(want) < 10 {
		t.Errorf("operations.md has the alerts\n%q\nwant\n%q", got, want)
	}
}

// registerer keeps the names of the metrics that are registered.
type registerer map[string]bool

// Register implements prometheus.Registerer.
func (r registerer) Register(c prometheus.Collector) error {
	descriptions := make(chan *prometheus.Desc, 100)
	c.Describe(descriptions)
	close(descriptions)
	for d := range descriptions {
		r[submatches(metricName, d.String())[0]] = true
	}
	return nil
}

// MustRegister implements prometheus.Registerer.
func (r registerer) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		_ = r.Register(c)
	}
}

// Unregister implements prometheus.Registerer.
func (r registerer) Unregister(prometheus.Collector) bool { return false }

// submatches returns the first submatches of pattern in text, sorted.
func submatches(pattern *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return found
}
