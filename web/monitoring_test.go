package web_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web"
)

// exported returns the labels of each time series of a Server, by the series'
// name.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	r := noting{}
	newSite(t, func(c *web.Config) { c.Registerer = r })
	if len(r) < 20 {
		t.Fatalf("%d series are exported", len(r))
	}
	r["up"] = nil // of Prometheus itself
	return r
}

// noting is a Registerer that notes the series of what it gets, with their
// labels.
type noting map[string][]string

var descFields = regexp.MustCompile(`fqName: "([^"]+)".*constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}`)

// Register implements prometheus.Registerer.
func (n noting) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc, 10)
	c.Describe(descs)
	close(descs)
	for d := range descs {
		f := descFields.FindStringSubmatch(d.String())
		if f == nil {
			return fmt.Errorf("cannot read %s", d)
		}
		constant := regexp.MustCompile(`="[^"]*",?`).ReplaceAllString(f[2], ",")
		labels := strings.FieldsFunc(constant+f[3], func(r rune) bool { return r == ',' })
		if _, histogram := c.(*prometheus.HistogramVec); histogram {
			n[f[1]+"_bucket"], n[f[1]+"_count"], n[f[1]+"_sum"] = append(labels, "le"), labels, labels
			continue
		}
		n[f[1]] = labels
	}
	return nil
}

// MustRegister implements prometheus.Registerer.
func (noting) MustRegister(...prometheus.Collector) {}

// Unregister implements prometheus.Registerer.
func (noting) Unregister(prometheus.Collector) bool { return true }

// labelValues are the values of the labels that have a fixed set.
var labelValues = map[string][]string{
	"result": append(web.Results(), string(vault.Renewed), string(vault.Resumed), string(vault.Joined), string(vault.Refused), string(vault.Failed), string(vault.Discarded)),
	"op":     {"get", "put", "delete", "list"},
	"by":     {"address", "account"},
	"reason": {"user", "everywhere", "timeout", "list", "limit", "back-channel"},
}

var (
	series   = regexp.MustCompile(`\b(b2trader_\w+|up\b)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)"([^"]*)"`)
	grouping = regexp.MustCompile(`\b(?:by|without) \(([^)]*)\)`)
)

// queryProblems returns what a query of Prometheus has that no Server exports:
// series, labels, and values of labels. A legend is of a panel that shows the
// query.
func queryProblems(exported map[string][]string, query, legend string) (problems []string) {
	known := []string{"job", "instance"} // of each target of Prometheus
	found := series.FindAllStringSubmatch(query, -1)
	if len(found) == 0 {
		problems = append(problems, "it has no series")
	}
	for _, s := range found {
		labels, ok := exported[s[1]]
		if !ok {
			problems = append(problems, "there is no series "+s[1])
		}
		known = append(known, labels...)
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			if !slices.Contains(append(labels, "job", "instance"), m[1]) {
				problems = append(problems, s[1]+" has no label "+m[1])
			}
			for value := range strings.SplitSeq(m[2], "|") {
				if values := labelValues[m[1]]; values != nil && !slices.Contains(values, value) {
					problems = append(problems, m[1]+" is never "+value)
				}
			}
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(query, -1) {
		grouped := strings.Split(g[1], ", ")
		for _, label := range grouped {
			if !slices.Contains(known, label) {
				problems = append(problems, "no series has the label "+label)
			}
		}
		known = grouped
	}
	for _, m := range regexp.MustCompile(`\{\{(\w+)\}\}`).FindAllStringSubmatch(legend, -1) {
		if !slices.Contains(known, m[1]) {
			problems = append(problems, "the legend has the label "+m[1]+", which the result lacks")
		}
	}
	return problems
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each alert is on series that a Server exports, says what to do, and is
// explained to operators.
func TestAlerts(t *testing.T) {
	names, manual := exported(t), readFile(t, "../docs/operations.md")
	alerts := strings.Split(readFile(t, "alerts.yaml"), "- alert: ")[1:]
	if rows := strings.Count(manual, "\n| B2Trader"); len(alerts) < 10 || rows != len(alerts) {
		t.Fatalf("%d alerts, of which operations.md has %d", len(alerts), rows)
	}
	for _, alert := range alerts {
		name, _, _ := strings.Cut(alert, "\n")
		if !strings.Contains(manual, "\n| "+name+" |") {
			t.Errorf("operations.md lacks the alert %s", name)
		}
		for _, field := range []string{"expr", "severity", "summary", "action"} {
			if !regexp.MustCompile(`\b` + field + `: \S`).MatchString(alert) {
				t.Errorf("%s has no %s", name, field)
			}
		}
		query := regexp.MustCompile(`(?m)expr: (.*)$`).FindStringSubmatch(alert)[1]
		for _, problem := range queryProblems(names, query, "") {
			t.Errorf("%s: %s: %s", name, query, problem)
		}
	}
}

// Each panel of the Grafana dashboard is on series that a Server exports, and
// the dashboard shows each series but the count and the sum of a histogram.
func TestDashboard(t *testing.T) { // field 4
	var dashboard struct {
		Templating struct {
			List []struct{ Name, Query string }
		}
		Panels []struct {
			ID                       int
			Type, Title, Description string
			GridPos                  struct{ H, W, X, Y int }
			FieldConfig              struct{ Defaults struct{ Unit string } }
			Targets                  []struct{ Expr, LegendFormat string }
		}
	}
	text := readFile(t, "dashboard.json")
	if err := json.Unmarshal([]byte(text), &dashboard); err != nil {
		t.Fatal(err)
	}
	names, ids, cells := exported(t), map[int]bool{}, map[[2]int]string{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && (p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0) {
			t.Errorf("panel %d %q: want an id of its own, a title, a description, a unit and a query", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := cells[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("panel %q is on %q or beyond the edge", p.Title, other)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		for _, target := range p.Targets {
			for _, problem := range queryProblems(names, target.Expr, target.LegendFormat) {
				t.Errorf("panel %q: %s: %s", p.Title, target.Expr, problem)
			}
			if !strings.Contains(target.Expr, `{job="$job",instance=~"$instance"`) {
				t.Errorf("panel %q: %s does not select $job and $instance", p.Title, target.Expr)
			}
		}
	}
	for name := range names {
		if base := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, ""); !strings.Contains(text, base) {
			t.Errorf("no panel shows %s", base)
		}
	}
	for _, v := range dashboard.Templating.List {
		if v.Name != "datasource" && len(queryProblems(names, v.Query, "")) > 0 || !strings.Contains(text, `$`+v.Name) && !strings.Contains(text, `${`+v.Name+`}`) {
			t.Errorf("the variable %s is not used or has the query %s", v.Name, v.Query)
		}
	}
}

// operations.md lists each metric of the site with its labels, and no other
// (req 126).
func TestMetricsAreDocumented(t *testing.T) {
	want, got := map[string]string{}, map[string]string{}
	for name, labels := range exported(t) {
		name = regexp.MustCompile(`_(bucket|sum)$`).ReplaceAllString(name, "_count")
		if name != "up" && !slices.Contains(labels, "le") {
			want[strings.TrimSuffix(name, "_count")] = strings.Join(labels, ", ")
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(b2trader_\\w+)` \\| ([a-z, ]*?) ?\\|").FindAllStringSubmatch(readFile(t, "../docs/operations.md"), -1) {
		got[row[1]] = row[2]
	}
	if !maps.Equal(got, want) {
		t.Errorf("operations.md has the metrics\n%q\nwant\n%q", got, want)
	}
}
