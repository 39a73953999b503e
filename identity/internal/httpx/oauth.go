package httpx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/strictjson"
	"b2trader.identity.auth/identity/tokenapi"
)

// Context returns a context that makes x/oauth2 send its requests by this Call.
func (c *Call) Context(ctx context.Context) context.Context {
	client := c.Client(nil, nil)
	client.Transport = tokenResponses{c}
	return context.WithValue(ctx, oauth2.HTTPClient, client)
}

// tokenResponses is the transport of x/oauth2, which decodes token responses by
// encoding/json and by their media type. It gives x/oauth2 the members that
// RFC 6749 section 5.1 names, and nothing that x/oauth2 could take for them.
type tokenResponses struct{ *Call }

// tokenResponse is the part of a token response that x/oauth2 reads. Members of
// unexpected types are left out, because a refresh token was used up for the
// answer: a token of unknown lifetime is better than none.
type tokenResponse struct {
	AccessToken  Text `json:"access_token"`
	TokenType    Text `json:"token_type"`
	RefreshToken Text `json:"refresh_token,omitempty"`
	IDToken      Text `json:"id_token,omitempty"`
	Scope        Text `json:"scope,omitempty"`
}

// RoundTrip sends the request once. Its errors are those of Transport.
func (t tokenResponses) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(req)
	if err != nil || resp.StatusCode/100 != 2 {
		return resp, err
	}
	answer := struct {
		tokenResponse
		ExpiresIn Seconds `json:"expires_in"`
	}{ExpiresIn: UnknownLifetime}
	if strictjson.Unmarshal(t.Last.Body, &answer) != nil {
		answer.tokenResponse = tokenResponse{} // x/oauth2 reports that there is no access token
	}
	t.expiresIn = answer.ExpiresIn
	answer.TokenType = cmp.Or(answer.TokenType, Text(t.DefaultTokenType))
	body, err := json.Marshal(answer.tokenResponse) //nolint:gosec // for x/oauth2 in this process alone
	if err != nil {
		return nil, err
	}
	resp.Header = http.Header{"Content-Type": {"application/json"}}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// Retrieve runs one request of x/oauth2 to a token endpoint and checks the
// answer (RFC 6749 section 5.1). The Verdict classifies a refusal (section
// 5.2). An access token without expires_in expires after lifetime.
func (c *Call) Retrieve(v Verdict, lifetime time.Duration, request func() (*oauth2.Token, error)) (*oauth2.Token, error) {
	token, err := request()
	switch {
	case err != nil && c.Last.StatusCode == 0:
		return nil, c.Fault(err)
	case !c.OK(), err != nil && ParseProblem(c.Last.Body).Code != "": // some servers refuse with 200
		return nil, c.Refused(v)
	case err != nil:
		return nil, c.Unusable("the answer is not a token response (RFC 6749 section 5.1)")
	case !strings.EqualFold(token.TokenType, "Bearer"):
		return nil, c.Unusable("token_type is not Bearer")
	case !HeaderSafe(token.AccessToken), !HeaderSafe(token.RefreshToken):
		return nil, c.Unusable("a token contains characters that a token cannot have")
	}
	token.Expiry = c.Sent.Add(c.expiresIn.Or(lifetime))
	return token, nil
}

// OAuthAdvice is the Verdict.Advice for the errors of RFC 6749 section 5.2. Some
// servers answer a wrong secret with unauthorized_client.
var OAuthAdvice = map[string]string{
	"invalid_client":         "check Config.ClientID and Config.ClientSecret",
	"unauthorized_client":    "check Config.ClientID and Config.ClientSecret, and whether the server allows this client this grant",
	"unsupported_grant_type": "the server does not offer this grant: check Config.URL and the server's settings",
	"invalid_scope":          "check Config.Scopes",
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
	Advice:           OAuthAdvice,
	StatusNeedsWords: true,
}
