package httpx

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"
)

// Redacted stands where a secret was.
const Redacted = "[redacted]"

// An Exchange describes one HTTP exchange. It holds no secret: values of parameters are
// shown only for the names that are known to be harmless.
type Exchange struct {
	Op         string     // the operation that needed it, such as "refresh token"
	Method     string     // GET or POST
	URL        string     // without query
	Parameters url.Values // of the query or the body, secrets redacted
	StatusCode int        // 0: no answer
	Redirect   string     // where a 3xx answer points, without query
	Started    time.Time
	Duration   time.Duration
	Err        error // why there was no answer
}

// harmless are the parameters whose values say nothing that must be kept from a reader of logs.
var harmless = map[string]bool{
	"client_id": true, "code_challenge_method": true, "grant_type": true, "provider": true,
	"redirect_uri": true, "response_type": true, "scope": true,
}

func (t *Transport) describe(req *http.Request, err error) Exchange {
	x := Exchange{
		Op:         t.Op,
		Method:     req.Method,
		URL:        WithoutQuery(req.URL),
		Parameters: parameters(req),
		StatusCode: t.Last.StatusCode,
		Started:    t.Sent,
		Duration:   t.Now().Sub(t.Sent),
		Err:        err,
	}
	if l, err := req.URL.Parse(t.Last.Header.Get("Location")); err == nil && t.Last.StatusCode/100 == 3 {
		x.Redirect = WithoutQuery(l)
	}
	return x
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
			sent[name] = []string{Redacted}
		}
	}
	return sent
}

func addBody(sent url.Values, contentType string, raw []byte) {
	if mediaType, _, _ := mime.ParseMediaType(contentType); mediaType == "application/json" {
		var fields map[string]any
		if json.Unmarshal(raw, &fields) == nil {
			for name, v := range fields {
				s, _ := v.(string)
				sent.Set(name, s)
			}
		}
		return
	}
	form, _ := url.ParseQuery(string(raw))
	for name, values := range form {
		sent[name] = values
	}
}
