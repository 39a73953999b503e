package b2binpay

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

type v3Attributes struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
}

// SignIn obtains an access token for the account's client_id and client_secret.
// It sends one request and follows no redirect.
//
// The token has no refresh token, and the answer no signature. Expiry is
// expires_in, counted from the moment of sending by our clock.
//
// Errors: ErrBadCredentials; ErrMisconfigured, also if V3Config.ClientSecret
// fails, and then with its error, and if the server speaks version 2;
// ErrUnavailable; ErrUnusableAnswer.
func (c *V3Client) SignIn(ctx context.Context) (*oauth2.Token, error) {
	secret, err := c.config.ClientSecret(ctx)
	if err != nil {
		return nil, c.peer.Call("sign in").Fail(httpx.Because(tokenapi.ErrMisconfigured, fmt.Errorf("V3Config.ClientSecret failed: %w", err)), "")
	}
	return c.signIn(ctx, secret)
}

// Refresh calls SignIn, because version 3 has no refresh tokens; old may be nil.
// It makes the V3Client a vault.Refresher. A [V3Client.Keeper] also spaces the
// sign-ins.
//
// Errors: as SignIn.
func (c *V3Client) Refresh(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
	return c.SignIn(ctx)
}

// Unattended reports true: each renewal is a sign-in without a person, so an
// entry of package vault never ends by itself.
func (*V3Client) Unattended() bool { return true }

// Keeper returns a vault.Refresher that keeps the account signed in: each renewal
// is a sign-in, at that pace, and a refused secret is not tried again for a
// while. Each Keeper counts its own attempts, so make one.
//
// Errors: every problem of the pace, each a *tokenapi.FieldError.
func (c *V3Client) Keeper(pace tokenapi.Pace) (*tokenapi.Keeper, error) {
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System:  system,
		Account: tokenapi.Account{Login: c.config.ClientID, Password: c.config.ClientSecret, Pace: pace},
		SignIn: func(ctx context.Context, _, secret string) (*oauth2.Token, error) {
			return c.signIn(ctx, tokenapi.NewSecret(secret))
		},
		MaxUses: c.MaxUses(), Now: c.peer.HTTP.Now,
	})
}

func (c *V3Client) signIn(ctx context.Context, secret tokenapi.Secret) (*oauth2.Token, error) {
	call := c.peer.Call("sign in", secret.Reveal())
	if secret.IsZero() {
		return nil, call.Fail(tokenapi.ErrMisconfigured, "V3Config.ClientSecret returned an empty secret")
	}
	if err := call.Send(ctx, authToken(c.peer.URL(c.config.TokenPath), v3Attributes{c.config.ClientID, secret.Reveal()})); err != nil {
		return nil, err
	}
	if !call.OK() {
		return nil, refused(call, version3)
	}
	a, err := readAnswer(call)
	if err != nil {
		return nil, err
	}
	return c.token(call, a)
}

// token returns the answer's access token. A refresh token, which version 3 does
// not have, is dropped: no endpoint accepts it.
func (c *V3Client) token(call *httpx.Call, a answer) (*oauth2.Token, error) {
	attributes := a.Data.Attributes
	if kind, told := attributes.TokenType.(string); told && !strings.EqualFold(kind, "Bearer") {
		return nil, call.Unusable("the answer's token is not a bearer token")
	}
	token, err := call.Token(httpx.Tokens{
		Access: string(attributes.Access), Refresh: string(attributes.Refresh), Lifetime: attributes.ExpiresIn.Or(c.config.DefaultLifetime),
	})
	if err != nil {
		return nil, err
	}
	token.RefreshToken = ""
	return token, nil
}
