package web

import (
	"bufio"
	"errors"
	"net"
	"net/http"

	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// withSession loads the session for next, and saves it before the first byte
// of the answer, where its failure can still be told: a store that fails is
// 503 and leaves the cookie alone, which is not the same as no session.
func (s *Server) withSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Cookie")
		var token string
		if cookie, err := r.Cookie(s.sessions.manager.Cookie.Name); err == nil {
			token = cookie.Value
		}
		ctx, err := s.sessions.Load(r.Context(), token)
		if err != nil {
			s.answers.Fail(w, r, answer.StoreUnavailable(err))
			return
		}
		request.Of(ctx).Session = s.sessions.ID(ctx)
		r = r.WithContext(ctx)
		sw := &saver{ResponseWriter: w, server: s, request: r, token: token}
		defer sw.finish()
		next.ServeHTTP(sw, r)
	})
}

// errNotSaved is what a handler gets that goes on writing after its session could not be saved.
var errNotSaved = errors.New("web: the session could not be saved, and that is the answer")

// saver saves the session just before the first byte. It buffers nothing.
type saver struct {
	http.ResponseWriter
	server  *Server
	request *http.Request
	token   string // that the browser has
	state   saverState
}

type saverState int

const (
	unsaved saverState = iota
	saved
	refused // the answer is that the session could not be saved
)

// save saves the session, once, and reports whether the handler's answer may be sent.
func (w *saver) save() bool {
	if w.state != unsaved {
		return w.state == saved
	}
	w.state = saved
	s, ctx := w.server, w.request.Context()
	token, err := s.sessions.Save(ctx)
	switch {
	case errors.Is(err, errSessionEnded): // while this request was running: it is not saved, and that is right
		s.logger.InfoContext(ctx, "session not saved: it ended meanwhile")
		return true
	case err != nil:
		w.state = refused
		w.refuse(err)
		return false
	}
	if token != w.token && (token != "" || s.sessions.Destroyed(ctx)) {
		w.token = token
		http.SetCookie(w.ResponseWriter, s.sessions.cookie(token))
	}
	return true
}

// refuse answers 503 in place of what the handler was about to answer.
func (w *saver) refuse(err error) {
	answer.ResetHeaders(w.Header(), w.server.config.secure())
	w.server.answers.Fail(w.ResponseWriter, w.request, answer.StoreUnavailable(err))
}

// finish saves what is not saved yet: all of it if nothing was written, and
// else what the handler changed after its first byte. A handler that cut its
// connection by http.ErrAbortHandler did nothing wrong; what one did that
// panicked for another reason is not saved.
func (w *saver) finish() {
	p := recover()
	if p != nil && p != http.ErrAbortHandler { //nolint:errorlint // a panic's value, as net/http compares it
		panic(p)
	}
	if w.state != unsaved {
		w.saveLate()
	} else {
		w.save()
	}
	if p != nil {
		panic(p)
	}
}

// saveLate saves what changed after the first byte. A session that began then cannot be told to the browser.
func (w *saver) saveLate() {
	s, ctx := w.server, w.request.Context()
	if w.state == refused || w.token == "" || s.sessions.Destroyed(ctx) || s.sessions.manager.Token(ctx) != w.token {
		return
	}
	if _, err := s.sessions.Save(ctx); err != nil {
		s.logger.WarnContext(ctx, "session not saved after the answer", "error", err)
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *saver) WriteHeader(status int) {
	informational := status >= 100 && status < 200 && status != http.StatusSwitchingProtocols
	if informational || w.save() {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (w *saver) Write(b []byte) (int, error) {
	if !w.save() {
		return 0, errNotSaved
	}
	return w.ResponseWriter.Write(b)
}

// FlushError is for http.ResponseController: streams are flushed through.
func (w *saver) FlushError() error {
	if !w.save() {
		return errNotSaved
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack is for http.ResponseController: a websocket's session is saved before it begins.
func (w *saver) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !w.save() {
		return nil, nil, errNotSaved
	}
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController reach the writer underneath.
func (w *saver) Unwrap() http.ResponseWriter { return w.ResponseWriter }
