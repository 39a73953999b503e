package answer

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	"b2trader.identity.auth/web/internal/request"
)

var errPanic = errors.New("a handler panicked")

// RecoverPanics turns a panic of next into a 500, or cuts the connection if the
// answer has begun.
func (a *Answers) RecoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // net/http cuts the connection
			}
			a.config.Logger.ErrorContext(r.Context(), "panic", "cause", panicCause(p), "stack", string(debug.Stack()))
			if request.Status(w) != 0 {
				panic(http.ErrAbortHandler) // a part of an answer must not look complete
			}
			a.Fail(w, r, &Error{Status: http.StatusInternalServerError, Err: errPanic})
		}()
		next.ServeHTTP(w, r)
	})
}

// panicCause returns the text of a run-time error. Of another value it returns
// only the type, because the value may contain a secret.
func panicCause(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a %T", p)
}
