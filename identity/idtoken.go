package identity

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/jwt"
)

// VerifyIDToken verifies the ID token of token, by every rule of OIDC Core
// section 3.1.3.7 except the nonce, which RetrieveToken compares. An ID token
// lives a few minutes: verify it when it is new, and keep its claims.
//
// Errors: ErrUnusableAnswer if it is invalid or missing, ErrUnavailable if the
// signing keys are unavailable.
func (c *Client) VerifyIDToken(ctx context.Context, token *oauth2.Token) (*oidc.IDToken, error) {
	if token == nil {
		token = new(oauth2.Token)
	}
	id, err := c.verifyIDToken(ctx, idToken(token), token.AccessToken)
	if err != nil {
		return nil, unverified("verify ID token", err)
	}
	return id, nil
}

// verifyIDToken returns errors that show nothing of the token but issuer,
// audience and times.
func (c *Client) verifyIDToken(ctx context.Context, raw, accessToken string) (*oidc.IDToken, error) {
	if raw == "" {
		return nil, errors.New("there is no ID token")
	}
	parsed, err := c.parse(raw)
	switch {
	case err != nil:
		return nil, err
	case parsed.Type != "" && parsed.Type != "jwt": // such as at+jwt (RFC 8725 section 3.11)
		return nil, errors.New("its typ is not that of an ID token")
	}
	id, err := verify(ctx, c, parsed, raw, jwt.ForIDToken, (*oidc.IDTokenVerifier).Verify)
	if err != nil {
		return nil, err
	}
	all, err := claimsOf(parsed.Payload)
	if err != nil {
		return nil, err
	}
	return id, c.checkClaims(id, all, accessToken)
}

func (c *Client) checkClaims(id *oidc.IDToken, all claims, accessToken string) error {
	switch {
	case all.Events != nil: // "Use Mutually Exclusive Validation Rules for Different Kinds of JWTs" (RFC 8725 section 3.12)
		return errors.New("it is a logout token")
	case all.Subject == "":
		return errors.New("it has no sub")
	case !c.onlyFor(id.Audience): // "or if it contains additional audiences not trusted by the Client"
		return fmt.Errorf("it has audiences other than %s", c.config.ClientID)
	case all.AuthorizedParty != nil && *all.AuthorizedParty != c.config.ClientID:
		return errors.New("its azp names another client")
	case all.IssuedAt.IsZero():
		return errors.New("it has no iat")
	case all.Expiry.IsZero():
		return errors.New("it has no exp")
	}
	if all.AccessTokenHash != nil && id.VerifyAccessToken(accessToken) != nil {
		return errors.New("its at_hash is not that of the access token")
	}
	return c.checkTimes(all, all.Expiry.Time)
}

// checkNonce compares in constant time. An ID token without a nonce never
// passes.
func checkNonce(id *oidc.IDToken, nonce string) error {
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 {
		return errors.New("its nonce is not that of the request")
	}
	return nil
}

// checkRefreshed compares a new ID token with the old one, which was verified
// when it was new (OIDC Core section 12.2): iss and sub "MUST be the same"; a
// nonce, if present, and an auth_time too, which cannot be after the old iat;
// and azp, if the old one had it, "if no azp Claim was present in the original
// ID Token, one MUST NOT be present". It returns nil without an old one.
func checkRefreshed(raw, old string) error {
	if strings.Count(old, ".") != 2 {
		return nil
	}
	was, err := claimsIn(old)
	if err != nil {
		return errors.New("the old ID token cannot be read")
	}
	is, err := claimsIn(raw)
	switch {
	case err != nil:
		return err
	case is.Issuer != was.Issuer || is.Subject != was.Subject:
		return errors.New("the new ID token is for another user")
	case is.Nonce != nil && (was.Nonce == nil || *is.Nonce != *was.Nonce):
		return errors.New("the new ID token has another nonce")
	case (is.AuthorizedParty == nil) != (was.AuthorizedParty == nil):
		return errors.New("the new ID token has another azp")
	case !is.AuthTime.IsZero() && !was.AuthTime.IsZero() && !is.AuthTime.Equal(was.AuthTime.Time):
		return errors.New("the new ID token has another auth_time")
	case was.AuthTime.IsZero() && !was.IssuedAt.IsZero() && is.AuthTime.After(was.IssuedAt.Time):
		return errors.New("the new ID token has an auth_time after the sign-in")
	}
	return nil
}

// claimsIn returns the claims of a token without verifying it.
func claimsIn(raw string) (claims, error) {
	decoded, err := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[1])
	if err != nil {
		return claims{}, err
	}
	return claimsOf(decoded)
}
