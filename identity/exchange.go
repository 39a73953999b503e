package identity

import (
	"context"
	"net/http"
	"net/url"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// An exchange is one operation of a Client.
type exchange struct{ *httpx.Call }

// exchange begins an operation. The secrets are the ones that it sends;
// errors and observers do not show them.
func (c *Client) exchange(op string, secrets ...string) *exchange {
	return &exchange{c.peer.Call(op, append(secrets, c.credentials()...)...)}
}

// credentials returns the client's secret, and how HTTP Basic spells it.
func (c *Client) credentials() []string {
	secret := c.config.ClientSecret.Reveal()
	return append(httpx.BasicCredentials(c.config.ClientID, secret), secret)
}

// patient returns the Client for requests that may use up a token that works
// once: see tokenapi.RefreshTimeout.
func (c *Client) patient() *Client {
	p := *c
	p.peer = c.peer.Patient()
	return &p
}

// authenticate adds the client's credentials to a request's form, or returns the
// header that has them.
func (c *Client) authenticate(form url.Values) http.Header {
	return httpx.AuthenticateClient(form, c.config.ClientID, c.config.ClientSecret.Reveal(), false)
}

// post posts body as JSON and leaves the answer in x.Last.
func (x *exchange) post(ctx context.Context, url string, body any, jar http.CookieJar) error {
	return x.Send(ctx, httpx.Request{URL: url, Body: body, Jar: jar})
}

// fail returns the error of an operation that ends before it sends anything.
func fail(op string, err error, description string) *tokenapi.Error {
	return &tokenapi.Error{System: system, Op: op, Err: err, Description: description}
}
