package tradevest

import (
	"context"
	"fmt"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// refusals say what the errors of the token endpoint mean. Elsewhere (httpx.OAuth) invalid_client is a wrong configuration and
// invalid_grant a session that has ended. Here the client's secret is the whole account: there is nothing else to correct,
// and no session that could end.
var refusals = httpx.Verdict{
	Codes: map[string]error{
		"invalid_client":          tokenapi.ErrBadCredentials,
		"invalid_grant":           tokenapi.ErrBadCredentials,
		"invalid_request":         tokenapi.ErrMisconfigured,
		"unauthorized_client":     tokenapi.ErrMisconfigured,
		"unsupported_grant_type":  tokenapi.ErrMisconfigured,
		"invalid_scope":           tokenapi.ErrMisconfigured, // not on the page, which has no scopes
		"temporarily_unavailable": tokenapi.ErrUnavailable,   // neither are these two, nor 401
		"server_error":            tokenapi.ErrUnavailable,
	},
	Status: map[int]error{401: tokenapi.ErrBadCredentials},
}

// SignIn gets an access token for the partner's credentials (RFC 6749 section 4.4). They travel in the body, as the page has
// it. The request is sent once, and no redirect is followed.
//
// The token has no refresh token. Its Expiry is reckoned from the moment the request was sent, by our clock. It carries scope as
// an extra if the server names one.
//
// Errors: tokenapi.ErrBadCredentials, tokenapi.ErrMisconfigured (also if Config.ClientSecret fails, then with its error),
// tokenapi.ErrUnavailable, tokenapi.ErrUnusableAnswer; all are *tokenapi.Error.
func (c *Client) SignIn(ctx context.Context) (*oauth2.Token, error) {
	secret, err := c.config.ClientSecret(ctx)
	if err != nil {
		return nil, c.peer.Call(opSignIn).Fail(httpx.Because(tokenapi.ErrMisconfigured, fmt.Errorf("Config.ClientSecret failed: %w", err)), "")
	}
	return c.signIn(ctx, secret)
}

// Refresh is SignIn, for there are no refresh tokens: old is not looked at, and may be nil. It makes the Client what package
// vault calls a Refresher; a [Client.Keeper] is a gentler one.
//
// Errors: as SignIn.
func (c *Client) Refresh(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
	return c.SignIn(ctx)
}

const opSignIn = "sign in"

func (c *Client) signIn(ctx context.Context, secret tokenapi.Secret) (*oauth2.Token, error) {
	x := c.peer.Call(opSignIn, secret.Reveal())
	if secret.IsZero() {
		return nil, x.Fail(tokenapi.ErrMisconfigured, "Config.ClientSecret returned an empty secret")
	}
	request := clientcredentials.Config{
		ClientID:     c.config.ClientID,
		ClientSecret: secret.Reveal(),
		TokenURL:     c.peer.URL(c.config.TokenPath),
		Scopes:       c.config.Scopes,
		AuthStyle:    oauth2.AuthStyleInParams,
	}
	answer, err := x.Retrieve(refusals, c.config.DefaultLifetime, func() (*oauth2.Token, error) {
		return request.Token(x.Context(ctx))
	})
	if err != nil {
		return nil, err
	}
	// Of the extras, which are the whole answer, one is worth keeping; a refresh token is not of this API.
	token := &oauth2.Token{AccessToken: answer.AccessToken, TokenType: "Bearer", Expiry: answer.Expiry}
	if scope, _ := answer.Extra("scope").(string); scope != "" {
		token = token.WithExtra(map[string]any{"scope": scope})
	}
	return token, nil
}
