package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
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
	if err := c.checkLogoutType(raw); err != nil {
		return nil, err
	}
	token, err := verify(ctx, c, raw, (*oidc.IDTokenVerifier).VerifyLogout)
	if err != nil {
		return nil, err
	}
	return c.checkLogout(token)
}

// checkLogoutType refuses a token with the typ of another kind of token: "it is
// RECOMMENDED that Logout Tokens be explicitly typed" as logout+jwt (section
// 2.4), which IdentityServer4 does not do.
func (c *Client) checkLogoutType(raw string) error {
	kind, err := typeOf(raw)
	if err != nil {
		return err
	}
	// "the 'application/' prefix … is omitted" is a recommendation (RFC 8725
	// section 3.11, RFC 7515 section 4.1.9).
	switch strings.TrimPrefix(kind, "application/") {
	case "logout+jwt":
		return nil
	case "jwt", "":
		if !c.config.RequireLogoutTokenType {
			return nil
		}
	}
	return errors.New("its typ is not that of a logout token")
}

// checkLogout checks the claims that go-oidc does not check.
func (c *Client) checkLogout(token *oidc.LogoutToken) (*LogoutToken, error) {
	var all map[string]json.RawMessage
	var events struct {
		Logout map[string]any `json:"http://schemas.openid.net/event/backchannel-logout"`
	}
	if err := token.Claims(&all); err != nil {
		return nil, errors.New("its claims have unexpected types")
	}
	if json.Unmarshal(all["events"], &events) != nil || events.Logout == nil {
		return nil, errors.New("its event is not a JSON object")
	}
	now, skew := c.config.Now(), c.config.ClockSkew
	latest := token.IssuedAt.Add(maxLogoutTokenAge)
	if token.Expiry.Before(latest) {
		latest = token.Expiry
	}
	switch {
	case len(token.Audience) > 1:
		return nil, fmt.Errorf("it has audiences other than %s", c.config.ClientID)
	case all["iat"] == nil:
		return nil, errors.New("it has no iat")
	case token.IssuedAt.After(now.Add(skew)):
		return nil, fmt.Errorf("it was issued %v in the future by our clock", token.IssuedAt.Sub(now).Round(time.Second))
	case !now.Before(latest.Add(skew)):
		return nil, fmt.Errorf("it expired or became too old %v ago by our clock", now.Sub(latest).Round(time.Second))
	}
	return &LogoutToken{
		ID: token.TokenID, Issuer: token.Issuer, Subject: token.Subject, SessionID: token.SessionID,
		IssuedAt: token.IssuedAt, Expiry: latest.Add(skew),
	}, nil
}
