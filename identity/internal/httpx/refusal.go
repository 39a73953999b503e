package httpx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// Because wraps a sentinel and its cause in one error.
func Because(sentinel, cause error) error { return fmt.Errorf("%w: %w", sentinel, cause) }

// Fail returns the error of a call that ends before it sends anything.
func (c *Call) Fail(err error, description string) *tokenapi.Error {
	return &tokenapi.Error{System: c.system, Op: c.Op, Description: description, Err: err}
}

// Fault returns the error of an exchange without a usable answer. It leaves out
// the URL that net/http repeats, which may contain secrets.
func (c *Call) Fault(err error) *tokenapi.Error {
	e := c.Fail(tokenapi.ErrUnavailable, "")
	e.Path, e.Sent = Redact(c.Path, c.Secrets...), true
	f, ok := errors.AsType[*Fault](err)
	switch {
	case !ok: // net/http rejects the answer, such as a redirect that cannot be parsed
		e.Err, e.Description, e.StatusCode = tokenapi.ErrUnusableAnswer, "the answer breaks HTTP", c.Last.StatusCode
	case errors.Is(f, ErrTooLarge):
		e.Err, e.Description = tokenapi.ErrUnusableAnswer, f.Error()
	case errors.Is(f, context.Canceled), errors.Is(f, context.DeadlineExceeded):
		e.Err, e.Sent = Because(tokenapi.ErrUnavailable, f.Err), f.Sent
	default:
		e.Sent, e.Description = f.Sent, Redact(f.Error(), c.Secrets...)
	}
	return e
}

// Refusal returns the error of the last answer, which err classifies.
func (c *Call) Refusal(err error, problem Problem) *tokenapi.Error {
	e := c.Fail(err, Redact(problem.Description, c.Secrets...))
	e.Path = Redact(c.Path, c.Secrets...)
	e.StatusCode = c.Last.StatusCode
	e.Code = Redact(problem.Code, c.Secrets...)
	e.TraceID = Redact(problem.TraceID, c.Secrets...)
	e.RetryAfter = RetryAfter(c.Last.Header, c.Now())
	e.Sent = true
	if e.Code == "" && e.Description == "" && !IsJSON(c.Last.Body) && len(c.Last.Body) > 0 {
		e.Description = "the answer is not JSON"
	}
	return e
}

// Unusable returns the error of a successful answer with unusable content.
func (c *Call) Unusable(description string) *tokenapi.Error {
	return c.Refusal(tokenapi.ErrUnusableAnswer, Problem{Description: description})
}

// A Verdict says what the refusals of an API mean. The API's own code comes
// first, then the HTTP status.
type Verdict struct {
	Codes  map[string]error
	Status map[int]error
	Advice map[string]string         // by code: what the caller can do; missing: the usual for the error
	Parse  func(body []byte) Problem // for an API whose errors need not be JSON; nil: ParseProblem

	// URLField is the field of the Config that has the endpoint's URL, for
	// errors. Empty: Config.URL.
	URLField string

	// StatusNeedsWords ignores Status for an answer without a problem in its
	// body, which may come from a proxy.
	StatusNeedsWords bool
}

// Refused returns the error of the last answer, a refusal, by v. An answer that
// v does not know is ErrUnavailable (also a page, as gateways send),
// ErrMisconfigured (404, 405) or ErrUnusableAnswer.
func (c *Call) Refused(v Verdict) *tokenapi.Error {
	parse := v.Parse
	if parse == nil {
		parse = ParseProblem
	}
	target := Redact(c.Target, c.Secrets...)
	misled := "check " + cmp.Or(v.URLField, "Config.URL") + ", which leads to " + target
	problem := parse(c.Last.Body)
	status := c.Last.StatusCode
	if c.refusesClient() {
		problem.Code = "invalid_client"
	}
	err := v.Codes[problem.Code]
	if err == nil && (problem != Problem{} || !v.StatusNeedsWords) {
		err = v.Status[status]
	}
	page := c.IsPage()
	if v.Parse != nil {
		page = c.isHTML()
	}
	advice := v.Advice[problem.Code]
	switch {
	case err != nil && page:
		err = tokenapi.ErrUnavailable // a gateway's, which must end no session
	case err != nil:
	case Later(status):
		err = tokenapi.ErrUnavailable
	case NoEndpoint(status):
		err, advice = tokenapi.ErrMisconfigured, misled
		problem.Description = cmp.Or(problem.Description, "there is no such endpoint")
	case status/100 == 3:
		err, advice = tokenapi.ErrUnusableAnswer, misled
		problem.Description = cmp.Or(problem.Description, "the server redirects, which is not followed")
	case page:
		err = tokenapi.ErrUnavailable
		problem.Description = target + " answers with a page, as gateways do"
	default:
		err = tokenapi.ErrUnusableAnswer
	}
	e := c.Refusal(err, problem)
	e.Advice = advice
	return e
}

// refusesClient reports whether the last answer refuses a client's HTTP Basic
// credentials by a challenge alone (RFC 6749 section 5.2, invalid_client).
func (c *Call) refusesClient() bool {
	scheme, _, _ := strings.Cut(c.Last.Header.Get("WWW-Authenticate"), " ")
	return c.Last.StatusCode == http.StatusUnauthorized && len(c.Last.Body) == 0 && strings.EqualFold(scheme, "Basic")
}

// Later reports whether a status means that the same request may succeed later.
func Later(status int) bool { return status >= 500 || status == 429 || status == 408 }

// NoEndpoint reports whether a status says that there is no endpoint at the URL.
func NoEndpoint(status int) bool {
	return status == http.StatusNotFound || status == http.StatusMethodNotAllowed
}

// RetryAfter returns the delay of a Retry-After header (RFC 9110 section
// 10.2.3), at most a day. It returns 0 without a valid header. A time counts from
// the server's own Date, or from now without one: our clock may be wrong.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(max(0, n), 86400)) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			now = date
		}
		return max(0, min(at.Sub(now), 24*time.Hour))
	}
	return 0
}
