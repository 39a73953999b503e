package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
)

// handler answers a request or says why not; it must not do both.
type handler func(w http.ResponseWriter, r *http.Request) error

// page makes an http.Handler of h. It is the one place where errors become
// log lines and answers.
func (s *Server) page(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

// fail logs err and answers with what people may know of it. A session whose
// tokens are gone ends here.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	if abandoned(r, err) {
		s.log(ctx, slog.LevelInfo, "request abandoned", "error", err)
		w.WriteHeader(statusAbandoned)
		return
	}
	f := explain(r, err)
	if errors.Is(err, vault.ErrNotFound) || errors.Is(err, vault.ErrEnded) {
		s.log(ctx, slog.LevelInfo, "session over", "error", err)
		if err := s.sessions.End(ctx); err != nil {
			s.log(ctx, slog.LevelError, "session not ended", "error", err)
		}
	}
	s.log(ctx, level(f), "request failed", "status", f.Status, "error", f.Err)
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(f.RetryAfter)))
	}
	if wantsJSON(r) {
		writeJSON(w, f.Status, map[string]string{"error": f.Code, "message": f.Headline, "request_id": visitOf(ctx).ID})
		return
	}
	view := templates.ErrorPage{
		Page:   s.frame(r, f.Headline),
		Status: f.Status, Headline: f.Headline, Explanation: f.Explanation, Actions: f.Actions,
	}
	if err := s.render(w, r, f.Status, templates.ErrorPageView(view)); err != nil {
		s.log(ctx, slog.LevelError, "error page failed", "error", err)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write(s.fallback)
	}
}

// level is how loud a fault is in the log. A misconfigured client is an alarm.
func level(f *fault) slog.Level {
	switch {
	case errors.Is(f.Err, identity.ErrMisconfigured), f.Status == http.StatusInternalServerError:
		return slog.LevelError
	case f.Status > http.StatusInternalServerError:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// render draws c into a buffer and only then answers, so that a page that
// cannot be drawn is never half sent.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) error {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // it fails only if the browser went away
	return nil
}

// fallbackPage is the page for when no page can be drawn.
func fallbackPage() ([]byte, error) {
	f := (&fault{Status: http.StatusInternalServerError}).withDefaults()
	var b bytes.Buffer
	err := templates.ErrorPageView(templates.ErrorPage{
		Page:   templates.Page{Title: f.Headline},
		Status: f.Status, Headline: f.Headline, Explanation: f.Explanation, Actions: f.Actions,
	}).Render(context.Background(), &b)
	if err != nil {
		return nil, fmt.Errorf("web: render the fallback page: %w", err)
	}
	return b.Bytes(), nil
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // only our own plain types come here
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(raw, '\n'))
}

// wantsJSON reports whether r was sent by a script rather than by a person's
// browser, and so must get a status it can read instead of a page.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return r.URL.Path == "/session" || forAPI(r) && !isNavigation(r) || r.Header.Get("X-Requested-With") != "" ||
		strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
