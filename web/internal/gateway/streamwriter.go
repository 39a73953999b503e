package gateway

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// streamWait bounds how long a browser may take to read one write of a stream.
const streamWait = 30 * time.Second

var errCut = errors.New("the stream has ended with its session")

// streamWriter writes an API's answer to the browser. For a stream it replaces
// the server's write timeout, which is for a whole answer, by one for each
// write.
type streamWriter struct {
	http.ResponseWriter

	streaming bool

	mu    sync.Mutex // guards the fields below, and the setting of deadlines
	ended bool
	conn  net.Conn // of a websocket
}

// Unwrap lets http.ResponseController reach the writer underneath.
func (w *streamWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write implements http.ResponseWriter.
func (w *streamWriter) Write(b []byte) (int, error) {
	if w.streaming {
		if err := w.extend(); err != nil {
			return 0, err
		}
	}
	return w.ResponseWriter.Write(b)
}

// Hijack implements http.Hijacker. The server's deadlines end with it.
func (w *streamWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = conn
	if w.ended {
		_ = conn.Close()
	}
	return conn, buffered, nil
}

// beginStream makes the answer a stream.
func (w *streamWriter) beginStream() {
	w.streaming = true
	_ = w.extend() // the stream has not ended yet
}

// extend gives the browser streamWait to read the next write.
func (w *streamWriter) extend() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return errCut
	}
	w.deadline(time.Now().Add(streamWait))
	return nil
}

// cut ends the answer now, even if the browser does not read.
func (w *streamWriter) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.conn != nil {
		_ = w.conn.Close()
		return
	}
	w.deadline(time.Now())
}

func (w *streamWriter) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// finish lets the server send the end of the answer, even after cut.
func (w *streamWriter) finish() {
	if w.conn == nil {
		w.deadline(time.Now().Add(streamWait)) // the server resets it for the next request
	}
}

func (w *streamWriter) deadline(t time.Time) {
	// The error says that the server has no deadlines, so no timeout either.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(t)
}

// streamBody is the body of a stream. If the stream was cut, it ends with EOF,
// as if the API had ended it.
type streamBody struct {
	io.ReadCloser
	out *streamWriter
}

// Read implements io.Reader.
func (b streamBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.out.isCut() {
		err = io.EOF
	}
	return n, err
}
