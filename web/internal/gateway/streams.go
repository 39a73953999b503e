package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"b2trader.identity.auth/web/internal/answer"
)

// streams counts the event streams and websockets that are open. Each ends with
// its session, in whatever process the session ends. Renewals of the token do
// not end it.
type streams struct {
	closing chan struct{}
	once    sync.Once

	mu   sync.Mutex     // not held while anything waits
	open map[string]int // by session
}

func newStreams() *streams {
	return &streams{closing: make(chan struct{}), open: make(map[string]int)}
}

// endAll ends all streams, and those that open later.
func (s *streams) endAll() { s.once.Do(func() { close(s.closing) }) }

// acquire counts one more stream of a session. It returns false if the session
// has reached the limit.
func (s *streams) acquire(session string, limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[session] >= limit {
		return false
	}
	s.open[session]++
	return true
}

func (s *streams) release(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[session]--; s.open[session] <= 0 {
		delete(s.open, session)
	}
}

// stream is an open event stream or websocket.
type stream struct {
	call    *call
	body    io.Closer // from the API
	stop    context.CancelFunc
	watcher sync.WaitGroup
}

// becomeStream makes the call a stream, because the API's answer is one.
func (c *call) becomeStream(resp *http.Response) error {
	streams, ctx := c.api.streams, c.in.Context()
	if !streams.acquire(c.caller.ID, c.api.limits.MaxStreams) {
		return &answer.Error{Status: http.StatusTooManyRequests, Code: "too_many_streams", RetryAfter: answer.RetryLater}
	}
	ended, unlisten, err := c.api.config.Vault.Done(ctx, c.caller.VaultKey)
	if err != nil {
		streams.release(c.caller.ID)
		return c.api.tokenError(ctx, c, err)
	}
	ctx, stop := context.WithCancel(ctx)
	c.stream = &stream{call: c, body: resp.Body, stop: stop}
	c.out.beginStream()
	c.api.calls.Add(-1) // it counts as a stream from now on
	if _, switched := resp.Body.(io.Writer); !switched {
		resp.Body = streamBody{resp.Body, &c.out}
	}
	c.stream.watcher.Go(func() {
		defer unlisten()
		c.stream.watch(ctx, ended)
	})
	return nil
}

// watch cuts the stream when its session ends. The channel ended is closed when
// the session's tokens are deleted.
func (s *stream) watch(ctx context.Context, ended <-chan struct{}) {
	config, caller := s.call.api.config, s.call.caller
	for {
		timer := time.NewTimer(caller.Until.Sub(config.Now()))
		select {
		case <-timer.C: // the session was used meanwhile, or has ended
			now, err := config.Sessions.CheckAgain(ctx, caller)
			if err == nil {
				caller = now
				continue
			}
			if !errors.Is(err, answer.ErrNoSession) { // the store failed, which ends no session
				caller.Until = config.Now().Add(answer.RetryLater)
				continue
			}
		case <-ended:
		case <-s.call.api.streams.closing:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
		s.call.out.cut()
		_ = s.body.Close() // ends the read of the API's answer
		return
	}
}

// close releases the stream after its last byte was passed on.
func (s *stream) close() {
	s.stop()
	s.watcher.Wait()
	s.call.out.finish()
	s.call.api.streams.release(s.call.caller.ID)
}
