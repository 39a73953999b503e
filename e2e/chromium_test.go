package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// retry looks for an element by a selector only, and not too often. chromedp's
// search through the whole page every 5 ms keeps Chromium busy.
func retry(s *chromedp.Selector) {
	chromedp.ByQuery(s)
	chromedp.RetryInterval(50 * time.Millisecond)(s)
}

// tab is a tab of a real browser, headless Chromium.
type tab struct {
	t    *testing.T
	ctx  context.Context
	site string
}

// chromium starts Chromium for the site. It is for what browser cannot do:
// scripts, the focus and Back.
func (d *demo) chromium() *tab { return startChromium(d.t, d.site.String()) }

// chromiumProcess starts Chromium, once for all tests.
var chromiumProcess = sync.OnceValues(func() (context.Context, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // Chromium refuses to run as root in its sandbox
		// Each window would start two processes for pages of its address
		// bar, and a spare one.
		chromedp.Flag("disable-features", "site-per-process,Translate,BlinkGenPropertyTrees,SpareRendererForSitePerProcess,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup"),
		chromedp.WSURLReadTimeout(time.Minute))
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	servers.AtEnd(end)
	ctx, _ := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {})) // it does not know each event of a new Chromium
	servers.AtEnd(func() { _ = chromedp.Cancel(ctx) })                                     // an error means that Chromium has ended
	return ctx, chromedp.Run(ctx)
})

// startChromium returns a tab of Chromium that shares nothing with other tests.
func startChromium(t *testing.T, site string) *tab {
	t.Helper()
	servers.Program(t, "chromium")
	process := must(chromiumProcess())(t)
	browser := cdp.WithExecutor(process, chromedp.FromContext(process).Browser)
	cookies := must(target.CreateBrowserContext().Do(browser))(t)
	t.Cleanup(func() { _ = target.DisposeBrowserContext(cookies).Do(browser) }) // Chromium ends soon
	window := must(target.CreateTarget("about:blank").WithBrowserContextID(cookies).WithNewWindow(true).Do(browser))(t)
	ctx, closeTab := chromedp.NewContext(process, chromedp.WithTargetID(window))
	t.Cleanup(closeTab)
	ctx, stop := context.WithTimeout(ctx, 8*time.Minute) // long, because the machine may be busy
	t.Cleanup(stop)
	b := &tab{t: t, ctx: ctx, site: site}
	b.do(emulation.SetFocusEmulationEnabled(true)) // tabs of other tests do not take the focus
	return b
}

// do runs actions in the tab.
func (b *tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// eval returns the value of a JavaScript expression, or of its promise.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	var value T
	b.do(chromedp.Evaluate(expression, &value, awaitPromise))
	return value
}

// signIn signs the trader in.
func (b *tab) signIn() {
	b.t.Helper()
	b.do(chromedp.Navigate(b.site+"/sign-in"),
		chromedp.SendKeys("#email", trader), chromedp.SendKeys("#password", passwords[trader]),
		chromedp.Submit("#sign-in"), chromedp.WaitVisible("#session", retry))
}

// A page that Back brings out of the browser's memory shows nothing of a session
// that has ended. Chromium keeps no page of Cache-Control: no-store; Safari does,
// so the header is taken away here. field 25
func TestBackAfterSignOut(t *testing.T) {
	t.Parallel()
	s := newSecrets(t)
	server := startIdentityServer(t, s)
	d := startDemo(t, s, "-addr", "127.0.0.1:0", "-identity-url", server.URL())
	b := d.chromium()
	b.site = keepPages(t, d.site)
	restored := ""
	for try := 1; try <= 10 && restored != "true"; try++ { // Chromium does not keep a page that is fetching something
		b.signIn()
		b.do(chromedp.Evaluate(`addEventListener("pageshow", (e) => { sessionStorage.restored = e.persisted })`, nil))
		b.do(chromedp.Submit(`form[action="/sign-out"]`), chromedp.WaitVisible("#sign-in", retry))
		b.do(chromedp.Evaluate(`history.back()`, nil), chromedp.WaitNotPresent("#session", retry), chromedp.WaitVisible("#sign-in", retry))
		if path := eval[string](b, "location.pathname"); path != "/sign-in" {
			t.Errorf("Back after the sign-out = %s, want /sign-in", path)
		}
		restored = eval[string](b, `sessionStorage.restored ?? ""`)
	}
	if restored != "true" {
		t.Errorf("account page out of the browser's memory = %q, want true once", restored)
	}
}

