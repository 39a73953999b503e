package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// The bounds of a call to an API.
const (
	apiWait    = 15 * time.Second
	apiMaxBody = 64 << 10 // bytes that are read
	apiMaxShow = 16 << 10 // bytes that are shown, unless the call says otherwise
)

// apiCall is one call on offer. All of them only read.
type apiCall struct {
	id, api, scope, summary string
	url                     string
	show                    int // how many bytes of the answer are shown; zero: apiMaxShow
}

// apiCalls lists the calls to the APIs that are configured.
func apiCalls(c Config) []apiCall {
	var calls []apiCall
	add := func(base, api, scope, path, id, summary string) {
		if base != "" {
			calls = append(calls, apiCall{id: id, api: api, scope: scope, summary: summary, url: base + path})
		}
	}
	add(c.FrontOfficeURL, "FrontOffice", "FrontOffice", "/api/v3/account", "account", "Your trading account")
	add(c.FrontOfficeURL, "FrontOffice", "FrontOffice", "/api/v3/instruments", "instruments", "Instruments and prices")
	add(c.FrontOfficeURL, "FrontOffice", "FrontOffice", "/api/v3/orders", "orders", "Your orders")
	add(c.BackOfficeURL, "BackOffice", "BackOffice", "/api/v1/users", "users", "All users")
	add(c.BackOfficeURL, "BackOffice", "BackOffice", "/api/v1/clients", "clients", "All clients")
	return calls
}

func (s *Server) tryPage(w http.ResponseWriter, r *http.Request, u user) error {
	return s.renderTry(w, r, u, nil)
}

// tryCall makes the chosen call with the session's token. The answer of the
// API is shown whatever it is; the page itself has then done what was asked.
func (s *Server) tryCall(w http.ResponseWriter, r *http.Request, u user) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.calls, func(c apiCall) bool { return c.id == form.Get("call") })
	if i < 0 {
		return answer.BadRequest("unknown call")
	}
	token, err := s.token(r.Context(), u.VaultKey)
	if err != nil {
		return err
	}
	sent := &witness{base: s.config.APITransport}
	result, err := s.callAPI(r.Context(), s.calls[i], &oauth2.Transport{Source: oauth2.StaticTokenSource(token), Base: sent}, sent)
	if err != nil {
		if answer.Abandoned(r, err) {
			return err
		}
		s.events.record(r.Context(), eventAPICallFailed, "call", s.calls[i].id, "error", err)
	}
	return s.renderTry(w, r, u, result)
}

func (s *Server) renderTry(w http.ResponseWriter, r *http.Request, u user, result *templates.CallResult) error {
	status, err := s.vault.Status(r.Context(), u.VaultKey)
	if err != nil {
		return err
	}
	scopes := strings.Fields(status.Scope)
	view := templates.TryAPI{Page: s.view(r, "Try an API"), Result: result}
	for _, c := range s.calls {
		view.Calls = append(view.Calls, c.view(scopes))
	}
	return s.answers.Render(w, r, http.StatusOK, templates.TryAPIPage(view))
}

func (c apiCall) view(scopes []string) templates.Call {
	view := templates.Call{ID: c.id, API: c.api, Method: http.MethodGet, Path: c.url, Summary: c.summary}
	if u, err := url.Parse(c.url); err == nil {
		view.Path = u.EscapedPath()
	}
	view.Allowed = slices.Contains(scopes, c.scope)
	view.Why = "Your token has the scope " + c.scope + "."
	if !view.Allowed {
		view.Why = "Your token lacks the scope " + c.scope + ": the API will refuse it. Sign in with a client that is granted it."
	}
	return view
}

// witness is a transport of one call. It remembers which tokens were sent,
// for none of them is to be shown.
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
func (s *Server) callAPI(ctx context.Context, c apiCall, transport http.RoundTripper, sent *witness) (*templates.CallResult, error) {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()
	result := &templates.CallResult{Call: c.view(nil), StatusText: "No answer"}
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
		result.Explanation = "The API did not answer: it is down, too slow, or its address is wrong. Your token is not the reason. Try again, or tell whoever runs this site."
		return result, fmt.Errorf("call %s: %w", c.id, redactURLError(err))
	}
	defer func() { _ = resp.Body.Close() }()
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, apiMaxBody+1))
	result.Duration = s.config.Now().Sub(started)
	result.Status, result.StatusText = resp.StatusCode, statusText(resp.StatusCode)
	result.Body, result.Explanation = showBody(body, cmp.Or(c.show, apiMaxShow), sent.tokens...), explainStatus(resp.StatusCode, c.scope)
	if readErr != nil {
		result.Explanation = "The answer broke off before its end. Try again."
		return result, fmt.Errorf("call %s: read the answer: %w", c.id, readErr)
	}
	return result, nil
}

// redactURLError drops the URL of an error of net/http, which is known anyway.
func redactURLError(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}

// jwt finds tokens that an API repeats in its answer, whole or cut off
// (RFC 7519 section 3: the header is base64url of a JSON object).
var jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}(\.[A-Za-z0-9_-]*)*`)

const tokenRemoved = "[token removed]"

// showBody is an answer's body for people: without the tokens that were sent or
// look like one, text only, of no more than show bytes.
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
		text = text[:max(0, len(text)-longest)] // which may begin a token that was cut off
	}
	if !whole || len(text) > show {
		return strings.ToValidUTF8(request.Clip(text, show), "") + "\n[the answer goes on]"
	}
	return text
}

// explainStatus tells what an API's status means for somebody with this token. The scope is empty where there are none.
func explainStatus(status int, scope string) string {
	switch {
	case status == http.StatusUnauthorized:
		return "The API does not accept the token. It may not trust the server that issued it, or the two clocks differ. Signing in again helps only if the session is very old."
	case status == http.StatusForbidden && scope == "":
		return "The API knows the token, but it does not allow this call: a right of the account is missing."
	case status == http.StatusForbidden:
		return "The API knows the token, but it does not allow this call: the scope " + scope + ", or a right of your account, is missing. Sign in with a client that is granted the scope, such as spa_admin for BackOffice."
	case status == http.StatusNotFound:
		return "The API has nothing at this path. Its version, or the configured address, may be another."
	case status == http.StatusTooManyRequests:
		return "The API asks for fewer calls. Wait a moment, then try again."
	case status >= 500:
		return "The API has a fault of its own. Your token is not the reason. Try again later."
	case status >= 400:
		return "The API does not accept this request."
	case status >= 300:
		return "The API answered with a redirect. It is not followed, because the token would go with it."
	default:
		return "The API accepted the token."
	}
}
