package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"b2trader.identity.auth/identity/internal/jwt"
)

// maxLogoutTokenAge is how long a logout token is accepted after it was issued,
// whatever its exp is. The specification recommends "preferably at most two
// minutes in the future" for exp (Back-Channel Logout 1.0, section 2.4).
const maxLogoutTokenAge = 2 * time.Minute

// A LogoutToken is a verified order of the IdentityServer to end sessions
// (OpenID Connect Back-Channel Logout 1.0, section 2.4).
type LogoutToken struct {
	ID        string    // jti: until Expiry, refuse a second token with this ID
	Issuer    string    // as in ID tokens
	Subject   string    // the user; may be empty if SessionID is not
	SessionID string    // sid: the session that ends; empty: all sessions of Subject
	IssuedAt  time.Time // at most two minutes ago
	Expiry    time.Time // this token is accepted until then, clock skew included
}

// VerifyLogoutToken verifies a logout token that was posted to the client's
// back-channel logout URI, by every rule of Back-Channel Logout 1.0, section
// 2.6, except the one against replay, which is the caller's: see
// [LogoutToken.ID]. The header's typ must be logout+jwt, or JWT or missing
// unless Config.RequireLogoutTokenType is set.
//
// Errors: ErrUnusableAnswer if it is invalid, ErrUnavailable if the signing
// keys are unavailable.
func (c *Client) VerifyLogoutToken(ctx context.Context, raw string) (*LogoutToken, error) {
	token, err := c.verifyLogoutToken(ctx, raw)
	if err != nil {
		return nil, unverified("verify logout token", err)
	}
	return token, nil
}

func (c *Client) verifyLogoutToken(ctx context.Context, raw string) (*LogoutToken, error) {
	parsed, err := c.parse(raw)
	if err != nil {
		return nil, err
	}
	// "it is RECOMMENDED that Logout Tokens be explicitly typed" as logout+jwt
	// (section 2.4), which IdentityServer4 does not do.
	untyped := parsed.Type == "jwt" || parsed.Type == ""
	if parsed.Type != "logout+jwt" && (!untyped || c.config.RequireLogoutTokenType) {
		return nil, errors.New("its typ is not that of a logout token")
	}
	token, err := verify(ctx, c, parsed, raw, jwt.ForLogoutToken, (*oidc.IDTokenVerifier).VerifyLogout)
	if err != nil {
		return nil, err
	}
	all, err := claimsOf(parsed.Payload)
	if err != nil {
		return nil, err
	}
	return c.checkLogout(token, all)
}

// logoutEvent is the member of events that makes a token a logout token.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// checkLogout checks the claims that go-oidc does not check.
func (c *Client) checkLogout(token *oidc.LogoutToken, all claims) (*LogoutToken, error) {
	event, ok := all.Events[logoutEvent].(map[string]any)
	switch {
	case !ok || event == nil:
		return nil, errors.New("its event is not a JSON object")
	case !c.onlyFor(token.Audience):
		return nil, fmt.Errorf("it has audiences other than %s", c.config.ClientID)
	case all.IssuedAt.IsZero():
		return nil, errors.New("it has no iat")
	case all.Expiry.IsZero():
		return nil, errors.New("it has no exp")
	}
	ends := all.IssuedAt.Add(maxLogoutTokenAge)
	if all.Expiry.Before(ends) {
		ends = all.Expiry.Time
	}
	if err := c.checkTimes(all, ends); err != nil {
		return nil, err
	}
	return &LogoutToken{
		ID: token.TokenID, Issuer: token.Issuer, Subject: token.Subject, SessionID: token.SessionID,
		IssuedAt: all.IssuedAt.Time, Expiry: ends.Add(c.config.ClockSkew),
	}, nil
}
