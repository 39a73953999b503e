package b2binpay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxCallback bounds the body of a callback, in bytes.
const maxCallback = 1 << 20

// Handler answers B2BINPAY's callbacks. It passes a verified callback to next and
// answers 200 with an empty body, as the vendor requires, after next returned
// nil. If next fails, it answers 500, and B2BINPAY sends the callback again; so
// next must return nil for a callback that it has already handled.
//
// Handler refuses other callbacks without calling next, and reports them to
// CallbackConfig.OnRefused: 400 if malformed, 403 if the signature or the time is
// not accepted, 405 for another method than POST, 413 above 1 MiB, and 503 if
// the password or secret cannot be read. It ignores the Content-Type, which the
// vendor does not document.
//
// Handler panics if next is nil.
func (c *Callbacks) Handler(next func(ctx context.Context, cb *Callback) error) http.Handler {
	if next == nil {
		panic("b2binpay: Callbacks.Handler: next is nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cb, err := c.receive(w, r)
		switch {
		case err != nil:
			if c.config.OnRefused != nil {
				c.config.OnRefused(r.Context(), err)
			}
			w.WriteHeader(refusal(err))
		case next(r.Context(), cb) != nil:
			w.WriteHeader(http.StatusInternalServerError)
		default:
			w.WriteHeader(http.StatusOK)
		}
	})
}

// errMethod refuses another method than POST.
var errMethod = errors.New("b2binpay: a callback must be a POST")

func (c *Callbacks) receive(w http.ResponseWriter, r *http.Request) (*Callback, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return nil, errMethod
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCallback))
	if err != nil {
		return nil, fmt.Errorf("b2binpay: read callback: %w: %w", ErrCallbackMalformed, err)
	}
	return c.Verify(r.Context(), body)
}

// refusal returns the status of an error of receive.
func refusal(err error) int {
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case errors.Is(err, errMethod):
		return http.StatusMethodNotAllowed
	case tooLarge:
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrCallbackMalformed):
		return http.StatusBadRequest
	case errors.Is(err, ErrCallbackUnsigned), errors.Is(err, ErrCallbackSignature), errors.Is(err, ErrCallbackStale):
		return http.StatusForbidden
	default:
		return http.StatusServiceUnavailable
	}
}
