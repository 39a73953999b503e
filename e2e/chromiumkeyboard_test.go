package e2e

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A user of the keyboard signs in with a second factor, ends another session and
// signs out, by Tab and Enter alone. field 12
func TestKeyboardInChromium(t *testing.T) {
	t.Parallel()
	d := startDemo(t, newSecrets(t), "-addr", "127.0.0.1:0")
	other := d.browser().signInBy(guarded, "guarded-password", "spa").submit("/sign-in/second-factor", "Continue", "code", "246810")
	other.want(http.StatusOK, "/account")
	b := d.chromium()
	b.do(chromedp.Navigate(b.site + "/"))
	b.enter(`main a[href="/sign-in"]`, "#sign-in")
	b.tabTo("#email").do(chromedp.KeyEvent(guarded))
	b.tabTo("#password").do(chromedp.KeyEvent("guarded-password"))
	b.enter(`#sign-in [type="submit"]`, "#code")
	b.tabTo("#code").do(chromedp.KeyEvent("246810"))
	b.enter(`form [type="submit"]`, "#session")
	b.enter(`nav a[href="/sessions"]`, "main .session")
	b.enter(".session [popovertarget]", ".session :popover-open")
	b.do(chromedp.KeyEvent(kb.Enter), chromedp.WaitNotVisible(".session [popover]", retry)) // Cancel has the focus
	b.enter(".session [popovertarget]", ".session :popover-open")
	b.enter(".session [popover] form button", ".banner-good")
	other.b.open("/account").want(http.StatusOK, "/sign-in")
	b.enter(`form[action="/sign-out"] button`, "#sign-in")
}

// tabTo presses Tab until the focus is on an element that selector matches.
func (b *tab) tabTo(selector string) *tab {
	b.t.Helper()
	for range 60 {
		if eval[bool](b, "document.activeElement.matches("+strconv.Quote(selector)+")") {
			return b
		}
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.t.Fatalf("60 times Tab do not lead to %s", selector)
	return b
}

// enter tabs to an element, presses Enter, and waits for what appears.
func (b *tab) enter(selector, appears string) {
	b.t.Helper()
	b.tabTo(selector).do(chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(appears, retry))
}
