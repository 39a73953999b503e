package request

import (
	"bufio"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// LogAccess writes one line for each request, also for one that panics. The
// line has the path in its escaped form, without the query: people paste
// secrets into the wrong place. Health checks and API calls that succeed are
// logged at debug level.
func LogAccess(logger *slog.Logger, now func() time.Time) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			started := now()
			sw := &statusWriter{ResponseWriter: w}
			defer func() { logRequest(logger, r, sw, started, now) }()
			next.ServeHTTP(sw, r)
		})
	}
}

// logRequest adds the attributes of the request itself: that is cheaper than
// [NewLogHandler], and every API call pays for it.
func logRequest(logger *slog.Logger, r *http.Request, w *statusWriter, started time.Time, now func() time.Time) {
	ctx := r.Context()
	info := Of(ctx)
	level := slog.LevelInfo
	polled := info.APICall || r.URL.Path == "/session" // by the scripts of pages
	if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" || polled && w.status < http.StatusBadRequest {
		level = slog.LevelDebug
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs,
		slog.String("method", Clip(r.Method, 20)), slog.String("path", Clip(r.URL.EscapedPath(), 200)),
		slog.Int("status", w.status), slog.Int64("bytes", w.bytes), slog.Duration("took", now().Sub(started)),
		slog.String("request", info.ID), slog.String("address", info.Address.String()))
	if info.Session != "" {
		attrs = append(attrs, slog.String("session", info.Session))
	}
	logger.LogAttrs(ctx, level, "request", attrs...)
}

// Status returns the status of the answer on w, which is a writer that
// [LogAccess] passed on, or 0 if no answer has begun.
func Status(w http.ResponseWriter) int {
	if sw, ok := w.(*statusWriter); ok {
		return sw.status
	}
	return 0
}

// statusWriter records the status and the size of the answer.
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

// Hijack implements http.Hijacker. The handler writes the rest of the answer
// past this writer, so the status to log is set here.
func (w *statusWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, buffered, err
}

// Unwrap lets http.ResponseController reach the writer underneath.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
