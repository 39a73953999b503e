package showcase_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"b2trader.identity.auth/identity/identitytest"
)

func TestTryAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := newSite(t)
		b := s.browser()
		b.post("/try", "call", "account").is(401, "session has ended")
		b.signIn("trader", "spa").leadsTo("/account")
		b.get("/try").is(200, "Your trading account", "Your token has the scope FrontOffice", "Your token lacks the scope BackOffice")
		b.post("/try", "call", "account").is(200, "200 OK", "accepted the token", "25000.00")
		b.post("/try", "call", "users").is(200, "403 Forbidden", "does not allow this call")
		b.post("/try", "call", "no-such-call").is(400)
		for _, c := range []struct {
			fault identitytest.Fault
			words []string
		}{
			{identitytest.Fault{Status: 401, Times: 2}, []string{"401 Unauthorized", "does not accept the token"}},
			{identitytest.Fault{Status: 500, Body: []byte("boom")}, []string{"500 Internal Server Error", "fails (5xx)"}},
			{identitytest.Fault{Status: 302}, []string{"302 Found", "not followed"}},
			{identitytest.Fault{LoseRequest: true}, []string{"No answer", "did not answer"}},
			{identitytest.Fault{Body: []byte("\xff\xfe"), ContentType: "image/png"}, []string{"2 bytes that are not text"}},
		} {
			pass(youngToken)
			s.identity.Inject(identitytest.EndpointFrontOffice, c.fault)
			b.post("/try", "call", "account").is(200, c.words...)
		}
	})
}

// req 96: an API that repeats the bearer, in a JSON answer or at the place where
// the answer is cut, does not get it to the browser.
func TestAPIThatEchoes(t *testing.T) {
	for name, shape := range map[string]func(token string) string{
		"in JSON":    func(token string) string { return `{"authorization":"Bearer ` + token + `"}` },
		"at the cut": func(token string) string { return strings.Repeat("x", 64<<10-len(token)/2) + token },
		"another":    func(token string) string { return "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9." },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var token string
				s, _ := newSite(t, func(c *config) {
					c.APITransport = transportFunc(func(r *http.Request) (*http.Response, error) {
						token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
						return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(shape(token)))}, nil
					})
				})
				b := s.browser()
				b.signIn("trader", "spa").leadsTo("/account")
				a := b.post("/try", "call", "account").is(200)
				if strings.Contains(a.body, "eyJhbGciOi") || len(token) < 100 {
					t.Error("a part of a token is on the page")
				}
			})
		})
	}
}

// A redirect of an API would take the bearer along, so it is not followed.
func TestAPIThatRedirects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		s, _ := newSite(t, func(c *config) {
			c.APITransport = transportFunc(func(*http.Request) (*http.Response, error) {
				calls++
				header := http.Header{"Location": {"http://127.0.0.1/elsewhere"}}
				return &http.Response{StatusCode: http.StatusFound, Header: header, Body: http.NoBody}, nil
			})
		})
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		b.post("/try", "call", "account").is(200, "302 Found")
		if calls != 1 {
			t.Errorf("%d requests", calls)
		}
	})
}
