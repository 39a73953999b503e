package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/web/internal/answer"
)

// The bounds of a call's body.
const (
	maxKept       = 64 << 10         // bytes of a body that is kept to be sent again
	bodyIdle      = 15 * time.Second // for the next bytes to arrive
	bodyWait      = 2 * time.Minute  // for all of it
	smallBodyWait = 30 * time.Second // for all of a body that is kept
)

// slowBody is the body of a call. The server's ReadTimeout is meant for forms,
// so each read has a deadline of its own. Close does not close the body
// underneath, which belongs to the server: closing would wait for bytes that a
// browser may never send.
type slowBody struct {
	io.ReadCloser
	conn   *http.ResponseController
	until  time.Time
	closed atomic.Bool
	over   atomic.Bool // no read follows
	late   atomic.Bool // the browser sent nothing in time
}

func newSlowBody(w http.ResponseWriter, r *http.Request, wait time.Duration) *slowBody {
	return &slowBody{ReadCloser: r.Body, conn: http.NewResponseController(w), until: time.Now().Add(wait)}
}

// Close implements io.Closer.
func (b *slowBody) Close() error {
	b.closed.Store(true)
	return nil
}

// Read implements io.Reader. Errors: also a *answer.Error with status 408.
func (b *slowBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	deadline := time.Now().Add(bodyIdle)
	if deadline.After(b.until) {
		deadline = b.until
	}
	// The error says that the server has no deadlines.
	_ = b.conn.SetReadDeadline(deadline)
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.over.Store(true)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		b.late.Store(true)
		err = tooSlow(err)
	}
	return n, err
}

func tooSlow(err error) error {
	return &answer.Error{Status: http.StatusRequestTimeout, Code: "too_slow", Err: err}
}

// cut ends a read that waits for the browser.
func (b *slowBody) cut() {
	if !b.over.Load() {
		_ = b.conn.SetReadDeadline(time.Now())
	}
}
