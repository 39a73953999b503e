package b2core

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// A SignIn is one attempt of one user to sign in to B2Core. It has the attempt's
// uuid and cookies. [SessionClient.SignIn] makes it. It is not safe for
// concurrent use.
type SignIn struct {
	// SecondFactor is non-nil while a one-time code must be verified before
	// Session.
	SecondFactor *SecondFactor

	client *SessionClient
	jar    httpx.Jar
	email  string
	uuid   tokenapi.Secret
	token  *oauth2.Token // nil before the last step
}

// SecondFactor says which one-time code B2Core expects.
type SecondFactor struct {
	// Provider is the one whose code VerifySecondFactor sends, such as "google"
	// for an authenticator app, or "sms". It is empty while the user must choose
	// one of Providers, see [SignIn.ChooseSecondFactor].
	Provider string

	// Providers are those that the account has.
	Providers []string
}

type wizardAnswer struct {
	UUID httpx.Text                 `json:"uuid"`
	Data httpx.Optional[wizardData] `json:"data"`
}

type wizardData struct {
	Recaptcha httpx.Optional[struct {
		Enabled any `json:"enabled"`
	}] `json:"recaptcha"`
}

// recaptcha reports whether the installation asks for a reCAPTCHA. Other types
// than a boolean are read as PHP reads them.
func (a wizardAnswer) recaptcha() bool {
	switch a.Data.Value.Recaptcha.Value.Enabled {
	case nil, false, "", "0", 0.0, "false":
		return false
	}
	return true
}

type signInRequest struct {
	UUID              string `json:"uuid"`
	Email             string `json:"email"`
	Password          string `json:"password"`
	DeviceFingerprint string `json:"device_fingerprint"`
}

// SignIn asks the wizard for a uuid and posts email and password with it to
// …/signin. If the SecondFactor of the returned SignIn is set,
// [SignIn.VerifySecondFactor] comes next, otherwise [SignIn.Session].
//
// B2Core permits 5 sign-ins a minute by default and then refuses all of them for
// 10 minutes.
//
// Errors: ErrBadCredentials, without a request if email or password is empty;
// ErrRecaptcha; ErrMisconfigured; ErrUnavailable; ErrUnusableAnswer.
func (c *SessionClient) SignIn(ctx context.Context, email, password string) (*SignIn, error) {
	const op = "sign in"
	if email == "" || password == "" {
		return nil, c.peer.Call(op).Fail(tokenapi.ErrBadCredentials, "the e-mail address or the password is empty")
	}
	s := &SignIn{client: c, jar: httpx.NewJar(), email: email}
	if err := s.start(ctx, op); err != nil {
		return nil, err
	}
	call := c.peer.Call(op, password, strings.TrimSpace(email), s.uuid.Reveal()) // people type passwords into the wrong field
	body := signInRequest{s.uuid.Reveal(), email, password, c.config.DeviceFingerprint}
	if err := s.post(ctx, call, c.config.SignInPath, body, tokenapi.ErrBadCredentials); err != nil {
		return nil, refusedPassword(call, err)
	}
	if err := s.advance(call); err != nil {
		return nil, err
	}
	return s, nil
}

// start asks the wizard for the uuid of the attempt.
func (s *SignIn) start(ctx context.Context, op string) error {
	c := s.client
	call := c.peer.Call(op)
	err := call.Send(ctx, httpx.Request{Method: c.config.WizardMethod, URL: c.peer.URL(c.config.WizardPath), Jar: s.jar})
	switch {
	case err != nil:
		return err
	case call.Last.StatusCode == http.StatusMethodNotAllowed:
		return call.Refusal(tokenapi.ErrMisconfigured, httpx.Problem{Description: "the wizard does not accept " + c.config.WizardMethod + ": check SessionConfig.WizardMethod"})
	case !call.OK():
		return call.Refused(httpx.Verdict{URLField: "SessionConfig.URL"})
	}
	var answer wizardAnswer
	if err := call.Decode(&answer, "the JSON of the sign-in wizard"); err != nil {
		return err
	}
	if answer.recaptcha() && !c.config.IgnoreRecaptcha {
		return recaptcha(call, "")
	}
	if answer.UUID == "" {
		return call.Unusable("the answer of the wizard has no uuid")
	}
	s.uuid = tokenapi.NewSecret(string(answer.UUID))
	return nil
}

// post sends the JSON of one step. refusal is the error of a refused password or
// code.
func (s *SignIn) post(ctx context.Context, call *httpx.Call, path string, body any, refusal error) error {
	return call.Ask(ctx, httpx.Request{URL: s.client.peer.URL(path), Body: body, Jar: s.jar}, verdict(refusal, refusals...))
}

// refusedPassword returns err, of a sign-in, unless it is a refusal that names a
// captcha: that is not about the password. No document shows one.
func refusedPassword(call *httpx.Call, err error) error {
	e, ok := errors.AsType[*tokenapi.Error](err)
	if ok && errors.Is(e, tokenapi.ErrBadCredentials) && strings.Contains(strings.ToLower(string(call.Last.Body)), "captcha") {
		return recaptcha(call, e.Description)
	}
	return err
}

// recaptcha returns the error of an answer that asks for a reCAPTCHA.
func recaptcha(call *httpx.Call, description string) *tokenapi.Error {
	e := call.Refusal(httpx.Because(tokenapi.ErrMisconfigured, ErrRecaptcha), httpx.Problem{Description: description})
	e.Advice = "ask the broker to turn reCAPTCHA off for sign-ins, or let a person sign in by a browser and give that session's token to Config.Bearer"
	return e
}

// Format prints the client only, for every verb.
func (s *SignIn) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.SignIn(%v)", system, s.client)
}
