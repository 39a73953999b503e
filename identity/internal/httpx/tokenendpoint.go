package httpx

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// Context hands x/oauth2 the client to use.
func (c *Call) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c.Client(nil, nil))
}

// Retrieve runs one request of x/oauth2 to a token endpoint and judges its answer (RFC 6749 section 5.1); v says what a refusal
// means (section 5.2). An access token whose answer does not say how long it lives is assumed to live for lifetime.
func (c *Call) Retrieve(v Verdict, lifetime time.Duration, request func() (*oauth2.Token, error)) (*oauth2.Token, error) {
	token, err := request()
	switch {
	case err != nil && c.Last.StatusCode == 0:
		return nil, c.Fault(err)
	case !c.OK(), ParseProblem(c.Last.Body).Code != "": // some servers refuse with 200
		return nil, c.Refused(v)
	case !IsJSON(c.Last.Header.Get("Content-Type")), err != nil:
		return nil, c.Unusable("the answer is not a token response (RFC 6749 section 5.1)")
	case !strings.EqualFold(token.TokenType, "Bearer"):
		return nil, c.Unusable("token_type is not Bearer")
	case !HeaderSafe(token.AccessToken), !HeaderSafe(token.RefreshToken):
		return nil, c.Unusable("a token holds characters that no token may hold")
	}
	token.Expiry = c.Sent.Add(c.lifetime(lifetime))
	return token, nil
}

// lifetime reads expires_in of the last answer, in the forms that x/oauth2 takes and within its bounds. It is read again because
// package clientcredentials keeps no Token.ExpiresIn, and Token.Expiry is by another clock. A negative one is 0.
func (c *Call) lifetime(missing time.Duration) time.Duration {
	var answer struct {
		ExpiresIn json.Number `json:"expires_in"`
	}
	_ = json.Unmarshal(c.Last.Body, &answer) // x/oauth2 has
	n, err := answer.ExpiresIn.Int64()
	if err != nil {
		return missing
	}
	return time.Duration(max(0, min(n, math.MaxInt32))) * time.Second
}

// OAuth says what the errors of RFC 6749 sections 4.1.2.1 and 5.2 mean. B2Trader's npm README shows problem details with
// status 401 for a code that is not accepted; a 401 that says nothing is not about the grant.
var OAuth = Verdict{
	Codes: map[string]error{
		"invalid_grant":             tokenapi.ErrGrantRefused,
		"invalid_request":           tokenapi.ErrMisconfigured,
		"invalid_client":            tokenapi.ErrMisconfigured,
		"unauthorized_client":       tokenapi.ErrMisconfigured,
		"invalid_scope":             tokenapi.ErrMisconfigured,
		"unsupported_grant_type":    tokenapi.ErrMisconfigured,
		"unsupported_response_type": tokenapi.ErrMisconfigured,
		"temporarily_unavailable":   tokenapi.ErrUnavailable,
		"server_error":              tokenapi.ErrUnavailable,
	},
	Status:           map[int]error{401: tokenapi.ErrGrantRefused},
	StatusNeedsWords: true,
}
