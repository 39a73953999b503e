package gateway

import (
	"net/http"
	"sync"

	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// streams counts the streams that are open by session.
type streams struct {
	counts
	closing chan struct{}
	once    sync.Once
}

func newStreams() *streams { return &streams{closing: make(chan struct{})} }

// endAll ends all streams, and those that open later.
func (s *streams) endAll() { s.once.Do(func() { close(s.closing) }) }

// eventStream is the media type of EventSource.
const eventStream = "text/event-stream"

// streamTypes are the media types of answers that have no end.
var streamTypes = map[string]bool{
	eventStream: true, "application/x-ndjson": true, "application/ndjson": true, "application/jsonl": true,
	"application/json-seq": true, "application/stream+json": true, "multipart/x-mixed-replace": true,
}

// isStream reports whether an answer is a stream: it counts as one, not as a
// call, and may be silent.
func isStream(h http.Header) bool { return streamTypes[request.MediaType(h.Get("Content-Type"))] }

// becomeStream makes the call a stream, because the API's answer is one.
func (c *call) becomeStream(resp *http.Response) error {
	streams := c.api.streams
	if !streams.acquire(c.caller.ID, c.api.limits.MaxStreams) {
		return &answer.Error{Status: http.StatusTooManyRequests, Code: "too_many_streams", RetryAfter: answer.RetryLater}
	}
	c.leave() // it counts as a stream from now on
	c.streaming.Store(true)
	if err := c.watchNow(); err != nil {
		return c.api.tokenError(c.asked.Context(), c, err)
	}
	select {
	case <-streams.closing:
		c.cut(errClosing)
	default:
	}
	if request.MediaType(resp.Header.Get("Content-Type")) == eventStream {
		resp.Body = streamBody{resp.Body, &c.out}
		resp.Header["X-Accel-Buffering"] = []string{"no"} // nginx in front of this site would collect events
	}
	return nil
}
