package traderevolution

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// refreshVerdict maps refusals of a refresh. The request carries only the
// refresh token, so a refusal is about that.
var refreshVerdict = verdict(tokenapi.ErrGrantRefused, map[int]error{
	400: tokenapi.ErrGrantRefused,
	401: tokenapi.ErrGrantRefused,
	403: tokenapi.ErrGrantRefused,
	406: tokenapi.ErrGrantRefused,
})

// Refresh exchanges the refresh token of old for new tokens: GET
// /auth/token/refresh with the header token, without body and Authorization
// (vendor's page, "Refresh token"). If the answer has no refresh token, the
// successor keeps that of old.
//
// The request is never repeated, not even by net/http, which repeats other GETs.
// After an error with Sent set, the server may have spent the refresh token.
//
// Errors: ErrGrantRefused, without a request if old is nil, has no refresh token
// or has one that cannot stand in a header; ErrMisconfigured; ErrUnavailable;
// ErrUnusableAnswer.
func (c *Client) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	call, err := c.peer.Refreshing(old)
	if err != nil {
		return nil, err
	}
	header := make(http.Header)
	header.Set("token", old.RefreshToken)
	err = call.Send(ctx, httpx.Request{Method: http.MethodGet, URL: c.peer.URL(c.config.RefreshPath), Header: header})
	if err != nil {
		return nil, err
	}
	next, err := c.tokens(call, refreshVerdict)
	if err != nil || next.RefreshToken != "" {
		return next, err
	}
	next.RefreshToken = old.RefreshToken
	return next.WithExtra(map[string]any{tokenapi.RefreshExpiry: old.Extra(tokenapi.RefreshExpiry)}), nil
}
