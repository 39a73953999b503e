package identity

import (
	"context"
	"net/http"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// An exchange is one operation of a Client.
type exchange struct{ *httpx.Call }

// exchange begins an operation. The secrets are the ones that it sends;
// errors and observers do not show them.
func (c *Client) exchange(op string, secrets ...string) *exchange {
	secret := c.config.ClientSecret.Reveal()
	secrets = append(append(secrets, secret), httpx.BasicCredentials(c.config.ClientID, secret)...)
	return &exchange{c.peer.Call(op, secrets...)}
}

// patient returns the Client for requests that may use up a token that works
// once: see tokenapi.RefreshTimeout.
func (c *Client) patient() *Client {
	p := *c
	p.peer = c.peer.Patient()
	return &p
}

// post posts body as JSON and leaves the answer in x.Last.
func (x *exchange) post(ctx context.Context, url string, body any, jar http.CookieJar, header http.Header) error {
	return x.Send(ctx, httpx.Request{Method: http.MethodPost, URL: url, Header: header, Body: body, Jar: jar})
}

// fail returns the error of an operation that ends before it sends anything.
func fail(op string, err error, description string) *tokenapi.Error {
	return &tokenapi.Error{System: system, Op: op, Err: err, Description: description}
}
