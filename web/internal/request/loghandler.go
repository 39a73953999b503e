package request

import (
	"context"
	"log/slog"
)

// NewLogHandler returns a slog.Handler that adds the request's ID, the client's
// address and the session, as "request", "address" and "session", to each
// record that is logged with the context of a request.
func NewLogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	info := Of(ctx)
	if info.ID != "" {
		r.AddAttrs(slog.String("request", info.ID), slog.String("address", info.Address.String()))
	}
	if info.Session != "" {
		r.AddAttrs(slog.String("session", info.Session))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler {
	return logHandler{h.Handler.WithGroup(name)}
}
