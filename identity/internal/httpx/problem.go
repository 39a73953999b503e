package httpx

import (
	"bytes"
	"cmp"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"b2trader.identity.auth/identity/tokenapi"
)

// A Problem is what a peer says of a request that it refused, decoded from any of the shapes in use:
// RFC 6749 section 5.2 {error, error_description}, RFC 9457 problem details {title, detail, traceId},
// {errors: [{code, message}]}, {error: {message, details: [{issue}]}}, and JSON:API {errors: [{status, code, title, detail}]}.
type Problem struct {
	Code, Description, TraceID string
}

type wireProblem struct {
	Error            json.RawMessage `json:"error"` // a code, or an object with a message
	ErrorDescription words           `json:"error_description"`
	Title            words           `json:"title"`
	Detail           words           `json:"detail"`
	TraceID          words           `json:"traceId"`
	Errors           json.RawMessage `json:"errors"` // a list, or an object of lists by field
}

type wireItem struct {
	Code    json.RawMessage `json:"code"` // a string or a number
	Message words           `json:"message"`
	Title   words           `json:"title"`
	Detail  words           `json:"detail"`
	Details json.RawMessage `json:"details"` // a list of objects with an issue
}

// text is what the item says, with the first issue of its details.
func (item wireItem) text() string {
	text := first(item.Message, item.Detail, item.Title)
	var details []struct {
		Issue words `json:"issue"`
	}
	if json.Unmarshal(item.Details, &details) != nil || len(details) == 0 || details[0].Issue == "" {
		return text
	}
	return strings.TrimPrefix(text+": "+string(details[0].Issue), ": ")
}

// words are a JSON string. Anything else is taken for none: one member of an unexpected type must not hide the others.
type words string

// UnmarshalJSON implements json.Unmarshaler.
func (w *words) UnmarshalJSON(raw []byte) error {
	_ = json.Unmarshal(raw, (*string)(w))
	return nil
}

// ParseProblem decodes a body. What it cannot read it leaves empty; it never fails.
func ParseProblem(body []byte) Problem {
	var w wireProblem
	if json.Unmarshal(body, &w) != nil {
		return Problem{}
	}
	p := Problem{Description: first(w.ErrorDescription, w.Detail, w.Title), TraceID: string(w.TraceID)}
	if json.Unmarshal(w.Error, &p.Code) != nil {
		var item wireItem
		_ = json.Unmarshal(w.Error, &item)
		p.merge(item)
	}
	var items []wireItem
	if json.Unmarshal(w.Errors, &items) == nil && len(items) > 0 {
		p.merge(items[0])
	}
	return p
}

func (p *Problem) merge(item wireItem) {
	code := string(bytes.Trim(item.Code, `"`))
	if code == "null" {
		code = ""
	}
	p.Code = cmp.Or(p.Code, code)
	p.Description = cmp.Or(item.text(), p.Description)
}

func first(values ...words) string { return string(cmp.Or(values...)) }

// Clean makes a peer's words fit for an error or a log: control characters removed, the given secrets replaced (also as
// forms and JSON spell them), at most 200 bytes.
func Clean(s string, secrets ...string) string {
	s = printable(s)
	for _, secret := range secrets {
		for _, spelling := range []string{secret, url.QueryEscape(secret), inJSON(secret)} {
			if spelling = printable(spelling); spelling != "" {
				s = strings.ReplaceAll(s, spelling, tokenapi.Redacted)
			}
		}
	}
	const limit = 200
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}

// printable removes control characters and their like.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// inJSON returns s as a Request's body spells it, without the quotation marks.
func inJSON(s string) string {
	raw, _ := json.Marshal(s) // a string can always be marshalled
	return string(raw[1 : len(raw)-1])
}

// IsJSON reports whether a Content-Type announces JSON, such as application/json or application/problem+json.
func IsJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"))
}

// RetryAfter reads the header of RFC 9110 section 10.2.3: seconds or a date. It returns 0 if there is none.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil {
		return max(0, time.Duration(min(n, 86400))*time.Second)
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, min(at.Sub(now), 24*time.Hour))
	}
	return 0
}
