package tradevest

import (
	"context"
	"fmt"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// refusals maps refusals of the token endpoint. In httpx.OAuth invalid_client is
// a wrong configuration and invalid_grant an ended session. Here the client's
// secret is the whole account, and no session exists that could end.
var refusals = httpx.Verdict{
	Codes: map[string]error{
		"invalid_client":          tokenapi.ErrBadCredentials,
		"invalid_grant":           tokenapi.ErrBadCredentials,
		"invalid_request":         tokenapi.ErrMisconfigured,
		"unauthorized_client":     tokenapi.ErrMisconfigured,
		"unsupported_grant_type":  tokenapi.ErrMisconfigured,
		"invalid_scope":           tokenapi.ErrMisconfigured, // not on the page
		"temporarily_unavailable": tokenapi.ErrUnavailable,   // not on the page
		"server_error":            tokenapi.ErrUnavailable,
	},
	Status: map[int]error{401: tokenapi.ErrBadCredentials},
	Advice: httpx.OAuthAdvice,
}

// SignIn gets an access token for the partner's credentials (RFC 6749 section
// 4.4), which travel in the body. It sends one request and follows no redirect.
//
// The token has no refresh token. Expiry counts from the moment of sending, by
// our clock. The extra scope is set if the server names one.
//
// Errors: ErrBadCredentials; ErrMisconfigured, also if Config.ClientSecret
// fails, and then with its error; ErrUnavailable; ErrUnusableAnswer.
func (c *Client) SignIn(ctx context.Context) (*oauth2.Token, error) {
	secret, err := c.config.ClientSecret(ctx)
	if err != nil {
		return nil, c.peer.Call(opSignIn).Fail(httpx.Because(tokenapi.ErrMisconfigured, fmt.Errorf("Config.ClientSecret failed: %w", err)), "")
	}
	return c.signIn(ctx, secret)
}

// Refresh calls SignIn, because the API has no refresh tokens; old may be nil. It
// makes the Client a vault.Refresher. A [Client.Keeper] also spaces the sign-ins.
//
// Errors: as SignIn.
func (c *Client) Refresh(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
	return c.SignIn(ctx)
}

// Unattended reports true: each renewal is a sign-in without a person, so an
// entry of package vault never ends by itself.
func (*Client) Unattended() bool { return true }

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
	// Keep scope, of the extras, which are the whole answer. The API has no
	// refresh tokens.
	token := &oauth2.Token{AccessToken: answer.AccessToken, TokenType: "Bearer", Expiry: answer.Expiry}
	if scope, _ := answer.Extra("scope").(string); scope != "" {
		token = token.WithExtra(map[string]any{"scope": scope})
	}
	return token, nil
}
