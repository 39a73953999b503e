package identity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"

	"b2trader.identity.auth/identity/internal/httpx"
)

// verify checks what ID tokens and logout tokens have in common: an accepted algorithm, a signature by one of the server's
// keys, issuer and audience. Times are left to the caller, who allows for skew in both directions. Its errors hold no part
// of the token but what its claims name.
func verify[T any](ctx context.Context, c *Client, raw string, by func(*oidc.IDTokenVerifier, context.Context, string) (T, error)) (T, error) {
	var none T
	meta, err := c.keys.metadata(ctx)
	if err != nil {
		return none, err
	}
	signature := &judge{keys: meta.keys}
	token, err := by(oidc.NewVerifier(meta.issuer, signature, &oidc.Config{
		ClientID:             c.config.ClientID,
		SupportedSigningAlgs: c.config.SigningAlgorithms,
		SkipExpiryCheck:      true,
	}), ctx, raw)
	switch {
	case signature.err != nil:
		return none, signature.err
	case err != nil && !signature.asked:
		return none, errors.New("it is not a token signed by an accepted algorithm")
	case err != nil:
		return none, errors.New(strings.TrimPrefix(err.Error(), "oidc: ")) // names issuer or audience
	}
	return token, nil
}

// unverified is the error of a call for a token that does not verify.
func unverified(op string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok { // from discovery
		return e
	}
	if errors.Is(err, errKeysUnavailable) {
		return fail(op, httpx.Because(ErrUnavailable, err), "")
	}
	return fail(op, ErrUnusableAnswer, err.Error())
}

// typeOf returns what a JWT says in its header that it is, in lower case (RFC 8725 section 3.11).
func typeOf(raw string) (string, error) {
	head, _, _ := strings.Cut(raw, ".")
	var header struct {
		Type string `json:"typ"`
	}
	decoded, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil || json.Unmarshal(decoded, &header) != nil {
		return "", errors.New("it is not a JWT")
	}
	return strings.ToLower(header.Type), nil
}

// A judge remembers why a signature did not verify, which go-oidc turns into text.
type judge struct {
	keys  oidc.KeySet
	asked bool
	err   error
}

// VerifySignature implements oidc.KeySet.
func (j *judge) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	j.asked = true
	payload, err := j.keys.VerifySignature(ctx, jwt)
	switch {
	case err == nil:
		return payload, nil
	case errors.Is(err, errKeysUnavailable), ctx.Err() != nil:
		j.err = fmt.Errorf("%w: %w", errKeysUnavailable, err)
	default:
		j.err = errors.New("its signature does not verify")
	}
	return nil, j.err
}
