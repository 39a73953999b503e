package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/internal/jwt"
	"b2trader.identity.auth/identity/internal/strictjson"
	"b2trader.identity.auth/identity/tokenapi"
)

// verify checks the common parts of ID tokens and logout tokens: an accepted
// algorithm, a signature by one of the server's keys, issuer and audience. The
// caller checks the times, with skew in both directions. The errors show
// nothing of the token but its issuer, audience and algorithm.
func verify[T any](ctx context.Context, c *Client, token *jwt.Token, raw string, p jwt.Purpose, by func(*oidc.IDTokenVerifier, context.Context, string) (T, error)) (T, error) {
	var none T
	meta, err := c.keys.metadata(ctx)
	if err != nil { // whatever it is: it says nothing about the token
		return none, &jwt.UnavailableError{Err: err}
	}
	if err := c.keys.set.Verify(ctx, token, p); err != nil {
		return none, err
	}
	verified, err := by(oidc.NewVerifier(meta.Issuer, verifiedPayload(token.Payload), &oidc.Config{
		ClientID:             c.config.ClientID,
		SupportedSigningAlgs: c.config.SigningAlgorithms,
		SkipExpiryCheck:      true,
	}), ctx, raw)
	if err != nil {
		return none, errors.New(strings.TrimPrefix(err.Error(), "oidc: ")) // names issuer or audience
	}
	return verified, nil
}

// parse parses a token whose signature is verified later.
func (c *Client) parse(raw string) (*jwt.Token, error) {
	token, err := jwt.Parse(raw, c.config.SigningAlgorithms)
	switch wrong, ok := errors.AsType[*jwt.AlgorithmError](err); {
	case ok:
		announced := "it announces none"
		if meta := c.keys.known.Load(); meta != nil && len(meta.Algorithms) > 0 {
			announced = "it announces " + strings.Join(meta.Algorithms, ", ")
		}
		return nil, fmt.Errorf("%w: Config.SigningAlgorithms is %s; add the algorithm if the server is meant to use it (%s)",
			wrong, strings.Join(c.config.SigningAlgorithms, ", "), announced)
	case errors.Is(err, jwt.ErrEncrypted):
		return nil, fmt.Errorf("%w: register the client without encryption of tokens (id_token_encrypted_response_alg)", err)
	}
	return token, err
}

// verifiedPayload is the oidc.KeySet of a token whose signature was verified.
type verifiedPayload []byte

// VerifySignature implements oidc.KeySet.
func (p verifiedPayload) VerifySignature(context.Context, string) ([]byte, error) { return p, nil }

// unverified returns the error of a call whose token cannot be verified.
func unverified(op string, err error) *tokenapi.Error {
	if later, ok := errors.AsType[*jwt.UnavailableError](err); ok {
		if errors.Is(err, tokenapi.ErrUnusableAnswer) { // of the keys, and not of the token
			err = errors.New(err.Error())
		}
		e := fail(op, httpx.Because(tokenapi.ErrUnavailable, err), "")
		e.RetryAfter = later.RetryAfter
		return e
	}
	e := fail(op, tokenapi.ErrUnusableAnswer, httpx.Redact(err.Error()))
	if later, ok := errors.AsType[*jwt.SignatureError](err); ok {
		e.RetryAfter = later.RetryAfter
	}
	return e
}

// isUnavailable reports whether err means that a signature cannot be judged.
func isUnavailable(err error) bool {
	_, ok := errors.AsType[*jwt.UnavailableError](err)
	return ok
}

// claims are the ones that go-oidc does not check, or not strictly.
type claims struct {
	Issuer          string          `json:"iss"`
	Subject         string          `json:"sub"`
	AuthorizedParty *string         `json:"azp"`
	Nonce           *string         `json:"nonce"`
	AccessTokenHash *string         `json:"at_hash"`
	Expiry          jwt.NumericDate `json:"exp"`
	IssuedAt        jwt.NumericDate `json:"iat"`
	NotBefore       jwt.NumericDate `json:"nbf"`
	AuthTime        jwt.NumericDate `json:"auth_time"`
	Events          map[string]any  `json:"events"`
}

func claimsOf(payload []byte) (claims, error) {
	var all claims
	if err := strictjson.Unmarshal(payload, &all); err != nil {
		return all, errors.New("its claims have unexpected types, or times out of range")
	}
	return all, nil
}

// checkTimes compares the claims with the time by the server's clock, as far as
// its answers show that it differs from this process's. A token without
// one of them is refused, except nbf. ends is exp, or an earlier time.
func (c *Client) checkTimes(all claims, ends time.Time) error {
	now, skew := c.peer.HTTP.Now().Add(c.peer.Clock.Ahead()), c.config.ClockSkew
	clock := now.UTC().Format(time.RFC3339)
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	switch {
	case !now.Before(ends.Add(skew)):
		return fmt.Errorf("it expired or became too old at %s; it is %s by the server's clock", at(ends), clock)
	case all.IssuedAt.After(now.Add(skew)):
		return fmt.Errorf("it was issued in the future, at %s; it is %s by the server's clock", at(all.IssuedAt.Time), clock)
	case all.NotBefore.After(now.Add(skew)):
		return fmt.Errorf("it is not valid yet, but from %s; it is %s by the server's clock", at(all.NotBefore.Time), clock)
	}
	return nil
}

// onlyFor reports whether audience names the client and no one else.
func (c *Client) onlyFor(audience []string) bool {
	for _, a := range audience {
		if a != c.config.ClientID {
			return false
		}
	}
	return true
}
