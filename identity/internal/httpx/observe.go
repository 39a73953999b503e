package httpx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"

	"b2trader.identity.auth/identity/tokenapi"
)

// harmless are the parameters whose values say nothing that must be kept from a reader of logs.
var harmless = map[string]bool{
	"client_id": true, "code_challenge_method": true, "grant_type": true, "provider": true,
	"redirect_uri": true, "response_type": true, "scope": true,
}

func (t *Transport) describe(req *http.Request, err error) tokenapi.Exchange {
	x := tokenapi.Exchange{
		Op:         t.Op,
		Method:     req.Method,
		URL:        WithoutQuery(req.URL),
		Parameters: parameters(req),
		StatusCode: t.Last.StatusCode,
		Started:    t.Sent,
		Duration:   t.Now().Sub(t.Sent),
		Err:        t.told(err),
	}
	if l, err := req.URL.Parse(t.Last.Header.Get("Location")); err == nil && t.Last.StatusCode/100 == 3 {
		x.Redirect = Clean(WithoutQuery(l), t.Secrets...)
	}
	return x
}

// told is err as an observer may see it: net/http repeats what breaks HTTP, which may be what was sent. Of what it wraps, the end of
// a context is left.
func (t *Transport) told(err error) error {
	if err == nil {
		return nil
	}
	text := Clean(err.Error(), t.Secrets...)
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return fmt.Errorf("%s: %w", text, end)
		}
	}
	return errors.New(text)
}

// WithoutQuery returns u without userinfo, query and fragment, where secrets travel.
func WithoutQuery(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

func parameters(req *http.Request) url.Values {
	sent := req.URL.Query()
	if req.GetBody != nil {
		if body, err := req.GetBody(); err == nil {
			raw, _ := io.ReadAll(body)
			addBody(sent, req.Header.Get("Content-Type"), raw)
		}
	}
	for name := range sent {
		if !harmless[name] {
			sent[name] = []string{tokenapi.Redacted}
		}
	}
	return sent
}

// addBody adds what a body of a known media type says. Of any other nothing is known, not even which part is a name.
func addBody(sent url.Values, contentType string, raw []byte) {
	if IsJSON(contentType) {
		var fields map[string]any
		if json.Unmarshal(raw, &fields) == nil {
			for name, v := range fields {
				s, _ := v.(string)
				sent.Set(name, s)
			}
		}
		return
	}
	if mediaType, _, _ := mime.ParseMediaType(contentType); mediaType != "application/x-www-form-urlencoded" {
		return
	}
	form, _ := url.ParseQuery(string(raw))
	for name, values := range form {
		sent[name] = values
	}
}
