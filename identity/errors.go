package identity

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"b2trader.identity.auth/identity/internal/httpx"
)

// What callers branch on, with errors.Is. Every error of this package's calls is an *Error that wraps one of them.
var (
	// ErrBadCredentials: the IdentityServer does not accept this email and password.
	ErrBadCredentials = errors.New("email or password not accepted")
	// ErrSecondFactorRequired: a one-time code must be verified first, see [SignIn.VerifySecondFactor].
	ErrSecondFactorRequired = errors.New("a second factor is required")
	// ErrSecondFactorRefused: the one-time code is wrong or has expired.
	ErrSecondFactorRefused = errors.New("the second factor was not accepted")
	// ErrNotSignedIn: there is no session at the IdentityServer, or it refuses to authorize this client in it;
	// it does not tell the two apart.
	ErrNotSignedIn = errors.New("not signed in at the IdentityServer")
	// ErrGrantRefused: the code or refresh token is unknown, expired, used, or another client's
	// (RFC 6749 section 5.2, invalid_grant). Signing in again is the cure.
	ErrGrantRefused = errors.New("the grant was refused")
	// ErrMisconfigured: this client's id, secret, scopes or addresses do not fit the server's. Signing in again cures nothing.
	ErrMisconfigured = errors.New("the client does not fit the server's configuration")
	// ErrUnavailable: no answer, or one that says try later (5xx, 429). The session is not lost; [Error.Sent] says
	// whether the request may have been carried out.
	ErrUnavailable = errors.New("the IdentityServer is unavailable")
	// ErrUnusableAnswer: an answer that is not what the standards or the platform promise, such as an ID token that
	// does not verify.
	ErrUnusableAnswer = errors.New("the IdentityServer's answer is unusable")
)

// Error is what went wrong in one call. It never holds a password, token, code, cookie or secret: what the peer wrote
// is cut to 200 bytes, and the secrets of the call are removed from it.
type Error struct {
	Op          string        // the call, such as "refresh token"
	StatusCode  int           // of the HTTP answer; 0 without one
	Code        string        // the peer's, such as invalid_grant or SignInUnsuccessful; may be empty
	Description string        // the peer's words, or ours on what is wrong with its answer
	TraceID     string        // the peer's traceId, to be given to its operators
	RetryAfter  time.Duration // as the peer asks; 0 if it does not
	Sent        bool          // whether the peer may have received the request
	Err         error         // one of this package's sentinels, with the cause where there is one
}

// Error says what failed, how, and what the peer said of it.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "identity: %s: %v", e.Op, e.Err)
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

// because joins a sentinel and its cause in one line.
func because(sentinel, cause error) error { return fmt.Errorf("%w: %w", sentinel, cause) }

// fault describes an exchange that brought no usable answer. It drops what net/http says of the URL, which may hold secrets.
func (x *exchange) fault(err error) *Error {
	e := &Error{Op: x.Op, Sent: true, Err: ErrUnavailable}
	f, ok := errors.AsType[*httpx.Fault](err)
	switch {
	case !ok: // net/http itself refused, such as a redirect that cannot be parsed
		e.Err, e.Description, e.StatusCode = ErrUnusableAnswer, "the answer breaks HTTP", x.Last.StatusCode
	case errors.Is(f, httpx.ErrTooLarge):
		e.Err, e.Description = ErrUnusableAnswer, f.Error()
	case errors.Is(f, context.Canceled), errors.Is(f, context.DeadlineExceeded):
		e.Err, e.Sent = because(ErrUnavailable, f.Err), f.Sent
	default:
		e.Sent, e.Description = f.Sent, httpx.Clean(f.Error(), x.secrets...)
		e.Err = ErrUnavailable
	}
	return e
}

// refusal describes the last answer, which err classifies.
func (x *exchange) refusal(err error, problem httpx.Problem) *Error {
	e := &Error{
		Op:          x.Op,
		StatusCode:  x.Last.StatusCode,
		Code:        httpx.Clean(problem.Code, x.secrets...),
		Description: httpx.Clean(problem.Description, x.secrets...),
		TraceID:     httpx.Clean(problem.TraceID, x.secrets...),
		RetryAfter:  httpx.RetryAfter(x.Last.Header, x.Now()),
		Sent:        true,
		Err:         err,
	}
	if e.Code == "" && e.Description == "" && !httpx.IsJSON(x.Last.Header.Get("Content-Type")) && len(x.Last.Body) > 0 {
		e.Description = "the answer is not JSON"
	}
	return e
}

// unusable describes an answer that says yes but cannot be used.
func (x *exchange) unusable(description string) *Error {
	return x.refusal(ErrUnusableAnswer, httpx.Problem{Description: description})
}

// later reports whether a status says that the same request may succeed later.
func later(status int) bool { return status >= 500 || status == 429 || status == 408 }

// GrantRefused reports whether the refresh token, or the session behind a [State], is no good and never will be.
func (e *Error) GrantRefused() bool {
	return errors.Is(e, ErrGrantRefused) || errors.Is(e, ErrNotSignedIn)
}

// Misconfigured reports whether the client does not fit the server, which costs no session.
func (e *Error) Misconfigured() bool { return errors.Is(e, ErrMisconfigured) }

// NotSent reports whether the request surely did not reach the server, so that it may be repeated.
func (e *Error) NotSent() bool { return errors.Is(e, ErrUnavailable) && !e.Sent }

// Unanswered reports whether the request may have reached the server, which did not answer.
func (e *Error) Unanswered() bool { return errors.Is(e, ErrUnavailable) && e.Sent && e.StatusCode == 0 }

// RetryDelay returns RetryAfter.
func (e *Error) RetryDelay() time.Duration { return e.RetryAfter }
