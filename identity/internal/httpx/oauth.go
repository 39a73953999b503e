package httpx

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/strictjson"
	"b2trader.identity.auth/identity/tokenapi"
)

// A Grant is a request to an OAuth 2.0 token endpoint (RFC 6749 section 4), and
// what its answer may leave out.
type Grant struct {
	URL    string
	Form   url.Values  // grant_type and its parameters
	Header http.Header // of [AuthenticateClient]

	Lifetime  time.Duration // of an access token without expires_in
	TokenType Text          // of a token without token_type; empty: such an answer is unusable
}

// AuthenticateClient returns the header of HTTP Basic, whose parts are
// form-encoded (RFC 6749 section 2.3.1). With inForm it adds the client's
// credentials to the request's form instead. A client without a secret is named
// in the form.
func AuthenticateClient(form url.Values, id, secret string, inForm bool) http.Header {
	if secret != "" && !inForm {
		pair := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(pair))}}
	}
	form.Set("client_id", id)
	if secret != "" {
		form.Set("client_secret", secret)
	}
	return http.Header{}
}

// tokenResponse is the answer to a Grant (RFC 6749 section 5.1). Optional
// members of unexpected types are left out, because a refresh token was used up
// for the answer: a token of unknown lifetime is better than none.
type tokenResponse struct {
	AccessToken  Text    `json:"access_token"`
	TokenType    Text    `json:"token_type"`
	RefreshToken Text    `json:"refresh_token"`
	ExpiresIn    Seconds `json:"expires_in"`
	IDToken      Text    `json:"id_token"`
	Scope        Text    `json:"scope"`
}

// Retrieve sends a Grant and returns the token of the answer, with the extras
// id_token and scope. The Verdict classifies a refusal (RFC 6749 section 5.2).
func (c *Call) Retrieve(ctx context.Context, g Grant, v Verdict) (*oauth2.Token, error) {
	if err := c.Send(ctx, Request{URL: g.URL, Header: g.Header, Body: g.Form}); err != nil {
		return nil, err
	}
	answer := tokenResponse{ExpiresIn: UnknownLifetime}
	readable := strictjson.Unmarshal(c.Last.Body, &answer) == nil && answer.AccessToken != ""
	switch {
	case !c.OK(), !readable && ParseProblem(c.Last.Body).Code != "": // some servers refuse with 200
		return nil, c.Refused(v)
	case !readable:
		return nil, c.Unusable("the answer is not a token response (RFC 6749 section 5.1)")
	case !strings.EqualFold(string(cmp.Or(answer.TokenType, g.TokenType)), "Bearer"):
		return nil, c.Unusable("token_type is not Bearer")
	}
	extra := map[string]any{}
	for name, value := range map[string]Text{"id_token": answer.IDToken, "scope": answer.Scope} {
		if value != "" {
			extra[name] = string(value)
		}
	}
	return c.Token(Tokens{
		Access: string(answer.AccessToken), Refresh: string(answer.RefreshToken), Lifetime: answer.ExpiresIn.Or(g.Lifetime), Extra: extra,
	})
}

// Inherit returns token with the refresh token and the extras id_token and scope
// that it lacks, as old has them.
func Inherit(token, old *oauth2.Token) *oauth2.Token {
	extras := map[string]any{}
	for _, name := range []string{"id_token", "scope"} {
		value, _ := token.Extra(name).(string)
		before, _ := old.Extra(name).(string)
		if value = cmp.Or(value, before); value != "" {
			extras[name] = value
		}
	}
	next := token.WithExtra(extras)
	next.RefreshToken = cmp.Or(token.RefreshToken, old.RefreshToken)
	return next
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
