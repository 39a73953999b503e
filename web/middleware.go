package web

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"time"
)

// middleware wraps a handler.
type middleware func(http.Handler) http.Handler

// chain applies its middlewares so that the first sees the request first.
func chain(m ...middleware) middleware {
	return func(h http.Handler) http.Handler {
		for i := len(m) - 1; i >= 0; i-- {
			h = m[i](h)
		}
		return h
	}
}

// visit is what is known of one request. Handlers within fill in the session.
type visit struct {
	ID      string
	Address netip.Addr
	Session string // hashed and shortened; empty without a session
	call    *call  // of an API, if it is one
}

type visitKey struct{}

// visitOf returns the request's visit; outside of identify it is an empty one.
func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v
	}
	return &visit{}
}

// identify gives each request a fresh id, in the log and in X-Request-Id. An id
// that comes with the request is ignored: whoever sends it could forge log lines.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var id [8]byte
		binary.BigEndian.PutUint64(id[:], rand.Uint64()) // whoever guesses it gains nothing
		v := &visit{ID: hex.EncodeToString(id[:]), Address: clientAddress(r, s.config.TrustedProxies)}
		w.Header()["X-Request-Id"] = []string{v.ID}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	})
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the writer underneath.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// logAccess writes one line per request, also for one that panics. The path
// is logged in its escaped form and without the query, which may hold what
// somebody typed into the wrong place.
func (s *Server) logAccess(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := s.config.Now()
		sw := &statusWriter{ResponseWriter: w}
		defer func() {
			s.logRequest(r, sw, s.config.Now().Sub(started))
		}()
		next.ServeHTTP(sw, r)
	})
}

// logRequest is not s.log, which would cost an API call more than all its checks.
func (s *Server) logRequest(r *http.Request, w *statusWriter, took time.Duration) {
	ctx := r.Context()
	v := visitOf(ctx)
	level := slog.LevelInfo
	if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" || v.call != nil && w.status < http.StatusBadRequest {
		level = slog.LevelDebug // there are many, and they say that all is well
	}
	if !s.config.Logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs,
		slog.String("method", clip(r.Method, 20)), slog.String("path", clip(r.URL.EscapedPath(), 200)),
		slog.Int("status", w.status), slog.Int64("bytes", w.bytes), slog.Duration("took", took),
		slog.String("request", v.ID), slog.String("address", v.Address.String()))
	if v.Session != "" {
		attrs = append(attrs, slog.String("session", v.Session))
	}
	s.config.Logger.LogAttrs(ctx, level, "request", attrs...)
}

// recoverPanics turns a panic into a 500 page. It is outside of the session's
// middleware, so what a panicking handler did to the session is not saved.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // net/http's own way to cut a connection
			}
			s.log(r.Context(), slog.LevelError, "panic", "cause", panicCause(p), "stack", string(debug.Stack()))
			if sw, ok := w.(*statusWriter); ok && sw.status != 0 {
				panic(http.ErrAbortHandler) // half an answer must not look whole
			}
			s.fail(w, r, &fault{Status: http.StatusInternalServerError, Err: errPanic})
		}()
		next.ServeHTTP(w, r)
	})
}

// panicCause is the text of a run-time error. Of any other value only the type
// is told: nobody knows what is in it.
func panicCause(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a %T", p)
}

// log counts an event, and writes it with the request's id, address and session.
func (s *Server) log(ctx context.Context, level slog.Level, msg string, args ...any) {
	s.metrics.event(msg, args)
	v := visitOf(ctx)
	if v.ID != "" {
		args = append(args, "request", v.ID, "address", v.Address.String())
	}
	if v.Session != "" {
		args = append(args, "session", v.Session)
	}
	s.config.Logger.Log(ctx, level, msg, args...)
}

// clip shortens s to at most n bytes.
func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// seconds is d in whole seconds, rounded up, and at least one.
func seconds(d time.Duration) int {
	return max(1, int((d+time.Second-1)/time.Second))
}
