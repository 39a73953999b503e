package identity

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// VerifyIDToken verifies the ID token of token, by every rule of OIDC Core
// section 3.1.3.7 except the nonce, which RetrieveToken compares. An ID token
// lives a few minutes: verify it when it is new, and keep its claims.
//
// Errors: ErrUnusableAnswer if it is invalid or missing, ErrUnavailable if the
// signing keys are unavailable.
func (c *Client) VerifyIDToken(ctx context.Context, token *oauth2.Token) (*oidc.IDToken, error) {
	raw, _ := token.Extra("id_token").(string)
	id, err := c.verifyIDToken(ctx, raw, token.AccessToken)
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
	// A token of another type, such as at+jwt, is not an ID token.
	switch kind, err := typeOf(raw); {
	case err != nil:
		return nil, err
	case kind != "" && kind != "jwt":
		return nil, errors.New("its typ is not that of an ID token")
	}
	id, err := verify(ctx, c, raw, (*oidc.IDTokenVerifier).Verify)
	if err != nil {
		return nil, err
	}
	if err := c.checkClaims(id, accessToken); err != nil {
		return nil, err
	}
	return id, nil
}

// claims are the ones that go-oidc does not check.
type claims struct {
	AuthorizedParty *string  `json:"azp"`
	IssuedAt        *float64 `json:"iat"`
	NotBefore       *float64 `json:"nbf"`
}

func (c *Client) checkClaims(id *oidc.IDToken, accessToken string) error {
	var more claims
	if err := id.Claims(&more); err != nil {
		return errors.New("its claims have unexpected types")
	}
	switch {
	case id.Subject == "":
		return errors.New("it has no sub")
	case len(id.Audience) > 1: // "or if it contains additional audiences not trusted by the Client"
		return fmt.Errorf("it has audiences other than %s", c.config.ClientID)
	case more.AuthorizedParty != nil && *more.AuthorizedParty != c.config.ClientID:
		return errors.New("its azp names another client")
	case more.IssuedAt == nil:
		return errors.New("it has no iat")
	}
	if id.AccessTokenHash != "" && id.VerifyAccessToken(accessToken) != nil {
		return errors.New("its at_hash is not that of the access token")
	}
	return c.checkTimes(id, more)
}

func (c *Client) checkTimes(id *oidc.IDToken, more claims) error {
	now, skew := c.config.Now(), c.config.ClockSkew
	switch {
	case id.Expiry.IsZero() || id.Expiry.Unix() == 0:
		return errors.New("it has no exp")
	case !now.Before(id.Expiry.Add(skew)):
		return fmt.Errorf("it expired %v ago by our clock", now.Sub(id.Expiry).Round(time.Second))
	case id.IssuedAt.After(now.Add(skew)):
		return fmt.Errorf("it was issued %v in the future by our clock", id.IssuedAt.Sub(now).Round(time.Second))
	case more.NotBefore != nil && time.Unix(int64(*more.NotBefore), 0).After(now.Add(skew)):
		return errors.New("it is not valid yet by our clock")
	}
	return nil
}

// checkNonce compares in constant time. An ID token without a nonce never
// passes.
func checkNonce(id *oidc.IDToken, nonce string) error {
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 {
		return errors.New("its nonce is not that of the request")
	}
	return nil
}

// sameUser reports whether old, an ID token that was verified when it was new,
// is of the same user as id: "its iss Claim Value MUST be the same … its sub
// Claim Value MUST be the same" (OIDC Core section 12.2). It returns true
// without old.
func sameUser(id *oidc.IDToken, old string) bool {
	parts := strings.Split(old, ".")
	if len(parts) != 3 {
		return true
	}
	var payload struct {
		Issuer  string `json:"iss"`
		Subject string `json:"sub"`
	}
	decoded, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(decoded, &payload) != nil {
		return false
	}
	return id.Issuer == payload.Issuer && id.Subject == payload.Subject
}
