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

// Context returns a context that makes x/oauth2 send its requests by this Call.
func (c *Call) Context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c.Client(nil, nil))
}

// Retrieve runs one request of x/oauth2 to a token endpoint and checks the
// answer (RFC 6749 section 5.1). The Verdict classifies a refusal (section
// 5.2). An access token without expires_in expires after lifetime.
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
		return nil, c.Unusable("a token contains characters that a token cannot have")
	}
	token.Expiry = c.Sent.Add(c.lifetime(lifetime))
	return token, nil
}

// lifetime returns expires_in of the last answer, or missing, by the rules of
// x/oauth2; a negative one is 0. It parses the answer again because package
// clientcredentials drops Token.ExpiresIn and Token.Expiry uses another clock.
func (c *Call) lifetime(missing time.Duration) time.Duration {
	var answer struct {
		ExpiresIn json.Number `json:"expires_in"`
	}
	_ = json.Unmarshal(c.Last.Body, &answer) // x/oauth2 has parsed it
	n, err := answer.ExpiresIn.Int64()
	if err != nil {
		return missing
	}
	return time.Duration(max(0, min(n, math.MaxInt32))) * time.Second
}

// OAuth is the Verdict for the errors of RFC 6749 sections 4.1.2.1 and 5.2. The
// npm README shows a refused code as problem details with status 401; a 401
// without a problem is not about the grant.
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
