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

// verify checks the common parts of ID tokens and logout tokens: an accepted
// algorithm, a signature by one of the server's keys, issuer and audience. The
// caller checks the times, with skew in both directions. The errors show
// nothing of the token but its issuer and audience.
func verify[T any](ctx context.Context, c *Client, raw string, by func(*oidc.IDTokenVerifier, context.Context, string) (T, error)) (T, error) {
	var none T
	meta, err := c.keys.metadata(ctx)
	if err != nil {
		return none, err
	}
	signature := &signatureCheck{keys: meta.keys}
	token, err := by(oidc.NewVerifier(meta.issuer, signature, &oidc.Config{
		ClientID:             c.config.ClientID,
		SupportedSigningAlgs: c.config.SigningAlgorithms,
		SkipExpiryCheck:      true,
	}), ctx, raw)
	switch {
	case signature.err != nil:
		return none, signature.err
	case err != nil && !signature.asked:
		return none, errors.New("it is not signed by an accepted algorithm")
	case err != nil:
		return none, errors.New(strings.TrimPrefix(err.Error(), "oidc: ")) // names issuer or audience
	}
	return token, nil
}

// unverified returns the error of a call whose token cannot be verified.
func unverified(op string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok { // from discovery
		return e
	}
	if errors.Is(err, errKeysUnavailable) {
		return fail(op, httpx.Because(ErrUnavailable, err), "")
	}
	return fail(op, ErrUnusableAnswer, err.Error())
}

// typeOf returns the header typ of a JWT in lower case (RFC 8725 section 3.11).
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

// A signatureCheck keeps the error of a signature, which go-oidc turns into
// text.
type signatureCheck struct {
	keys  oidc.KeySet
	asked bool
	err   error
}

// VerifySignature implements oidc.KeySet.
func (s *signatureCheck) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	s.asked = true
	payload, err := s.keys.VerifySignature(ctx, jwt)
	switch {
	case err == nil:
		return payload, nil
	case errors.Is(err, errKeysUnavailable), ctx.Err() != nil:
		s.err = fmt.Errorf("%w: %w", errKeysUnavailable, err)
	default:
		s.err = errors.New("its signature is invalid")
	}
	return nil, s.err
}
