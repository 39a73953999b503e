package showcase

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of a call to an API.
const (
	apiWait    = 15 * time.Second
	apiMaxBody = 64 << 10 // bytes that are read
	apiMaxShow = 16 << 10 // bytes that are shown, unless the call says otherwise
)

// apiCall is one GET of an API.
type apiCall struct {
	id, api, scope, summary string
	url                     string
	show                    int // how many bytes of the answer are shown; zero: apiMaxShow
}

// witness is a transport of one call that remembers the tokens that were sent,
// so that none of them is shown.
type witness struct {
	base   http.RoundTripper
	tokens []string
}

// RoundTrip implements http.RoundTripper.
func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	w.tokens = append(w.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	return w.base.RoundTrip(r)
}

// callAPI makes one call by a transport that attaches the token and sends by
// sent. It always returns a result to show; the error is for the log.
func (s *Showcase) callAPI(ctx context.Context, c apiCall, transport http.RoundTripper, sent *witness) (*CallResult, error) {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()
	result := &CallResult{Call: c.offer(nil), StatusText: "No answer"}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return result, fmt.Errorf("call %s: %w", c.id, err)
	}
	req.Header.Set("Accept", "application/json")
	client := &http.Client{
		Transport: transport,
		// A redirect could carry the bearer to another host, so it is shown and not followed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	started := s.config.Now()
	resp, err := client.Do(req)
	result.Duration = s.config.Now().Sub(started)
	if err != nil {
		result.Explanation = "The API did not answer: it is down, too slow, or its address is wrong. Your token is not the reason. Try again, or tell the operator of this site."
		return result, fmt.Errorf("call %s: %w", c.id, redactURLError(err))
	}
	defer func() { _ = resp.Body.Close() }()
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, apiMaxBody+1))
	result.Duration = s.config.Now().Sub(started)
	result.Status, result.StatusText = resp.StatusCode, statusLine(resp.StatusCode)
	result.Body, result.Explanation = showBody(body, cmp.Or(c.show, apiMaxShow), sent.tokens...), explainStatus(resp.StatusCode, c.scope)
	if readErr != nil {
		result.Explanation = "The answer broke off before its end. Try again."
		return result, fmt.Errorf("call %s: read the answer: %w", c.id, readErr)
	}
	return result, nil
}

// redactURLError removes the URL from an error of net/http.
func redactURLError(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// jwt matches tokens that an API repeats in its answer, whole or cut off
// (RFC 7519 section 3: the header is base64url of a JSON object).
var jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}(\.[A-Za-z0-9_-]*)*`)

const tokenRemoved = "[token removed]"

// showBody returns an answer's body as text of at most show bytes, without the
// tokens that were sent and without what looks like a token.
func showBody(body []byte, show int, bearers ...string) string {
	whole := len(body) <= apiMaxBody
	for i := 0; !whole && i < utf8.UTFMax-1 && !utf8.Valid(body); i++ {
		body = body[:len(body)-1] // the cut may have split a character
	}
	if !utf8.Valid(body) {
		return fmt.Sprintf("[%d bytes that are not text]", len(body))
	}
	text, longest := string(body), 0
	for _, bearer := range bearers {
		text, longest = strings.ReplaceAll(text, bearer, tokenRemoved), max(longest, len(bearer))
	}
	text = jwt.ReplaceAllString(text, tokenRemoved)
	if !whole {
		text = text[:max(0, len(text)-longest)] // the end may be the beginning of a token
	}
	if !whole || len(text) > show {
		return strings.ToValidUTF8(text[:min(len(text), show)], "") + "\n[the answer goes on]"
	}
	return text
}

// explainStatus says what an API's status means for the token. The scope is ""
// for an API without scopes.
func explainStatus(status int, scope string) string {
	switch {
	case status == http.StatusUnauthorized:
		return "The API does not accept the token. It may not trust the server that issued it, or the two clocks differ. Signing in again helps only if the session is very old."
	case status == http.StatusForbidden && scope == "":
		return "The API knows the token, but it does not allow this call: a right of the account is missing."
	case status == http.StatusForbidden:
		return "The API knows the token, but it does not allow this call: the scope " + scope + ", or a right of your account, is missing. Sign in to an application that has the scope, such as Back office for BackOffice."
	case status == http.StatusNotFound:
		return "The API has nothing at this path. Its version, or the configured address, may be another."
	case status == http.StatusTooManyRequests:
		return "The API asks for fewer calls. Wait a moment, then try again."
	case status >= 500:
		return "The API fails (5xx). Your token is not the reason. Try again later."
	case status >= 400:
		return "The API does not accept this request."
	case status >= 300:
		return "The API answered with a redirect. It is not followed, because the token would go with it."
	default:
		return "The API accepted the token."
	}
}