// keepPages returns the URL of a proxy before the site, whose pages browsers may
// keep in memory.
func keepPages(t *testing.T, site *url.URL) string {
	proxy := httputil.NewSingleHostReverseProxy(site)
	proxy.ModifyResponse = func(r *http.Response) error {
		r.Header.Del("Cache-Control")
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// After a mistake, typing goes into the field with the mistake; a form is sent
// once, and its shown password is a password again when it is sent.
func TestFormsInChromium(t *testing.T) {
	t.Parallel()
	s := newSecrets(t)
	server := startIdentityServer(t, s)
	b := startDemo(t, s, "-addr", "127.0.0.1:0", "-identity-url", server.URL()).chromium()
	b.do(chromedp.Navigate(b.site+"/sign-in"),
		chromedp.SendKeys("#email", trader), chromedp.SendKeys("#password", "wrong"),
		chromedp.Click("[data-reveal]"), chromedp.WaitVisible(`#password[type="text"]`, retry),
		chromedp.Evaluate(`addEventListener("beforeunload", () => { sessionStorage.sent = document.querySelector("#password").type })`, nil),
		chromedp.Evaluate(`for (let i = 0; i < 3; i++) document.querySelector("#sign-in").requestSubmit()`, nil),
		chromedp.WaitVisible("#problem", retry), chromedp.WaitVisible("#password:focus", retry))
	if kind := eval[string](b, "sessionStorage.sent"); kind != "password" {
		t.Errorf("type of the shown password when the form is sent = %q, want password", kind)
	}
	if n := server.Count(identitytest.EndpointSignIn); n != 1 {
		t.Errorf("the form was sent %d times, want 1", n)
	}
}

// A page warns before the session ends, and leaves when another tab signs out.
func TestSessionEndsInChromium(t *testing.T) {
	t.Parallel()
	s := newSecrets(t)
	server := startIdentityServer(t, s)
	b := startDemo(t, s, "-addr", "127.0.0.1:0", "-identity-url", server.URL(), "-idle-timeout", "70s").chromium()
	b.signIn()
	b.do(chromedp.WaitVisible("[data-stay]", retry))
	before := eval[float64](b, `fetch("/session").then((r) => r.json()).then((s) => Date.parse(s.idle_end))`)
	b.do(chromedp.Click("[data-stay]"), chromedp.WaitNotVisible("[data-stay]", retry))
	if after := eval[float64](b, `fetch("/session").then((r) => r.json()).then((s) => Date.parse(s.idle_end))`); after <= before {
		t.Errorf("idle end after Stay signed in = %v, want later than %v", after, before)
	}
	b.do(chromedp.Evaluate(`fetch("/sign-out", { method: "POST", redirect: "manual" })`, nil),
		chromedp.WaitVisible(".banner-warn", retry), chromedp.WaitVisible("#sign-in", retry))
	if query := eval[string](b, "location.search"); query != "?done=ended&return_to=%2Faccount" {
		t.Errorf("query of the sign-in page = %q, want the reason", query)
	}
}

// A folded ID is copied with one click, and the page says so.
func TestCopyInChromium(t *testing.T) {
	t.Parallel()
	s := newSecrets(t)
	server := startIdentityServer(t, s)
	b := startDemo(t, s, "-addr", "127.0.0.1:0", "-identity-url", server.URL()).chromium()
	b.signIn()
	b.do(chromedp.Evaluate(`navigator.clipboard.writeText = async (text) => { sessionStorage.copied = text }`, nil),
		chromedp.Click("details.fold summary"), chromedp.Click("[data-copy]"))
	if said := eval[string](b, `document.querySelector("[data-copy-status]").textContent`); said != "Copied User ID" {
		t.Errorf("after a copy the page says %q, want Copied User ID", said)
	}
	if id := eval[string](b, `document.querySelector("details.fold code").textContent`); id == "" || id != eval[string](b, "sessionStorage.copied") {
		t.Errorf("copied another text than %q", id)
	}
}
