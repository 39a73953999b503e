package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// An authorizationRequest has the one-time values of one request, until its
// code is used.
type authorizationRequest struct {
	// "code_verifier = high-entropy cryptographic random STRING": 32 octets,
	// RFC 7636 section 4.1.
	verifier string
	// "The value MUST be non-guessable", RFC 6749 section 10.12: 130 bits.
	state string
	// Binds the ID token to this request, OIDC Core section 3.1.2.1.
	nonce string
}

func newAuthorizationRequest() *authorizationRequest {
	return &authorizationRequest{verifier: oauth2.GenerateVerifier(), state: rand.Text(), nonce: rand.Text()}
}

// Authorize requests an authorization code from /identity/connect/authorize,
// with the session's cookies (OIDC Core section 3.1.2). It follows redirects
// within the server up to the redirect URI, which it does not call. Each call
// is a new request with its own verifier, state and nonce: RetrieveToken
// accepts the code of the last one only.
//
// Errors: ErrSecondFactorRequired, without a request; ErrNotSignedIn, also if
// the server redirects elsewhere (the Description names the target);
// ErrMisconfigured, also for a redirect URI that the server does not register;
// ErrUnavailable; ErrUnusableAnswer, also for a wrong state or issuer.
func (s *SignIn) Authorize(ctx context.Context) (code string, err error) {
	c := s.client
	switch {
	case c == nil: // not made by Client.SignIn
		return "", fail("authorize", tokenapi.ErrNotSignedIn, "")
	case s.SecondFactor != nil:
		return "", fail("authorize", tokenapi.ErrSecondFactorRequired, "")
	}
	meta, err := c.keys.metadata(ctx)
	if err != nil {
		return "", err
	}
	request := newAuthorizationRequest()
	x := c.exchange("authorize", request.verifier, request.state, request.nonce)
	query := url.Values{
		"response_type": {"code"}, "client_id": {c.config.ClientID}, "redirect_uri": {c.config.RedirectURL}, "scope": {c.requestedScope()},
		"state": {request.state}, "nonce": {request.nonce},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(request.verifier)}, "code_challenge_method": {"S256"},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.authorizeURL()+"?"+query.Encode(), nil)
	if err != nil {
		return "", fail(x.Op, httpx.Because(tokenapi.ErrMisconfigured, errors.New("the authorization URL cannot be parsed")), "")
	}
	resp, err := x.Client(s.jar, c.followWithin).Do(req)
	if err != nil {
		return "", x.Fault(err)
	}
	_ = resp.Body.Close()
	answer, err := c.callback(x, resp)
	if err != nil {
		return "", err
	}
	code, err = c.checkAuthorizationResponse(x, answer, request.state, meta)
	if err != nil {
		return "", err
	}
	s.request = request
	return code, nil
}

func (c *Client) authorizeURL() string { return c.endpoint("/identity/connect/authorize") }

// followWithin follows redirects on the server's own origin only, so that no
// other server gets cookies and one-time values.
func (c *Client) followWithin(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer") // which repeats the state and nonce
	const hops = 10
	if c.isRedirectURI(req.URL) || !sameOrigin(req.URL, c.peer.Base) || len(via) >= hops {
		return http.ErrUseLastResponse
	}
	return nil
}

func (c *Client) isRedirectURI(u *url.URL) bool {
	return sameOrigin(u, c.redirect) && u.EscapedPath() == c.redirect.EscapedPath()
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// callback returns the parameters that the server sent to the redirect URI.
func (c *Client) callback(x *exchange, resp *http.Response) (url.Values, error) {
	target, err := resp.Location()
	switch {
	case err == nil && c.isRedirectURI(target):
		return target.Query(), nil
	case err == nil && isErrorPage(target):
		return nil, c.requestRefused(x, httpx.Problem{Description: "the server redirects to its error page, " + httpx.WithoutQuery(target)})
	case err == nil:
		return nil, x.Refusal(tokenapi.ErrNotSignedIn, httpx.Problem{Description: "the server redirects to " + httpx.WithoutQuery(target)})
	}
	problem := httpx.ParseProblem(x.Last.Body)
	followed := resp.Request.Response != nil
	switch status := x.Last.StatusCode; {
	case httpx.Later(status):
		return nil, x.Refusal(tokenapi.ErrUnavailable, problem)
	case !followed && httpx.NoEndpoint(status):
		return nil, x.Refusal(tokenapi.ErrMisconfigured, httpx.Problem{Description: "there is no such endpoint at " + c.authorizeURL() + ": check Config.URL"})
	case errors.Is(httpx.OAuth.Codes[problem.Code], tokenapi.ErrMisconfigured), status == http.StatusBadRequest, isErrorPage(resp.Request.URL):
		return nil, c.requestRefused(x, problem)
	case !followed && status/100 == 4 && x.IsPage(): // an IdentityServer redirects to its sign-in
		return nil, x.Refused(httpx.Verdict{})
	}
	problem.Description = strings.TrimSpace("the redirects end at " + httpx.WithoutQuery(resp.Request.URL) + " " + problem.Description)
	return nil, x.Refusal(tokenapi.ErrNotSignedIn, problem)
}

// isErrorPage reports whether u is the page that an IdentityServer shows for an
// authorization request with a fault, such as an unregistered redirect URI.
// Other servers answer 400.
func isErrorPage(u *url.URL) bool { return u.Query().Has("errorId") }

// requestRefused returns the error of an authorization request that the server
// refuses because of the client, and not because of the session.
func (c *Client) requestRefused(x *exchange, problem httpx.Problem) *tokenapi.Error {
	e := x.Refusal(tokenapi.ErrMisconfigured, problem)
	e.Advice = httpx.OAuthAdvice[problem.Code]
	if e.Advice == "" {
		e.Advice = fmt.Sprintf("check that the server registers Config.RedirectURL, %s, for the client %s, and its Config.Scopes",
			httpx.WithoutQuery(c.redirect), c.config.ClientID)
	}
	return e
}

// checkAuthorizationResponse returns the code of the response, after it checks
// that the response belongs to our request.
func (c *Client) checkAuthorizationResponse(x *exchange, answer url.Values, state string, meta *metadata) (string, error) {
	for _, name := range []string{"code", "state", "iss", "error"} {
		if len(answer[name]) > 1 { // "parameters MUST NOT be included more than once", RFC 6749 section 3.1
			return "", x.Unusable("the authorization response repeats " + name)
		}
	}
	// State and issuer come first: RFC 6749 section 10.12, RFC 9207 section
	// 2.4.
	if subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(state)) != 1 {
		return "", x.Unusable("the state is not that of the request")
	}
	if iss := answer.Get("iss"); iss != meta.Issuer && (iss != "" || meta.IssInResponse) {
		return "", x.Unusable("the authorization response is not from the configured issuer")
	}
	if answer.Has("error") {
		problem := httpx.Problem{Code: answer.Get("error"), Description: answer.Get("error_description")}
		switch {
		case errors.Is(httpx.OAuth.Codes[problem.Code], tokenapi.ErrMisconfigured):
			return "", c.requestRefused(x, problem)
		case problem.Code == "server_error", problem.Code == "temporarily_unavailable":
			return "", x.Refusal(tokenapi.ErrUnavailable, problem)
		}
		return "", x.Refusal(tokenapi.ErrNotSignedIn, problem)
	}
	if answer.Get("code") == "" {
		return "", x.Unusable("the authorization response has no code")
	}
	return answer.Get("code"), nil
}
