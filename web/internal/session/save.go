package session

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"
)

// errNotSaved is the error of writing an answer after the session could not be
// saved.
var errNotSaved = errors.New("session: the session could not be saved, and that was the answer")

// Handler loads the session for next, and saves it before the first byte of the
// answer. If the store fails, fail answers in place of next; it must discard the
// headers that are set. The cookie stays as it is then, because a failure of the
// store is not the end of the session.
//
// Address is the client's address of a request.
func (m *Manager) Handler(next http.Handler, address func(*http.Request) netip.Addr, fail func(http.ResponseWriter, *http.Request, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Cookie")
		token := m.token(r)
		ctx, err := m.scs.Load(withCurrent(r.Context(), address(r)), token)
		if err != nil {
			fail(w, r, storeError(err))
			return
		}
		r = r.WithContext(ctx)
		sw := &saver{ResponseWriter: w, manager: m, request: r, token: token, fail: fail}
		defer sw.finish()
		next.ServeHTTP(sw, r)
	})
}

// token returns the value of the request's session cookie, or "".
func (m *Manager) token(r *http.Request) string {
	cookie, err := r.Cookie(m.scs.Cookie.Name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// save stores what the request changed, and returns the token that the browser
// should have then, or "". It writes nothing if the request changed nothing.
func (m *Manager) save(ctx context.Context) (token string, err error) {
	if m.scs.Status(ctx) != scs.Modified {
		return m.scs.Token(ctx), nil
	}
	token, _, err = m.scs.Commit(ctx)
	return token, err
}

// destroyed reports whether the request ended its session and began no other.
func (m *Manager) destroyed(ctx context.Context) bool { return m.scs.Status(ctx) == scs.Destroyed }

// cookie returns the cookie with a token. Without a token it removes the cookie.
func (m *Manager) cookie(token string) *http.Cookie {
	like := m.scs.Cookie
	//nolint:gosec // Secure if the site is reached by https
	c := &http.Cookie{Name: like.Name, Value: token, Path: like.Path, Secure: like.Secure, HttpOnly: like.HttpOnly, SameSite: like.SameSite}
	if token == "" {
		c.MaxAge, c.Expires = -1, time.Unix(1, 0)
	}
	return c
}

// saver saves the session before the first byte of the answer. It buffers
// nothing.
type saver struct {
	http.ResponseWriter
	manager *Manager
	request *http.Request
	token   string // in the browser's cookie
	state   saverState
	fail    func(http.ResponseWriter, *http.Request, error)
}

type saverState int

const (
	unsaved saverState = iota
	saved
	failed // fail has answered
)

// save saves the session once, and reports whether the handler's answer may be
// sent.
func (w *saver) save() bool {
	if w.state != unsaved {
		return w.state == saved
	}
	w.state = saved
	m, ctx := w.manager, w.request.Context()
	token, err := m.save(ctx)
	switch {
	case errors.Is(err, ErrEnded): // the end counts, and this request's changes do not
		m.logger.InfoContext(ctx, "session not saved: it ended meanwhile")
		return true
	case err != nil:
		w.state = failed
		w.fail(w.ResponseWriter, w.request, storeError(err))
		return false
	}
	if token != w.token && (token != "" || m.destroyed(ctx)) {
		w.token = token
		cookies := w.Header()["Set-Cookie"]
		w.Header()["Set-Cookie"] = append([]string{m.cookie(token).String()}, cookies...) // before those of the handler
	}
	return true
}

// finish saves what is not saved yet: everything if the handler wrote nothing,
// else what it changed after its first byte. It saves also if the handler cut
// the connection by http.ErrAbortHandler, but not after another panic.
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

// saveLate saves what changed after the first byte. It does not save a session
// that began then, because the browser cannot get its cookie.
func (w *saver) saveLate() {
	m, ctx := w.manager, w.request.Context()
	if w.state == failed || w.token == "" || m.destroyed(ctx) || m.scs.Token(ctx) != w.token {
		return
	}
	if _, err := m.save(ctx); err != nil {
		m.logger.WarnContext(ctx, "session not saved after the answer", "error", err)
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

// FlushError is for http.ResponseController.
func (w *saver) FlushError() error {
	if !w.save() {
		return errNotSaved
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack is for http.ResponseController. It saves the session of a websocket
// before the websocket opens.
func (w *saver) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !w.save() {
		return nil, nil, errNotSaved
	}
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController reach the writer underneath.
func (w *saver) Unwrap() http.ResponseWriter { return w.ResponseWriter }
