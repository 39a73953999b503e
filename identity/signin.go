package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
)

// A SignIn is one attempt of one user to sign in: a cookie jar that holds the IdentityServer's session, and the
// one-time values of the authorization request. [Client.SignIn] makes it. Use it from one goroutine at a time.
type SignIn struct {
	// Account is who signed in, as the IdentityServer tells it. With a second factor outstanding it is empty.
	Account Account

	// SecondFactor is non-nil while a one-time code must be verified before Authorize.
	SecondFactor *SecondFactor

	client  *Client
	jar     http.CookieJar
	request *authorizationRequest // outstanding, nil once its code was spent
	subject string                // of the ID token, once retrieved
}

// Account is a B2Trader account (npm README, signIn).
type Account struct {
	Nickname string `json:"nickname"`
	Email    string `json:"email"`
	ID       string `json:"id"` // a UUID
}

// SecondFactor says which one-time code is asked for.
type SecondFactor struct {
	Provider string // how the user gets the code: "Email" and "Authenticator" have been seen
	Message  string // the server's words to the user
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
}

// SignIn posts email and password to /identity/sign-in. A SignIn whose SecondFactor is set is a success that waits for
// [SignIn.VerifySecondFactor].
//
// Errors: ErrBadCredentials, ErrUnavailable, ErrUnusableAnswer.
func (c *Client) SignIn(ctx context.Context, email, password string) (*SignIn, error) {
	s := c.newSignIn()
	x := c.exchange("sign in", password)
	if err := x.post(ctx, c.endpoint("/identity/sign-in"), signInRequest{email, password}, s.jar, nil); err != nil {
		return nil, err
	}
	answer, err := x.signInAnswer(ErrBadCredentials)
	if err != nil {
		return nil, err
	}
	if err := s.accept(x, answer); err != nil {
		return nil, err
	}
	return s, nil
}

func (c *Client) newSignIn() *SignIn {
	jar, _ := cookiejar.New(nil) // its error is always nil
	return &SignIn{client: c, jar: jar}
}

// VerifySecondFactor posts the one-time code that the user was sent, under the cookies of the first step.
// After ErrSecondFactorRefused it may be called again.
//
// Experimental: no document of the platform describes this call. Its form is inferred from a sibling API of the same
// family; [Config.SecondFactorPath] and [Config.SecondFactorBody] replace it.
//
// Errors: ErrSecondFactorRefused, ErrUnavailable, ErrUnusableAnswer.
func (s *SignIn) VerifySecondFactor(ctx context.Context, code string) error {
	const op = "verify second factor"
	if s.SecondFactor == nil || s.client == nil {
		return fail(op, ErrSecondFactorRefused, "none is outstanding")
	}
	c := s.client
	x := c.exchange(op, code)
	body := c.config.SecondFactorBody(code, s.SecondFactor.Provider)
	if err := x.post(ctx, c.endpoint(c.config.SecondFactorPath), body, s.jar, nil); err != nil {
		return err
	}
	answer, err := x.signInAnswer(ErrSecondFactorRefused)
	if err != nil {
		return err
	}
	if answer.SecondFactorRequired != nil && *answer.SecondFactorRequired {
		return x.Refusal(ErrSecondFactorRefused, httpx.Problem{Description: "the server still asks for it"})
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

// signInAnswer decodes the last answer. No document states the status of a refusal, so the body decides:
// errors in it mean refused, at any status up to 499.
func (x *exchange) signInAnswer(refused error) (signInAnswer, error) {
	var answer signInAnswer
	problem := httpx.ParseProblem(x.Last.Body)
	status := x.Last.StatusCode
	switch {
	case httpx.Later(status):
		return answer, x.Refusal(ErrUnavailable, problem)
	case status == http.StatusUnauthorized, status < 500 && problem.Code != "", status == http.StatusBadRequest && problem.Description != "":
		return answer, x.Refusal(refused, problem)
	case status/100 != 2:
		return answer, x.Refusal(ErrUnusableAnswer, problem)
	}
	if len(x.Last.Body) > 0 && json.Unmarshal(x.Last.Body, &answer) != nil {
		return answer, x.Unusable("the answer is not the JSON of a sign-in")
	}
	return answer, nil
}

// accept takes over what a successful first step says.
func (s *SignIn) accept(x *exchange, answer signInAnswer) error {
	switch {
	case answer.SecondFactorRequired != nil && *answer.SecondFactorRequired:
		s.SecondFactor = &SecondFactor{Provider: answer.Provider, Message: answer.Message}
	case answer.Account != nil:
		s.Account = *answer.Account
	default:
		return x.Unusable("it names neither an account nor a second factor")
	}
	return nil
}

// Format prints who signs in where, and nothing else of the attempt.
func (s *SignIn) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "identity.SignIn(%s as %v)", s.Account.ID, s.client)
}

// Login signs in with email and password: SignIn, Authorize and RetrieveToken in one call.
//
// Errors: those of the three, and ErrSecondFactorRequired, after which only the three steps one by one lead on.
func (c *Client) Login(ctx context.Context, email, password string) (*oauth2.Token, error) {
	s, err := c.SignIn(ctx, email, password)
	if err != nil {
		return nil, err
	}
	return s.token(ctx)
}

// token authorizes and retrieves the token.
func (s *SignIn) token(ctx context.Context) (*oauth2.Token, error) {
	code, err := s.Authorize(ctx)
	if err != nil {
		return nil, err
	}
	return s.RetrieveToken(ctx, code)
}
