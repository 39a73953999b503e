package e2e

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"b2trader.identity.auth/identity/identitytest/npmclient"
)

// axeVersion is the version of the npm package axe-core, which finds faults of
// accessibility.
const axeVersion = "4.14.1"

// TestPagesInChromium opens every page that links lead to, once: as a stranger,
// else as a trader, else as an administrator. In both schemes and at three
// widths it wants no horizontal overflow and nothing that axe finds; and no
// console error, and no request to another origin.
func TestPagesInChromium(t *testing.T) {
	t.Parallel()
	axe, err := os.ReadFile(filepath.Join(npmclient.InstallPackage(t, "axe-core", axeVersion), "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	d := startDemo(t, newSecrets(t), "-addr", "127.0.0.1:0")
	v := newVisitor(d, string(axe))
	for _, c := range []struct {
		email, client string
		want          []string // pages that must be among those found
	}{
		{"", "", []string{"/", "/sign-in"}},
		{guarded, "spa", []string{"/sign-in/second-factor"}},
		{trader, "spa", []string{"/account", "/live", "/try", "/flow", "/sessions"}},
		{admin, "spa_admin", []string{"/account", "/platforms", "/sessions", "/admin/sessions"}},
	} {
		v.do(chromedp.Navigate("about:blank"), network.ClearBrowserCookies()) // the page before asks for its session
		if c.email == "" {
			v.open("/")
			v.open("/no-such-page")
		} else {
			v.signInAs(c.email, c.client)
			v.check()
		}
		if c.email == admin {
			v.useAPlatform()
		}
		v.openLinks()
		for _, path := range c.want {
			if !v.seen[path] {
				t.Errorf("no link leads %q to %s, want it among the pages", c.email, path)
			}
		}
	}
}

// visitor opens pages in a tab and checks them.
type visitor struct {
	*tab
	axe    string
	seen   map[string]bool // paths of pages
	opened map[string]bool // paths that were opened; some lead to other pages
	links  []string        // paths to open

	mu       sync.Mutex
	messages []string // console errors and foreign requests
}

func newVisitor(d *demo, axe string) *visitor {
	d.t.Helper()
	v := &visitor{tab: d.chromium(), axe: axe, seen: make(map[string]bool), opened: make(map[string]bool)}
	chromedp.ListenTarget(v.ctx, v.listen)
	return v
}

// listen notes console errors and requests to other origins.
func (v *visitor) listen(event any) {
	note := func(format string, args ...any) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.messages = append(v.messages, fmt.Sprintf(format, args...))
	}
	origin := strings.TrimPrefix(v.site, "http")
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError && !strings.HasSuffix(e.Entry.URL, "/no-such-page") {
			note("console error: %s %s", e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError {
			note("console.error of a script")
		}
	case *runtime.EventExceptionThrown:
		note("exception: %s", e.ExceptionDetails.Error())
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "http"+origin+"/") && !strings.HasPrefix(e.Request.URL, "data:") {
			note("request to another origin: %s", e.Request.URL)
		}
	case *network.EventWebSocketCreated:
		if !strings.HasPrefix(e.URL, "ws"+origin+"/") {
			note("websocket to another origin: %s", e.URL)
		}
	}
}

// signInAs signs a sample user of the embedded IdentityServer in.
func (v *visitor) signInAs(email, client string) {
	v.t.Helper()
	v.do(chromedp.Navigate(v.site+"/sign-in"),
		chromedp.SendKeys("#email", email), chromedp.SendKeys("#password", strings.Replace(email, "@example.com", "-password", 1)),
		chromedp.Click(`input[name="client"][value="`+client+`"]`),
		chromedp.Submit("#sign-in"), chromedp.WaitVisible("#session, #code", retry))
}

// useAPlatform checks the page of the platforms with an answer on it.
func (v *visitor) useAPlatform() {
	v.t.Helper()
	press := func(action string) chromedp.Action {
		return chromedp.Click(`form:has(input[value="b2core"]) button[value="`+action+`"]`, chromedp.ByQuery)
	}
	v.do(chromedp.Navigate(v.site+"/platforms"), press("sign-in"), chromedp.WaitVisible(".platform .banner-good", retry), press("use"), chromedp.WaitVisible(".platform-answer", retry))
	v.check()
}

// openLinks opens what is linked and was not opened yet, with what is linked
// there, and so on.
func (v *visitor) openLinks() {
	v.t.Helper()
	for len(v.links) > 0 {
		path := v.links[0]
		v.links = v.links[1:]
		if to, err := url.Parse(path); err == nil && !v.seen[to.Path] && !v.opened[to.Path] {
			v.opened[to.Path] = true
			v.open(path)
		}
	}
}

// open opens a page and checks it.
func (v *visitor) open(path string) {
	v.t.Helper()
	v.do(chromedp.Navigate(v.site + path))
	v.check()
}

// check checks the page in the tab, and notes where its links lead.
func (v *visitor) check() {
	v.t.Helper()
	path := eval[string](v.tab, "location.pathname")
	v.seen[path] = true
	v.links = append(v.links, eval[[]string](v.tab, `[...document.querySelectorAll("a[href]")].map((a) => a.pathname + a.search)`)...)
	v.do(chromedp.Evaluate(v.axe, nil)) // not subject to the Content-Security-Policy
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{390, 768, 1280} {
			v.do(emulation.SetDeviceMetricsOverride(width, 800, 1, false), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}, // no colour is between two
			}))
			if over := eval[int](v.tab, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
				v.t.Errorf("%s, %s, %d px wide: %d px too wide, want no horizontal overflow", path, scheme, width, over)
			}
			if scheme == "dark" && width != 1280 {
				continue // axe has seen these colours, and this width in light colours
			}
			for _, fault := range eval[[]string](v.tab, axeRun) {
				v.t.Errorf("%s, %s, %d px wide: axe finds %s, want nothing", path, scheme, width, fault)
			}
		}
	}
	if path == "/flow" {
		for _, fault := range eval[[]string](v.tab, arrowFaults) {
			v.t.Errorf("/flow: %s", fault)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, message := range slices.Compact(v.messages) {
		v.t.Errorf("%s: %s", path, message)
	}
	v.messages = nil
}

// axeRun returns what axe finds. The rules for the whole document run once for a
// page, because neither scheme nor width changes what they see.
const axeRun = `axe.run(document, {
	resultTypes: ["violations"], elementRef: false,
	...(window.axeRan ? { runOnly: ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"] } : {}),
}).then((r) => (window.axeRan = true, r.violations.flatMap((v) => v.nodes.map((n) => v.id + " at " + n.target.join(" ")))))`

// arrowFaults returns arrows of the page Flow that do not begin and end at their
// lanes, or that are not in the order of their times.
const arrowFaults = `(() => {
	const box = (e) => e.getBoundingClientRect();
	const middle = (e) => (box(e).left + box(e).right) / 2;
	const lanes = new Map([...document.querySelector(".lanes").children].map((e) => [e.textContent, middle(e)]));
	const messages = [...document.querySelectorAll(".message")];
	const far = (a, b) => !(Math.abs(a - b) <= 1);
	const faults = messages.length < 8 ? ["only " + messages.length + " messages"] : [];
	messages.forEach((m, i) => {
		const [from, to] = m.querySelector(".message-ends").textContent.split(/→to/).map((name) => lanes.get(name.trim()));
		const arrow = box(m.querySelector(".arrow"));
		if (far(arrow.left, Math.min(from, to)) || far(arrow.right, Math.max(from, to))) faults.push("arrow " + i + " does not end at its lane");
		if (i > 0 && arrow.top <= box(messages[i - 1].querySelector(".arrow")).top) faults.push("arrow " + i + " is not below the one before");
	});
	return faults;
})()`
