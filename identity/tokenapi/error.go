package tokenapi

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Callers branch on these errors with errors.Is. Every error of a client's call
// is an *[Error] that wraps one of them.
var (
	// ErrBadCredentials means that the server does not accept the login and
	// password, or the secret of a client that signs in for its own account.
	ErrBadCredentials = errors.New("credentials not accepted")
	// ErrSecondFactorRequired means that the user's one-time code must be verified
	// first. From a Keeper, where no user is, it accompanies ErrMisconfigured.
	ErrSecondFactorRequired = errors.New("a second factor is required")
	// ErrSecondFactorRefused means that the one-time code is wrong or expired, or
	// that the provider of the code was not accepted.
	ErrSecondFactorRefused = errors.New("the second factor was not accepted")
	// ErrNotSignedIn means that the server has no session, or does not
	// authorize this client in it.
	ErrNotSignedIn = errors.New("not signed in")
	// ErrGrantRefused means that the code or refresh token is unknown, expired,
	// used, or another client's (RFC 6749 section 5.2, invalid_grant).
	ErrGrantRefused = errors.New("the grant was refused")
	// ErrMisconfigured means that the client's id, secret, scopes or addresses
	// do not match the server's. A new sign-in does not help.
	ErrMisconfigured = errors.New("the client does not match the server's configuration")
	// ErrUnavailable means that there was no answer, or one that says to try
	// later (5xx, 429). The session is not lost. [Error.Sent] says whether the
	// server may have carried out the request.
	ErrUnavailable = errors.New("the server is unavailable")
	// ErrNoBearer accompanies ErrUnavailable if the request needs the token of
	// another system and that token is unavailable.
	ErrNoBearer = errors.New("no bearer")
	// ErrUnusableAnswer means that the answer breaks the standards or the
	// vendor's documentation.
	ErrUnusableAnswer = errors.New("the server's answer is unusable")
)

// advice says what the caller can do about each sentinel, in the order in which
// it applies to an error that wraps several.
var advice = []struct {
	err  error
	text string
}{
	{ErrBadCredentials, "check the login and the password or secret"},
	{ErrNotSignedIn, "sign in again"},
	{ErrGrantRefused, "sign in again"},
	{ErrMisconfigured, "check the Config"},
	{ErrUnavailable, "try again later"},
	{ErrSecondFactorRequired, "call VerifySecondFactor with the user's one-time code"},
	{ErrUnusableAnswer, "report it to the server's operators"},
}

// An Error is the error of one call. It contains no password, token, code, cookie
// or secret: the server's text is cut to 200 bytes, and the secrets of the call
// are removed from it.
type Error struct {
	System      string        // the package of the client, such as "b2core"
	Op          string        // the call, such as "refresh token"
	Path        string        // of the request's URL; empty without a request
	StatusCode  int           // of the HTTP answer; 0 without one
	Code        string        // the server's, such as invalid_grant, 2007 or 1.2.0.11; may be empty
	Description string        // the server's text, or what is wrong with its answer
	TraceID     string        // the server's traceId, for its operators
	RetryAfter  time.Duration // the delay that the server asks for; 0: none
	Advice      string        // what the caller can do; empty: the usual for Err
	Sent        bool          // whether the server may have received the request
	Err         error         // one of the sentinels, with its cause if there is one
}

// Error returns the operation, what failed, the status and path of the
// exchange, the server's code and text, and what the caller can do.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %v", e.System, e.Op, e.Err)
	switch {
	case e.StatusCode != 0 && e.Path != "":
		fmt.Fprintf(&b, " (HTTP %d from %s)", e.StatusCode, e.Path)
	case e.StatusCode != 0:
		fmt.Fprintf(&b, " (HTTP %d)", e.StatusCode)
	case e.Path != "":
		fmt.Fprintf(&b, " (no answer from %s)", e.Path)
	}
	for _, s := range []string{e.Code, e.Description} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	if advice := e.advice(); advice != "" {
		b.WriteString("; " + advice)
	}
	if e.TraceID != "" {
		b.WriteString(" [trace " + e.TraceID + "]")
	}
	return b.String()
}

func (e *Error) advice() string {
	if e.Advice != "" {
		return e.Advice
	}
	for _, a := range advice {
		if errors.Is(e, a.err) {
			return a.text
		}
	}
	return ""
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Outcome classifies e by the sentinels it wraps and by whether it was sent.
func (e *Error) Outcome() Outcome {
	o := Outcome{RetryAfter: e.RetryAfter}
	switch {
	case errors.Is(e, ErrGrantRefused), errors.Is(e, ErrNotSignedIn):
		o.Kind = Refused
	case errors.Is(e, ErrMisconfigured):
		o.Kind = Misconfigured
	case errors.Is(e, ErrUnavailable) && !e.Sent:
		o.Kind = NotSent
	case errors.Is(e, ErrUnavailable) && e.StatusCode == 0:
		o.Kind = Unanswered
	}
	return o
}
