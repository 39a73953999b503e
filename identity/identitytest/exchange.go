package identitytest

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf16"
)

// exchange is one request on its way through the server.
type exchange struct {
	*http.Request
	endpoint Endpoint
	query    url.Values
	form     url.Values // of the body, nil if it is not a form
	body     []byte
	fault    Fault
	problem  string // for the record, see Request.Problem
	out      answer
}

var errBodyTooLarge = errors.New("identitytest: request body too large")

// open reads the request and takes the fault that is due.
func (s *Server) open(r *http.Request, endpoint Endpoint) (*exchange, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequestBody+1))
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away
	}
	if len(body) > maxRequestBody {
		return nil, errBodyTooLarge
	}
	x := &exchange{Request: r, endpoint: endpoint, query: r.URL.Query(), body: body}
	if x.mediaType() == "application/x-www-form-urlencoded" {
		// ASP.NET Core keeps what it can read of a malformed form; so does ParseQuery.
		x.form, _ = url.ParseQuery(string(body))
	}
	x.fault = s.faults.take(endpoint, x.form.Get("grant_type"))
	return x, nil
}

// run answers the request as the fault wants it.
func (x *exchange) run(handle handler) {
	f := x.fault
	x.pause(f.DelayBefore)
	if f.LoseRequest {
		panic(http.ErrAbortHandler)
	}
	if f.Status != 0 || f.Body != nil {
		f.answerInstead(&x.out)
	} else {
		handle(x)
	}
	f.distort(&x.out)
	x.pause(f.DelayAfter)
	if f.LoseAnswer {
		panic(http.ErrAbortHandler)
	}
}

// pause waits for d, and cuts the connection at once if the client goes away meanwhile.
func (x *exchange) pause(d time.Duration) {
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

func (x *exchange) mediaType() string {
	mediaType, _, err := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return mediaType
}

// origin is scheme and host as the client sees them.
func (x *exchange) origin() string {
	if x.TLS != nil {
		return "https://" + x.Host
	}
	return "http://" + x.Host
}

// issuer is the iss of tokens made for this request.
func (s *Server) issuer(x *exchange) string {
	if s.config.Issuer != "" {
		return s.config.Issuer
	}
	return strings.ToLower(x.origin()) + basePath
}

// json answers with v.
func (x *exchange) json(status int, contentType string, v any) {
	x.out.Header().Set("Content-Type", contentType)
	x.out.WriteHeader(status)
	_, _ = x.out.Write(encodeJSON(v)) // a buffer takes all
}

// redirect answers 302.
func (x *exchange) redirect(location string) {
	x.out.Header().Set("Location", location)
	x.out.WriteHeader(http.StatusFound)
}

// allowOnly answers 405 unless the method is one of methods.
func (x *exchange) allowOnly(methods ...string) bool {
	for _, m := range methods {
		if x.Method == m {
			return true
		}
	}
	x.out.Header().Set("Allow", strings.Join(methods, ", "))
	x.out.WriteHeader(http.StatusMethodNotAllowed)
	return false
}

// noCache sets the headers of IdentityServer's token and authorize answers.
func (x *exchange) noCache() {
	x.out.Header().Set("Cache-Control", "no-store, no-cache, max-age=0")
	x.out.Header().Set("Pragma", "no-cache")
}

const (
	// identityServerJSON is the media type of IdentityServer's own endpoints.
	identityServerJSON = "application/json; charset=UTF-8"
	// mvcJSON is the media type of the platform's controllers beside it.
	mvcJSON     = "application/json; charset=utf-8"
	problemJSON = "application/problem+json; charset=utf-8"
)

// problemDetails answers with the error body of ASP.NET Core (RFC 7807).
func (x *exchange) problemDetails(status int) {
	kind, ok := map[int]string{
		http.StatusUnauthorized: "https://tools.ietf.org/html/rfc7235#section-3.1",
		http.StatusBadRequest:   "https://tools.ietf.org/html/rfc7231#section-6.5.1",
		http.StatusForbidden:    "https://tools.ietf.org/html/rfc7231#section-6.5.3",
		http.StatusNotFound:     "https://tools.ietf.org/html/rfc7231#section-6.5.4",
	}[status]
	if !ok {
		kind = "https://tools.ietf.org/html/rfc7231#section-6.5"
	}
	x.json(status, problemJSON, object{
		{"type", kind},
		{"title", http.StatusText(status)},
		{"status", status},
		{"traceId", "00-" + randomHex(16) + "-" + randomHex(8) + "-00"},
	})
}

// answer is a response that is not on the wire yet, so that a fault can still change it.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = make(http.Header)
	}
	return a.header
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *answer) sendTo(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	_, _ = w.Write(a.body.Bytes()) // the client may have gone
}

// randomHex returns n random bytes as lower-case hex digits.
func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}

// newHandle returns the text of a code or a refresh token: 64 lower-case hex digits.
func newHandle() string { return randomHex(32) }

// isMissing reports what .NET calls null or white space.
func isMissing(s string) bool { return strings.TrimSpace(s) == "" }

// tooLong compares the length of s as .NET counts it, in UTF-16 code units.
func tooLong(s string, limit int) bool {
	return len(s) > limit && len(utf16.Encode([]rune(s))) > limit
}
