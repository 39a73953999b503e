package tokenapi

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What callers branch on, with errors.Is. Every error of a client's calls is an *Error that wraps one of them.
var (
	// ErrBadCredentials: the server does not accept this login and password, or this client's secret for its account.
	ErrBadCredentials = errors.New("credentials not accepted")
	// ErrNotSignedIn: there is no session at the server, or it refuses to authorize this client in it.
	ErrNotSignedIn = errors.New("not signed in")
	// ErrGrantRefused: the code or refresh token is unknown, expired, used, or another client's
	// (RFC 6749 section 5.2, invalid_grant). Signing in again is the cure.
	ErrGrantRefused = errors.New("the grant was refused")
	// ErrMisconfigured: the client's id, secret, scopes or addresses do not fit the server's. Signing in again cures nothing.
	ErrMisconfigured = errors.New("the client does not fit the server's configuration")
	// ErrUnavailable: no answer, or one that says try later (5xx, 429). The session is not lost; [Error.Sent] says
	// whether the request may have been carried out.
	ErrUnavailable = errors.New("the server is unavailable")
	// ErrNoBearer stands beside ErrUnavailable where a request must show the token of another system, and that could not be had: it is
	// that system, or whoever keeps that token fresh, whom this waits for.
	ErrNoBearer = errors.New("no bearer")
	// ErrUnusableAnswer: an answer that is not what the standards or the vendor promise.
	ErrUnusableAnswer = errors.New("the server's answer is unusable")
)

// Error is what went wrong in one call. It never holds a password, token, code, cookie or secret: what the server wrote
// is cut to 200 bytes, and the secrets of the call are removed from it.
type Error struct {
	System      string        // the package of the client, such as "b2core"
	Op          string        // the call, such as "refresh token"
	StatusCode  int           // of the HTTP answer; 0 without one
	Code        string        // the server's, such as invalid_grant, 2007 or 1.2.0.11; may be empty
	Description string        // the server's words, or ours on what is wrong with its answer
	TraceID     string        // the server's traceId, to be given to its operators
	RetryAfter  time.Duration // as the server asks; 0 if it does not
	Sent        bool          // whether the server may have received the request
	Err         error         // one of the sentinels, with the cause where there is one
}

// Error says what failed, how, and what the server said of it.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s: %v", e.System, e.Op, e.Err)
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.StatusCode)
	}
	for _, s := range []string{e.Code, e.Description} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	if e.TraceID != "" {
		b.WriteString(" [trace " + e.TraceID + "]")
	}
	return b.String()
}

// Unwrap returns the sentinel, and the cause where there is one.
func (e *Error) Unwrap() error { return e.Err }

// Outcome classifies e by the errors it wraps and by whether it was sent.
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
