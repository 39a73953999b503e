package tradevest

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

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
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(c.config.Scopes) > 0 {
		form.Set("scope", strings.Join(c.config.Scopes, " "))
	}
	header := httpx.AuthenticateClient(form, c.config.ClientID, secret.Reveal(), true)
	token, err := x.Retrieve(ctx, httpx.Grant{
		URL: c.peer.URL(c.config.TokenPath), Form: form, Header: header, Lifetime: c.config.DefaultLifetime,
	}, refusals)
	if err != nil {
		return nil, err
	}
	token.RefreshToken = "" // the API has none
	return token, nil
}
