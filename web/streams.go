package web

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"b2trader.identity.auth/web/internal/answer"
)

// streamWait bounds how long a browser may take to read what an event stream
// sends it.
const streamWait = 30 * time.Second

// streams are the event streams and websockets that are open. Each ends with
// its session, wherever that is ended, and is otherwise left alone: a renewal
// of the token does not concern it.
type streams struct {
	closing chan struct{}
	once    sync.Once

	mu   sync.Mutex     // not held while anything waits
	open map[string]int // by session
}

func newStreams() *streams {
	return &streams{closing: make(chan struct{}), open: make(map[string]int)}
}

// EndAll ends all streams, those to come included.
func (s *streams) EndAll() { s.once.Do(func() { close(s.closing) }) }

// take counts one more stream of a session, unless it has as many as it may.
func (s *streams) take(session string, limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[session] >= limit {
		return false
	}
	s.open[session]++
	return true
}

func (s *streams) giveBack(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[session]--; s.open[session] <= 0 {
		delete(s.open, session)
	}
}

// stream is one that is open.
type stream struct {
	call    *call
	body    io.Closer // from the API
	stop    context.CancelFunc
	watcher sync.WaitGroup
}

// becomeStream is called when the API's answer turns out to be a stream.
func (c *call) becomeStream(resp *http.Response) error {
	streams, ctx := c.api.streams, c.in.Context()
	if !streams.take(c.caller.id(), c.api.limits.MaxStreams) {
		return &answer.Error{Status: http.StatusTooManyRequests, Code: "too_many_streams", RetryAfter: answer.RetryLater}
	}
	gone, unlisten, err := c.api.server.vault.Done(ctx, c.caller.vaultKey)
	if err != nil {
		streams.giveBack(c.caller.id())
		return c.api.tokenFault(ctx, c, err)
	}
	ctx, stop := context.WithCancel(ctx)
	c.stream = &stream{call: c, body: resp.Body, stop: stop}
	c.out.stream()
	c.api.calls.Add(-1) // it counts as a stream from now on
	if _, switched := resp.Body.(io.Writer); !switched {
		resp.Body = streamBody{resp.Body, &c.out}
	}
	c.stream.watcher.Go(func() {
		defer unlisten()
		c.stream.watch(ctx, gone)
	})
	return nil
}

// watch waits for the end of the stream, or of its session.
func (s *stream) watch(ctx context.Context, gone <-chan struct{}) {
	server := s.call.api.server
	who := s.call.caller
	for {
		timer := time.NewTimer(who.until.Sub(server.config.Now()))
		select {
		case <-timer.C: // the session has been used meanwhile, or is over
			if err := server.sessions.Recheck(ctx, &who, false); err == nil {
				continue
			} else if !errors.Is(err, answer.ErrNoSession) { // the store is away, which ends no session
				who.until = server.config.Now().Add(answer.RetryLater)
				continue
			}
		case <-gone:
		case <-s.call.api.streams.closing:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
		s.call.out.cut()
		_ = s.body.Close() // wakes who reads it
		return
	}
}

// close is called when nothing is passed on any more.
func (s *stream) close() {
	s.stop()
	s.watcher.Wait()
	s.call.out.finish()
	s.call.api.streams.giveBack(s.call.caller.id())
}

var errCut = errors.New("the stream has ended with its session")

// answerWriter is where an API's answer goes. For a stream it replaces the
// server's write timeout, which is for a whole answer, by one for each part.
type answerWriter struct {
	http.ResponseWriter

	streaming bool

	mu    sync.Mutex // guards what follows, and deadlines against each other
	ended bool
	conn  net.Conn // of a websocket
}

// Unwrap lets http.ResponseController reach the writer underneath.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write implements http.ResponseWriter.
func (w *answerWriter) Write(b []byte) (int, error) {
	if w.streaming {
		if err := w.extend(); err != nil {
			return 0, err
		}
	}
	return w.ResponseWriter.Write(b)
}

// Hijack implements http.Hijacker. The server has no deadlines for a
// connection that it has given away.
func (w *answerWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = conn
	if w.ended {
		_ = conn.Close() // nothing was sent yet
	}
	return conn, buffered, nil
}

// stream makes the answer one without an end.
func (w *answerWriter) stream() {
	w.streaming = true
	_ = w.extend() // it cannot have ended before it began
}

func (w *answerWriter) extend() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return errCut
	}
	w.deadline(time.Now().Add(streamWait))
	return nil
}

// cut ends the answer now, also for a browser that does not read.
func (w *answerWriter) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.conn != nil {
		_ = w.conn.Close() // it is over, whatever was under way
		return
	}
	w.deadline(time.Now())
}

func (w *answerWriter) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// finish lets the end of the answer through, also one that was cut.
func (w *answerWriter) finish() {
	if w.conn == nil {
		w.deadline(time.Now().Add(streamWait)) // the server takes it away for its next request
	}
}

func (w *answerWriter) deadline(t time.Time) {
	// A server that knows no deadlines has no write timeout either.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(t)
}

// streamBody ends as if the API had ended it, where in truth its session did.
type streamBody struct {
	io.ReadCloser
	out *answerWriter
}

// Read implements io.Reader.
func (b streamBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.out.isCut() {
		err = io.EOF
	}
	return n, err
}

// EndStreams ends all event streams and websockets, those to come included. It
// is for http.Server.RegisterOnShutdown, as Shutdown would wait for them; Close
// does it too.
func (s *Server) EndStreams() { s.proxy.streams.EndAll() }
