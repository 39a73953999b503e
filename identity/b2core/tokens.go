package b2core

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
)

// An answer is the body of an answer of both endpoints.
type answer struct {
	Token        httpx.Text    `json:"token"`
	RefreshToken httpx.Text    `json:"refreshToken"`
	TTL          httpx.Seconds `json:"ttl"`
	Host         string        `json:"host"`
	Header       string        `json:"header"` // "Always Authorization"
}

// post sends r with the bearer to the peer, once, and returns the call with its
// answer. The call's errors hide the bearer and the secrets.
func (c *Client) post(ctx context.Context, peer httpx.Peer, op, action string, bearer *oauth2.Token, r httpx.Request, secrets ...string) (*httpx.Call, error) {
	call := peer.Call(op, append(secrets, bearer.AccessToken)...)
	r.URL = c.endpoint(action)
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Authorization", "Bearer "+bearer.AccessToken)
	return call, call.Send(ctx, r)
}

// tokens makes a token of the last answer, a 2xx. If that has no refresh token,
// the token keeps oldRefresh.
func (c *Client) tokens(call *httpx.Call, oldRefresh string) (*oauth2.Token, error) {
	a := answer{TTL: httpx.UnknownLifetime}
	if err := call.Decode(&a, "a pair of tokens"); err != nil {
		return nil, err
	}
	if problem := c.hostProblem(a); problem != "" {
		return nil, call.Unusable(problem)
	}
	if a.Header != "" && !strings.EqualFold(a.Header, "Authorization") {
		return nil, call.Unusable("it wants its token in another header than Authorization")
	}
	t := httpx.Tokens{Access: string(a.Token), Refresh: cmp.Or(string(a.RefreshToken), oldRefresh), Lifetime: a.TTL.Or(c.config.DefaultLifetime)}
	if a.Host != "" {
		t.Extra = map[string]any{"host": a.Host}
	}
	return call.Token(t)
}
