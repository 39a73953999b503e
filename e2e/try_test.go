package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// Every call on offer, made: what the token may do is done, what it may not is
// explained before and after.
func TestTryAnAPI(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, email, client string) {
		w := newWorld(t, setup{})
		b := w.browser()
		p := b.signIn(email, client).follow("Try an API")
		answers := map[string]string{
			"account": email, "instruments": "BTC_USD", "orders": "orders", "users": "secondFactor", "clients": "grantTypes",
		}
		if got := p.doc().Find("button[name=call]").Length(); got != len(answers) {
			t.Errorf("%d calls are on offer, want %d", got, len(answers))
		}
		for call, answer := range answers {
			back := call == "users" || call == "clients"
			result := p.submit("/try", call)
			if back && client == "spa" {
				result.want(http.StatusOK, "/try", "403 Forbidden", "the scope BackOffice", "Sign in with a client that is granted")
				continue
			}
			result.want(http.StatusOK, "/try", "200 OK", answer, "The API accepted the token.")
		}
	})
}

// req 96, 101: an API that repeats the bearer, redirects or fails gives nothing
// of the token to the browser.
func TestTryAnAPIThatMisbehaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	p := b.signIn(trader, "spa").follow("Try an API")
	front := identitytest.EndpointFrontOffice
	for _, c := range []struct {
		fault identitytest.Fault
		says  string
	}{
		{identitytest.Fault{Status: 500}, "a fault of its own"},
		{identitytest.Fault{Status: 429}, "fewer calls"},
		{identitytest.Fault{Status: 401}, "does not accept the token"},
		{identitytest.Fault{Oversized: true}, "the answer goes on"},
		{identitytest.Fault{Body: []byte{0xff, 0xfe, 0xfd}}, "not text"},
	} {
		w.provider.Inject(front, c.fault)
		p = p.submit("/try", "account").want(http.StatusOK, "/try", c.says)
	}
	requests := w.provider.Requests(front)
	bearer := strings.TrimPrefix(requests[len(requests)-1].Header.Get("Authorization"), "Bearer ")
	w.provider.Inject(front, identitytest.Fault{Body: []byte(`{"you sent":"` + bearer + `"}`)})
	p.submit("/try", "account").want(http.StatusOK, "/try", "you sent", "[token removed]")
	if requests[0].Header.Get("Cookie") != "" { // req 99
		t.Error("the API got a cookie")
	}
	w.provider.stop()
	p.submit("/try", "account").want(http.StatusOK, "/try", "The API did not answer")
}

// A call that no page offers is not made.
func TestTryUnknownCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	form := b.signIn(trader, "spa").follow("Try an API").filled("/try", "account")
	form.form.Set("call", "http://evil.example/")
	b.navigate(form).want(http.StatusBadRequest, "/try")
	w.wantCount(identitytest.EndpointFrontOffice, 0)
}

// req 101: the bearer goes to the configured API and not where that redirects to.
func TestTryAnAPIThatRedirects(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed, with a bearer: %v", r.Header.Get("Authorization") != "")
	}))
	t.Cleanup(elsewhere.Close)
	api := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(api.Close)
	w := newWorld(t, setup{web: func(c *web.Config) { c.FrontOfficeURL = api.URL }})
	w.browser().signIn(trader, "spa").follow("Try an API").submit("/try", "account").
		want(http.StatusOK, "/try", "307 Temporary Redirect", "not followed")
}
