package httpx

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"

	"b2trader.identity.auth/identity/internal/strictjson"
)

// A Problem is the body of a refusal. The APIs use these shapes:
//
//	{error, error_description}                 RFC 6749 section 5.2
//	{title, detail, traceId}                   RFC 9457, problem details
//	{errors: [{code, message}]}                B2Trader
//	{error: {message, details: [{issue}]}}     B2Core
//	{errors: [{status, code, title, detail}]}  JSON:API
type Problem struct {
	Code, Description, TraceID string
}

type wireProblem struct {
	Error            json.RawMessage `json:"error"` // a code, or an object with a message
	ErrorDescription Text            `json:"error_description"`
	Title            Text            `json:"title"`
	Detail           Text            `json:"detail"`
	TraceID          Text            `json:"traceId"`
	Errors           json.RawMessage `json:"errors"` // a list, or an object of lists by field
}

type wireItem struct {
	Code    json.RawMessage `json:"code"` // a string or a number
	Message Text            `json:"message"`
	Title   Text            `json:"title"`
	Detail  Text            `json:"detail"`
	Details json.RawMessage `json:"details"` // a list of objects with an issue
}

// text returns the description of the item, with the first issue of its
// details.
func (item wireItem) text() string {
	text := first(item.Message, item.Detail, item.Title)
	var details []struct {
		Issue Text `json:"issue"`
	}
	if strictjson.Unmarshal(item.Details, &details) != nil || len(details) == 0 || details[0].Issue == "" {
		return text
	}
	return strings.TrimPrefix(text+": "+string(details[0].Issue), ": ")
}

// ParseProblem decodes the body of a refusal. It never fails: fields that it
// cannot read stay empty.
func ParseProblem(body []byte) Problem {
	var w wireProblem
	if strictjson.Unmarshal(body, &w) != nil {
		return Problem{}
	}
	p := Problem{Description: first(w.ErrorDescription, w.Detail, w.Title), TraceID: string(w.TraceID)}
	if json.Unmarshal(w.Error, &p.Code) != nil {
		var item wireItem
		_ = strictjson.Unmarshal(w.Error, &item)
		p.merge(item)
	}
	var items []wireItem
	if strictjson.Unmarshal(w.Errors, &items) == nil && len(items) > 0 {
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

func first(values ...Text) string { return string(cmp.Or(values...)) }
