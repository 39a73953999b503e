package httpx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// A Call carries out one operation's request. Its errors are of type *tokenapi.Error, without the secrets of the call.
type Call struct {
	Transport
	system string
}

// Call begins an operation. The secrets are those that it sends, to be removed from what comes back.
func (p Peer) Call(op string, secrets ...string) *Call {
	return &Call{
		Transport: Transport{
			Base: p.HTTP.Transport, Timeout: p.HTTP.Timeout, Op: op, Observe: p.HTTP.Observe, Now: p.HTTP.Now, Secrets: secrets,
		},
		system: p.System,
	}
}

// Refreshing begins the exchange of the refresh token of old, which may be nil.
//
// Errors: ErrGrantRefused, nothing being sent, if there is none or one that no server gave.
func (p Peer) Refreshing(old *oauth2.Token) (*Call, error) {
	if old == nil {
		old = new(oauth2.Token)
	}
	call := p.Call("refresh token", old.RefreshToken)
	switch {
	case old.RefreshToken == "":
		return nil, call.Fail(tokenapi.ErrGrantRefused, "there is no refresh token")
	case !HeaderSafe(old.RefreshToken):
		return nil, call.Fail(tokenapi.ErrGrantRefused, "the refresh token holds characters that no token may hold")
	}
	return call, nil
}

// Client sends each request once: it follows no redirect unless check says so.
func (c *Call) Client(jar http.CookieJar, check func(*http.Request, []*http.Request) error) *http.Client {
	if check == nil {
		check = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &http.Client{Transport: &c.Transport, Jar: jar, CheckRedirect: check}
}

// A Request is what a Call sends. Of the zero fields none is sent.
type Request struct {
	Method, URL string
	Header      http.Header
	Body        any    // marshalled as JSON
	MediaType   string // of the body and of the answer that is wanted; empty: application/json
	Jar         http.CookieJar
}

// Send sends r once and leaves the answer in c.Last.
func (c *Call) Send(ctx context.Context, r Request) error {
	if r.MediaType == "" {
		r.MediaType = "application/json"
	}
	req, err := r.build(ctx)
	if err != nil {
		return c.Fail(Because(tokenapi.ErrMisconfigured, err), "")
	}
	resp, err := c.Client(r.Jar, nil).Do(req)
	if err != nil {
		return c.Fault(err)
	}
	_ = resp.Body.Close()
	return nil
}

func (r Request) build(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if r.Body != nil {
		raw, err := json.Marshal(r.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil {
		return nil, errors.New("the URL cannot be parsed") // the error would repeat it
	}
	if r.Header != nil {
		req.Header = r.Header
	}
	if body != nil {
		req.Header.Set("Content-Type", r.MediaType)
	}
	req.Header.Set("Accept", r.MediaType)
	return req, nil
}

// Decode decodes the JSON of the last answer into v. What it should be is said if it is not.
func (c *Call) Decode(v any, want string) error {
	if !IsJSON(c.Last.Header.Get("Content-Type")) || json.Unmarshal(c.Last.Body, v) != nil {
		return c.Unusable("the answer is not " + want)
	}
	return nil
}

// Because joins a sentinel and its cause in one line.
func Because(sentinel, cause error) error { return fmt.Errorf("%w: %w", sentinel, cause) }

// Fail describes a call that ends before anything is sent.
func (c *Call) Fail(err error, description string) *tokenapi.Error {
	return &tokenapi.Error{System: c.system, Op: c.Op, Description: description, Err: err}
}

// Fault describes an exchange that brought no usable answer. It drops what net/http says of the URL, which may hold secrets.
func (c *Call) Fault(err error) *tokenapi.Error {
	e := c.Fail(tokenapi.ErrUnavailable, "")
	e.Sent = true
	f, ok := errors.AsType[*Fault](err)
	switch {
	case !ok: // net/http itself refused, such as a redirect that cannot be parsed
		e.Err, e.Description, e.StatusCode = tokenapi.ErrUnusableAnswer, "the answer breaks HTTP", c.Last.StatusCode
	case errors.Is(f, ErrTooLarge):
		e.Err, e.Description = tokenapi.ErrUnusableAnswer, f.Error()
	case errors.Is(f, context.Canceled), errors.Is(f, context.DeadlineExceeded):
		e.Err, e.Sent = Because(tokenapi.ErrUnavailable, f.Err), f.Sent
	default:
		e.Sent, e.Description = f.Sent, Clean(f.Error(), c.Secrets...)
	}
	return e
}

// Refusal describes the last answer, which err classifies.
func (c *Call) Refusal(err error, problem Problem) *tokenapi.Error {
	e := c.Fail(err, Clean(problem.Description, c.Secrets...))
	e.StatusCode = c.Last.StatusCode
	e.Code = Clean(problem.Code, c.Secrets...)
	e.TraceID = Clean(problem.TraceID, c.Secrets...)
	e.RetryAfter = RetryAfter(c.Last.Header, c.Now())
	e.Sent = true
	if e.Code == "" && e.Description == "" && !IsJSON(c.Last.Header.Get("Content-Type")) && len(c.Last.Body) > 0 {
		e.Description = "the answer is not JSON"
	}
	return e
}

// Unusable describes an answer that says yes but cannot be used.
func (c *Call) Unusable(description string) *tokenapi.Error {
	return c.Refusal(tokenapi.ErrUnusableAnswer, Problem{Description: description})
}

// OK reports whether the last answer says yes.
func (c *Call) OK() bool { return c.Last.StatusCode/100 == 2 }

// A Verdict says what a server's refusals mean: by its own code, or else by the HTTP status.
type Verdict struct {
	Codes  map[string]error
	Status map[int]error
	Parse  func(body []byte) Problem // reads the server's own shape; nil: ParseProblem

	// StatusNeedsWords keeps Status from judging an answer without a word, which may be a proxy's.
	StatusNeedsWords bool
}

// Refused classifies the last answer, which says no. What v does not know means, by its status: later, misconfigured
// (404, 405), or unusable.
func (c *Call) Refused(v Verdict) *tokenapi.Error {
	parse := v.Parse
	if parse == nil {
		parse = ParseProblem
	}
	problem := parse(c.Last.Body)
	status := c.Last.StatusCode
	err := v.Codes[problem.Code]
	if err == nil && (problem != Problem{} || !v.StatusNeedsWords) {
		err = v.Status[status]
	}
	if v.Codes[problem.Code] == nil && err != nil && !errors.Is(err, tokenapi.ErrMisconfigured) && isHTML(c.Last.Header.Get("Content-Type")) {
		err = tokenapi.ErrUnavailable // a page is a gateway's: the API has refused nobody, and no session ends by it
	}
	switch {
	case err != nil:
	case Later(status):
		err = tokenapi.ErrUnavailable
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		err = tokenapi.ErrMisconfigured
		problem.Description = cmp.Or(problem.Description, "nothing answers at this path: check Config.URL and the paths of the Config")
	default:
		err = tokenapi.ErrUnusableAnswer
	}
	return c.Refusal(err, problem)
}

func isHTML(contentType string) bool {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	return mediaType == "text/html"
}

// Later reports whether a status says that the same request may succeed later.
func Later(status int) bool { return status >= 500 || status == 429 || status == 408 }
