package apitest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxRequestBody bounds what is read of a request, in bytes.
const maxRequestBody = 1 << 20

// Exchange is one request on its way through the server, and the answer to it.
type Exchange struct {
	// Request is what arrived. Its body has been read, see Body.
	*http.Request
	// Endpoint that the request is for.
	Endpoint Endpoint
	// Query is the decoded query, never nil.
	Query url.Values
	// Form is the decoded body if it was an application/x-www-form-urlencoded form, else nil.
	// Of a malformed form it has what can be read.
	Form url.Values
	// Body is the request's body as sent, at most 1 MiB.
	Body []byte
	// Fault is the one that the request suffers. The zero Fault is none.
	Fault Fault

	problem string // for the record, see Request.Problem
	out     answer
}

// open reads the request. It is false if the body is too large.
func open(r *http.Request, endpoint Endpoint) (*Exchange, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBody+1))
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away
	}
	if len(body) > maxRequestBody {
		return nil, false
	}
	x := &Exchange{Request: r, Endpoint: endpoint, Query: r.URL.Query(), Body: body}
	if x.MediaType() == "application/x-www-form-urlencoded" {
		x.Form, _ = url.ParseQuery(string(body)) // it keeps what it can read
	}
	return x, true
}

// run answers the request as the fault wants it.
func (x *Exchange) run(handle Handler) {
	f := x.Fault
	x.pause(f.DelayBefore)
	if f.LoseRequest {
		panic(http.ErrAbortHandler)
	}
	if f.Status != 0 || f.Body != nil {
		f.answerInstead(&x.out)
	} else {
		handle(x)
	}
	x.out.WriteHeader(http.StatusOK) // unless there is a status
	f.distort(&x.out)
	x.pause(f.DelayAfter)
	if f.LoseAnswer {
		panic(http.ErrAbortHandler)
	}
}

// pause waits for d, and cuts the connection at once if the client goes away meanwhile.
func (x *Exchange) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// MediaType is the request's Content-Type without its parameters, in lower case; "" if there
// is none that can be read.
func (x *Exchange) MediaType() string {
	mediaType, _, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return mediaType
}

// Bearer returns the token of an "Authorization: Bearer" header, RFC 6750 section 2.1, or "".
func (x *Exchange) Bearer() string {
	scheme, token, _ := strings.Cut(x.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Decode reads the body into v, as json.Unmarshal does, whatever its media type. It is
// false if the body is no JSON that fits v; it answers nothing, since servers refuse each
// in its own words.
func (x *Exchange) Decode(v any) bool { return json.Unmarshal(x.Body, v) == nil }

// Note leaves problem in the record, as [Request.Problem]. The last one counts.
func (x *Exchange) Note(problem string) { x.problem = problem }

// Answer is where the answer is written: its header fields first, then its status, then its
// body. Nothing of it is on the wire before the handler returns.
func (x *Exchange) Answer() http.ResponseWriter { return &x.out }

// JSON answers with v as JSON, without escaping &, < and >. It panics on a value that JSON
// cannot hold.
func (x *Exchange) JSON(status int, contentType string, v any) {
	x.out.Header().Set("Content-Type", contentType)
	x.out.WriteHeader(status)
	_, _ = x.out.Write(encodeJSON(v)) // a buffer takes all
}

// Status answers with a status and no body.
func (x *Exchange) Status(status int) { x.out.WriteHeader(status) }

// AllowOnly answers 405 with an Allow header, and is false, unless the method is one of
// methods.
func (x *Exchange) AllowOnly(methods ...string) bool {
	if slices.Contains(methods, x.Method) {
		return true
	}
	x.out.Header().Set("Allow", strings.Join(methods, ", "))
	x.out.WriteHeader(http.StatusMethodNotAllowed)
	return false
}
