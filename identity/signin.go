package identity

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/internal/strictjson"
	"b2trader.identity.auth/identity/tokenapi"
)

// A SignIn is one attempt of one user to sign in. It has a cookie jar with the
// IdentityServer's session and the one-time values of the authorization
// request. [Client.SignIn] makes it, and [SignIn.Pending] takes it to another
// process. It is not safe for concurrent use.
type SignIn struct {
	// Account is the account that signed in. It is empty while SecondFactor is
	// non-nil.
	Account Account

	// SecondFactor is non-nil while a one-time code must be verified before
	// Authorize.
	SecondFactor *SecondFactor

	client  *Client
	jar     *cookies
	request *authorizationRequest // nil once its code was sent
	subject string                // of the ID token, once retrieved
}

// Account is a B2Trader account (npm README, signIn).
type Account struct {
	Nickname string `json:"nickname"`
	Email    string `json:"email"`
	ID       string `json:"id"` // a UUID
}

// SecondFactor says which one-time code the IdentityServer expects.
type SecondFactor struct {
	Provider string // of the code; known are "Email" and "Authenticator"
	Message  string // the server's text for the user
}

type signInRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

type signInAnswer struct {
	SecondFactorRequired *bool    `json:"secondFactorRequired"`
	Account              *Account `json:"account"`
	Message              string   `json:"message"`
	Provider             string   `json:"provider"`

	Errors []signInError `json:"errors"`
	Title  string        `json:"title"`
}

type signInError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// refuses reports whether an answer has the form of a refused sign-in:
// {"errors":[{"code":…,"message":…}]} (npm README), at any status, or 401 with
// problem details, as the npm README shows for the token endpoint.
func (a signInAnswer) refuses(status int) bool {
	for _, e := range a.Errors {
		if e != (signInError{}) {
			return true
		}
	}
	return status == http.StatusUnauthorized && a.Title != ""
}

// SignIn posts email and password to /identity/sign-in. If the SecondFactor of
// the returned SignIn is set, [SignIn.VerifySecondFactor] comes next, otherwise
// [SignIn.Authorize].
//
// Errors: ErrBadCredentials; ErrMisconfigured if there is no sign-in at
// Config.URL; ErrUnavailable; ErrUnusableAnswer.
func (c *Client) SignIn(ctx context.Context, email, password string) (*SignIn, error) {
	s := c.newSignIn()
	x := c.exchange("sign in", password, strings.TrimSpace(email)) // people type passwords into the wrong field
	url := c.endpoint("/identity/sign-in")
	if err := x.post(ctx, url, signInRequest{email, password}, s.jar); err != nil {
		return nil, err
	}
	answer, err := x.signInAnswer(url, tokenapi.ErrBadCredentials)
	if err != nil {
		return nil, err
	}
	switch {
	case answer.SecondFactorRequired != nil && *answer.SecondFactorRequired:
		s.SecondFactor = &SecondFactor{Provider: answer.Provider, Message: answer.Message}
	case answer.Account != nil:
		s.Account = *answer.Account
	default:
		return nil, x.Unusable("the answer names neither an account nor a second factor")
	}
	return s, nil
}

func (c *Client) newSignIn() *SignIn {
	return &SignIn{client: c, jar: newCookies(c.peer.HTTP.Now)}
}

// VerifySecondFactor posts the user's one-time code, with the cookies of the
// first step. It may be called again after ErrSecondFactorRefused.
//
// Experimental: no document of the platform describes this call. Its form is
// inferred from an API of the same vendor; [Config.SecondFactorPath] and
// [Config.SecondFactorBody] replace it.
//
// Errors: ErrSecondFactorRefused, ErrUnavailable, ErrUnusableAnswer.
func (s *SignIn) VerifySecondFactor(ctx context.Context, code string) error {
	const op = "verify second factor"
	if s.SecondFactor == nil || s.client == nil {
		return fail(op, tokenapi.ErrSecondFactorRefused, "no second factor is required")
	}
	c := s.client
	x := c.exchange(op, code)
	body := c.config.SecondFactorBody(code, s.SecondFactor.Provider)
	url := c.endpoint(c.config.SecondFactorPath)
	if err := x.post(ctx, url, body, s.jar); err != nil {
		return err
	}
	answer, err := x.signInAnswer(url, tokenapi.ErrSecondFactorRefused)
	if err != nil {
		return err
	}
	if answer.SecondFactorRequired != nil && *answer.SecondFactorRequired {
		return x.Refusal(tokenapi.ErrSecondFactorRefused, httpx.Problem{Description: "the server still requires the second factor"})
	}
	s.SecondFactor = nil
	if answer.Account != nil {
		s.Account = *answer.Account
	}
	return nil
}

func secondFactorBody(code, provider string) any {
	return map[string]string{"verificationCode": code, "provider": provider}
}

// signInAnswer decodes the last answer, which came from url. No document states
// the status of a refusal, so its documented body decides.
func (x *exchange) signInAnswer(url string, refused error) (signInAnswer, error) {
	var answer signInAnswer
	unreadable := strictjson.Unmarshal(x.Last.Body, &answer) != nil
	status := x.Last.StatusCode
	switch {
	case httpx.Later(status):
		return answer, x.Refusal(tokenapi.ErrUnavailable, httpx.ParseProblem(x.Last.Body))
	case !unreadable && answer.refuses(status):
		return answer, x.Refusal(refused, httpx.ParseProblem(x.Last.Body))
	case httpx.NoEndpoint(status):
		return answer, x.Refusal(tokenapi.ErrMisconfigured, httpx.Problem{Description: "there is no sign-in at " + url + ": check Config.URL"})
	case status/100 != 2:
		return answer, x.Refused(httpx.Verdict{})
	case unreadable && len(x.Last.Body) > 0: // the second factor's answer may be empty
		return answer, x.Unusable("the answer is not the JSON of a sign-in")
	}
	return answer, nil
}

// Format prints the account's id and the client only, for every verb.
func (s *SignIn) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "identity.SignIn(%s as %v)", s.Account.ID, s.client)
}
