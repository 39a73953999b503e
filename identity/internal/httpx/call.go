package httpx

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/strictjson"
	"b2trader.identity.auth/identity/tokenapi"
)

// A Call is one operation at a Peer. Its errors are of type *tokenapi.Error and
// contain no secret of the call.
type Call struct {
	Transport
	system string
}

// Call begins an operation. The secrets are the ones that the operation sends;
// errors and observers do not show them.
func (p Peer) Call(op string, secrets ...string) *Call {
	return &Call{
		Transport: Transport{
			Base: p.HTTP.Transport, Timeout: p.HTTP.Timeout, Op: op, Observe: p.HTTP.Observe, Now: p.HTTP.Now, Secrets: secrets, Clock: p.Clock,
		},
		system: p.System,
	}
}

// Refreshing begins the exchange of the refresh token of old, which may be nil.
//
// Errors: ErrGrantRefused if old has no refresh token, or one with characters
// that no token has. Nothing is sent then.
func (p Peer) Refreshing(old *oauth2.Token) (*Call, error) {
	if old == nil {
		old = new(oauth2.Token)
	}
	call := p.Patient().Call("refresh token", old.RefreshToken)
	switch {
	case old.RefreshToken == "":
		return nil, call.Fail(tokenapi.ErrGrantRefused, "there is no refresh token")
	case !HeaderSafe(old.RefreshToken):
		return nil, call.Fail(tokenapi.ErrGrantRefused, "the refresh token contains characters that a token cannot have")
	}
	return call, nil
}

// Client returns a client that sends each request once and follows no redirect,
// unless check says otherwise.
func (c *Call) Client(jar http.CookieJar, check func(*http.Request, []*http.Request) error) *http.Client {
	if check == nil {
		check = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &http.Client{Transport: &c.Transport, Jar: jar, CheckRedirect: check}
}

// A Request is the request of a Call. Zero fields are not sent.
type Request struct {
	Method, URL string // Method empty: POST
	Header      http.Header
	Body        any    // url.Values are encoded as a form, others as JSON
	MediaType   string // of JSON, also in the expected answer; empty: application/json
	Jar         http.CookieJar
}

// Send sends r once and leaves the answer in c.Last.
func (c *Call) Send(ctx context.Context, r Request) error {
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

// Ask is Send with the error of a refusal, by v.
func (c *Call) Ask(ctx context.Context, r Request, v Verdict) error {
	if err := c.Send(ctx, r); err != nil {
		return err
	}
	if !c.OK() {
		return c.Refused(v)
	}
	return nil
}

func (r Request) build(ctx context.Context) (*http.Request, error) {
	form, isForm := r.Body.(url.Values)
	var body io.Reader
	if isForm {
		body = strings.NewReader(form.Encode())
	} else if r.Body != nil {
		raw, err := json.Marshal(r.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, cmp.Or(r.Method, http.MethodPost), r.URL, body)
	if err != nil {
		return nil, errors.New("the URL cannot be parsed") // err repeats the URL
	}
	if r.Header != nil {
		req.Header = r.Header
	}
	if isForm {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return req, nil
	}
	mediaType := cmp.Or(r.MediaType, "application/json")
	if body != nil {
		req.Header.Set("Content-Type", mediaType)
	}
	req.Header.Set("Accept", mediaType)
	return req, nil
}

// OK reports whether the status of the last answer is 2xx.
func (c *Call) OK() bool { return c.Last.StatusCode/100 == 2 }

// Decode decodes the JSON of the last answer into v, whatever media type the
// answer claims. Its error says that the answer is not want, such as "a token".
func (c *Call) Decode(v any, want string) error {
	if strictjson.Unmarshal(c.Last.Body, v) != nil {
		return c.Unusable("the answer is not " + want)
	}
	return nil
}

// IsJSON reports whether body is JSON, whatever its media type is: gateways and
// servers send JSON as text/json, text/plain or with malformed parameters.
func IsJSON(body []byte) bool { return json.Valid(bytes.TrimPrefix(body, []byte("\ufeff"))) }

// IsPage reports whether the last answer has a body that is not JSON, such as
// the page of a gateway.
func (c *Call) IsPage() bool { return len(c.Last.Body) > 0 && !IsJSON(c.Last.Body) }

// isHTML reports whether the last answer is a page in HTML. JSON is not a page,
// whatever its media type is.
func (c *Call) isHTML() bool {
	mediaType, _, _ := mime.ParseMediaType(c.Last.Header.Get("Content-Type"))
	return mediaType == "text/html" && !IsJSON(c.Last.Body)
}
