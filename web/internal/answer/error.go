// Package answer turns the result of a handler into an answer: a page, JSON, or
// an error that is told in one of the two.
//
// A [Handler] answers a request or returns an error. [Answers.Page] is the one
// place where errors become log lines and answers. [Error] is an error that
// knows what to tell people; explain finds an Error for the errors of identity
// and vault.
package answer

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"b2trader.identity.auth/templates"
)

// RetryLater is the default of Retry-After.
const RetryLater = 5 * time.Second

// ErrNoSession says that the request has no session with a signed-in user.
var ErrNoSession = errors.New("no session")

// Error is an error that knows what to tell people. Code and Args choose the
// text in the site's Texts; Actions are the links below it. Err is logged and
// never shown.
type Error struct {
	Status     int
	Code       string              // a key of Texts.Errors; empty: the usual one of Status
	Args       []any               // for the verbs of the text's explanation
	Words      templates.ErrorText // of a host application: replace those of the text that are not empty
	Actions    []templates.Action
	RetryAfter time.Duration // zero: no Retry-After
	Err        error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return http.StatusText(e.Status)
	}
	return fmt.Sprintf("%s: %v", http.StatusText(e.Status), e.Err)
}

// Unwrap returns the private cause.
func (e *Error) Unwrap() error { return e.Err }

// BadRequest returns a 400 for a request that no page of this site sends.
func BadRequest(reason string) error {
	return &Error{Status: http.StatusBadRequest, Err: errors.New(reason)}
}

// StoreUnavailable returns a 503 for err, a failure of the store. It says
// nothing about the session.
func StoreUnavailable(err error) error {
	return &Error{Status: http.StatusServiceUnavailable, RetryAfter: RetryLater, Err: err}
}

// ShortCode returns the code that a script gets: Code without its case.
func (e *Error) ShortCode() string {
	code, _, _ := strings.Cut(e.Code, ".")
	return code
}

// Text returns the headline and the explanation for people, in the language of
// x.
func (e *Error) Text(x *templates.Texts) templates.ErrorText {
	t := x.Errors[e.Code]
	if len(e.Args) > 0 {
		t.Explanation = fmt.Sprintf(t.Explanation, e.Args...)
	}
	return templates.ErrorText{
		Headline:    cmp.Or(e.Words.Headline, t.Headline),
		Explanation: cmp.Or(e.Words.Explanation, t.Explanation),
	}
}

// withDefaults returns e with a code that has a text, a link and a cause.
func (e *Error) withDefaults(cause error) *Error {
	filled := *e
	if _, known := templates.English.Errors[e.Code]; !known {
		filled.Code = cmp.Or(usualCodes[e.Status], "internal")
	}
	if e.Actions == nil {
		filled.Actions = []templates.Action{templates.ActionHome}
	}
	if e.Err == nil {
		filled.Err = cause
	}
	return &filled
}

var usualCodes = map[int]string{
	http.StatusBadRequest:            "bad_request",
	http.StatusUnauthorized:          "no_session",
	http.StatusForbidden:             "forbidden",
	http.StatusNotFound:              "not_found",
	http.StatusMethodNotAllowed:      "method_not_allowed",
	http.StatusRequestEntityTooLarge: "too_large",
	http.StatusInternalServerError:   "internal",
	http.StatusServiceUnavailable:    "unavailable",
}

// signIn is an error that asks for a sign-in, see [AskToSignIn].
type signIn struct {
	error
	ended bool // the browser had a session
}

// Unwrap returns the error that asks.
func (s signIn) Unwrap() error { return s.error }

// AskToSignIn makes err one that leads a person who asks for a page to the
// sign-in page and from there back, if err is [ErrNoSession]. If ended is set,
// the sign-in page says that the session has ended. Scripts and forms get err
// itself.
func AskToSignIn(err error, ended bool) error {
	if errors.Is(err, ErrNoSession) {
		return signIn{err, ended}
	}
	return err
}
