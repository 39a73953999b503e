package gateway

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// answerWait bounds how long a browser may take to read one write of an
	// answer.
	answerWait = 30 * time.Second

	// smallAnswer is the size of the body, in bytes, up to which the server's
	// write timeout bounds an answer instead.
	smallAnswer = 16 << 10
)

var errCut = errors.New("the answer has ended with its session")

// answerWriter writes an API's answer to the browser. It replaces the server's
// write timeout, which is for a whole answer, by one for each write.
type answerWriter struct {
	http.ResponseWriter

	written atomic.Int64 // bytes

	mu    sync.Mutex // guards the fields below, and the setting of deadlines
	until time.Time  // the write deadline; zero: unknown
	begun bool
	isCut bool
	ended bool     // it was cut after it had begun
	late  bool     // the browser did not read a write in time
	conn  net.Conn // of a websocket
}

// Unwrap lets http.ResponseController reach the writer underneath.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w *answerWriter) WriteHeader(status int) {
	_ = w.extend() // after a cut the header is never sent
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *answerWriter) Write(b []byte) (int, error) {
	if err := w.extend(); err != nil {
		return 0, err
	}
	n, err := w.ResponseWriter.Write(b)
	w.written.Add(int64(n))
	w.note(err)
	return n, err
}

// FlushError is for http.ResponseController.
func (w *answerWriter) FlushError() error {
	if err := w.extend(); err != nil {
		return err
	}
	err := http.NewResponseController(w.ResponseWriter).Flush()
	w.note(err)
	return err
}

// Hijack implements http.Hijacker. The server's deadlines end with it.
func (w *answerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = conn
	if w.isCut {
		_ = conn.Close()
	}
	return conn, buffered, nil
}

// keepServerDeadline keeps the write deadline that the server set when the
// request began, if the answer has so few bytes that the system buffers all of
// them: moving the deadline costs as much as the other checks of a call.
func (w *answerWriter) keepServerDeadline(ctx context.Context, began time.Time, size int64) {
	server, ok := ctx.Value(http.ServerContextKey).(*http.Server)
	if !ok || server.WriteTimeout <= 0 || size < 0 || size > smallAnswer {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until = began.Add(server.WriteTimeout)
}

// extend gives the browser answerWait to read the next write. It moves the
// deadline only if a good part of that is over.
func (w *answerWriter) extend() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return errCut
	}
	w.begun = true
	w.move(time.Now())
	return nil
}

func (w *answerWriter) move(now time.Time) {
	if w.until.Sub(now) < answerWait*7/8 {
		w.deadline(now.Add(answerWait))
	}
}

// note remembers that a write failed because the browser did not read it.
func (w *answerWriter) note(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.late = w.late || !w.isCut && !time.Now().Before(w.until)
}

// cut ends an answer that has begun now, even if the browser does not read. An
// answer that has not begun can still be replaced by an error.
func (w *answerWriter) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = true
	switch {
	case w.conn != nil:
		_ = w.conn.Close()
	case w.begun:
		w.ended = true
		w.deadline(time.Now())
	}
}

func (w *answerWriter) wasCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.isCut
}

// finish lets the server send the end of the answer, even after cut. It reports
// whether the browser did not read.
func (w *answerWriter) finish() (late bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil && w.begun && !w.late {
		w.move(time.Now()) // the server resets it for the next request
	}
	return w.late
}

func (w *answerWriter) deadline(t time.Time) {
	w.until = t
	// The error says that the server has no deadlines, so no timeout either.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(t)
}

// streamBody is the body of an event stream. If the stream was cut, it ends
// with EOF, as if the API had ended it.
type streamBody struct {
	io.ReadCloser
	out *answerWriter
}

// Read implements io.Reader.
func (b streamBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.out.wasCut() {
		err = io.EOF
	}
	return n, err
}
