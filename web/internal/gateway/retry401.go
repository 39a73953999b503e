package gateway

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// exchange sends a call with its token. If the API answers 401, it did not act
// (RFC 9110 section 15.5.2), so the call, whatever its method, is sent once more
// with another token, if there is one and the body was kept. The same is true
// of a websocket's handshake.
func (c *call) exchange(out *http.Request) (*http.Response, error) {
	resp, err := c.api.config.Transport.RoundTrip(out)
	if err == nil && resp.StatusCode == http.StatusUnauthorized && c.repeat {
		return c.api.repeat(c.ctx, c, out, resp)
	}
	return resp, err
}

// repeat sends a refused call once more if there is a newer token. Else it
// returns the refusal.
func (a *api) repeat(ctx context.Context, c *call, out *http.Request, refusal *http.Response) (*http.Response, error) {
	next, err := a.config.Vault.Newer(ctx, c.caller.VaultKey, c.token)
	if err != nil {
		_ = refusal.Body.Close()
		return nil, a.tokenError(ctx, c, err)
	}
	if next == nil {
		return refusal, nil
	}
	if err := a.refusal(ctx, c); err != nil {
		_ = refusal.Body.Close()
		return nil, err
	}
	_, _ = io.CopyN(io.Discard, refusal.Body, 4<<10) // so that the connection can be used again
	_ = refusal.Body.Close()
	repeated := out.Clone(ctx)
	if out.GetBody != nil {
		if repeated.Body, err = out.GetBody(); err != nil {
			return nil, err
		}
	}
	repeated.Header["Authorization"] = []string{a.bearers.line(next)}
	if c.token = next; c.hub {
		c.setHubTarget(repeated)
	}
	return a.config.Transport.RoundTrip(repeated)
}

// keepBody replaces the body of r by one that can be read again.
func keepBody(r *http.Request, body []byte) {
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody()
}
