package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"b2trader.identity.auth/identity/internal/httpx"
)

// Exchange describes one HTTP exchange to [Config.Observe], without secrets.
type Exchange = httpx.Exchange

// An exchange carries out one operation's request. The secrets are those that it sends, to be removed from what comes back.
type exchange struct {
	httpx.Transport
	secrets []string
}

func (c *Client) exchange(op string, secrets ...string) *exchange {
	return &exchange{
		Transport: httpx.Transport{
			Base: c.config.Transport, Timeout: c.config.Timeout, Op: op, Observe: c.config.Observe, Now: c.config.Now,
		},
		secrets: append(secrets, c.config.ClientSecret.Reveal()),
	}
}

// client sends each request once: it follows no redirect unless check says so.
func (x *exchange) client(jar http.CookieJar, check func(*http.Request, []*http.Request) error) *http.Client {
	if check == nil {
		check = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &http.Client{Transport: &x.Transport, Jar: jar, CheckRedirect: check}
}

// postJSON posts body and leaves the answer in x.Last.
func (x *exchange) postJSON(ctx context.Context, url string, body any, jar http.CookieJar, header http.Header) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return &Error{Op: x.Op, Err: because(ErrMisconfigured, err)}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(raw))
	if err != nil {
		return &Error{Op: x.Op, Err: because(ErrMisconfigured, err)}
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	resp, err := x.client(jar, nil).Do(req)
	if err != nil {
		return x.fault(err)
	}
	_ = resp.Body.Close()
	return nil
}
