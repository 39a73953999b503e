package httpx

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/tokenapi"
)

// call returns a call at a peer that base answers for.
func call(base roundTripper) *Call {
	return Peer{System: "test", HTTP: tokenapi.HTTP{Transport: base}.WithDefaults()}.Call("test", "s3cret")
}

// A request that cannot be made is not sent, and its error hides the URL.
func TestSendFails(t *testing.T) {
	for name, r := range map[string]Request{
		"no URL":  {Method: http.MethodGet, URL: "http://[s3cret"},
		"no JSON": {Method: http.MethodPost, URL: "http://test", Body: func() {}},
	} {
		err := call(nil).Send(t.Context(), r)
		e, ok := errors.AsType[*tokenapi.Error](err)
		if !ok || !errors.Is(e, tokenapi.ErrMisconfigured) || e.Sent || strings.Contains(e.Error(), "s3cret") {
			t.Errorf("%s: Send = %v, want ErrMisconfigured without the URL", name, err)
		}
	}
}

// The path of an error is that of the URL, without secrets and the query.
func TestErrorPath(t *testing.T) {
	for want, base := range map[error]roundTripper{
		tokenapi.ErrUnusableAnswer: func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusTeapot, Body: http.NoBody}, nil
		},
		tokenapi.ErrUnavailable: func(*http.Request) (*http.Response, error) { return nil, errors.New("cut") },
	} {
		c := call(base)
		err := c.Send(t.Context(), Request{Method: http.MethodGet, URL: "http://test/of/s3cret?q=1"})
		if err == nil {
			err = c.Refused(Verdict{})
		}
		e, ok := errors.AsType[*tokenapi.Error](err)
		if !ok || !errors.Is(err, want) || e.Path != "/of/[redacted]" {
			t.Errorf("got %#v, want %v with the path redacted and without the query", err, want)
		}
	}
}
