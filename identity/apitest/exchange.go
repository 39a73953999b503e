package apitest

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxRequestBody bounds the body of a request, in bytes.
const maxRequestBody = 1 << 20

// Exchange is one request to the server and the answer to it.
type Exchange struct {
	// Request is the request. Its body has been read, see Body.
	*http.Request
	// Endpoint that the request is for.
	Endpoint Endpoint
	// Query is the decoded query, never nil.
	Query url.Values
	// Form is the decoded body of an application/x-www-form-urlencoded form,
	// otherwise nil. A malformed form is decoded as far as possible.
	Form url.Values
	// Body is the request's body as sent, at most 1 MiB.
	Body []byte
	// Fault is the fault of this request. The zero Fault is none.
	Fault Fault

	problem string                     // for the record, see Request.Problem
	out     *httptest.ResponseRecorder // not sent yet, so that a fault can still change it
	upgrade http.Handler               // nil: the answer is out
}

// open reads the request. It returns false if the body is too large.
func open(r *http.Request, endpoint Endpoint) (*Exchange, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBody+1))
	if err != nil {
		panic(http.ErrAbortHandler) // the client disconnected
	}
	if len(body) > maxRequestBody {
		return nil, false
	}
	x := &Exchange{Request: r, Endpoint: endpoint, Query: r.URL.Query(), Body: body, out: httptest.NewRecorder()}
	if x.MediaType() == "application/x-www-form-urlencoded" {
		x.Form, _ = url.ParseQuery(string(body)) // keeps the valid part
	}
	return x, true
}

// run answers the request, with its fault.
func (x *Exchange) run(handle Handler) {
	f := x.Fault
	x.pause(f.DelayBefore)
	if f.LoseRequest {
		panic(http.ErrAbortHandler)
	}
	if f.Status != 0 || f.Body != nil {
		f.answerInstead(x.out)
	} else {
		handle(x)
	}
	f.distort(x.out)
	x.pause(f.DelayAfter)
	if f.LoseAnswer {
		panic(http.ErrAbortHandler)
	}
}

// pause waits for d. If the client disconnects meanwhile, it cuts the
// connection at once.
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

// MediaType returns the request's Content-Type without its parameters, in lower
// case; "" if it is missing or malformed.
func (x *Exchange) MediaType() string {
	mediaType, _, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return mediaType
}

// Bearer returns the token of an "Authorization: Bearer" header (RFC 6750
// section 2.1), or "".
func (x *Exchange) Bearer() string {
	scheme, token, _ := strings.Cut(x.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Decode decodes the body into v as json.Unmarshal does, whatever its media
// type. It returns false if that fails, and leaves the answer to the handler.
func (x *Exchange) Decode(v any) bool { return json.Unmarshal(x.Body, v) == nil }

// Note sets [Request.Problem] in the record. The last call counts.
func (x *Exchange) Note(problem string) { x.problem = problem }

// Answer returns the writer of the answer: header fields first, then the
// status, then the body. Nothing is sent before the handler returns.
func (x *Exchange) Answer() http.ResponseWriter { return x.out }

// JSON answers with v as JSON, without escaping &, < and >. It panics on a
// value that JSON cannot represent.
func (x *Exchange) JSON(status int, contentType string, v any) {
	x.out.Header().Set("Content-Type", contentType)
	x.out.WriteHeader(status)
	_, _ = x.out.Write(encodeJSON(v)) // a buffer never fails
}

// Status answers with a status and no body.
func (x *Exchange) Status(status int) { x.out.WriteHeader(status) }

// Upgrade answers with h, which may take over the connection as a websocket
// does. It is called after the Handler has returned. A fault that delays, loses
// or replaces an answer applies, one that changes it does not. The record has
// the status 101. Without a socket, see [Server.Transport], the answer is 501.
func (x *Exchange) Upgrade(h http.Handler) {
	x.upgrade = h
	x.out.WriteHeader(http.StatusSwitchingProtocols)
}

// AllowOnly reports whether the method is one of methods. If not, it answers
// 405 with an Allow header.
func (x *Exchange) AllowOnly(methods ...string) bool {
	if slices.Contains(methods, x.Method) {
		return true
	}
	x.out.Header().Set("Allow", strings.Join(methods, ", "))
	x.out.WriteHeader(http.StatusMethodNotAllowed)
	return false
}
