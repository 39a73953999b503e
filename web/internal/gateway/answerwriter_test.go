package gateway

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// deadlines is a ResponseWriter that records how long from then the write
// deadlines are that are set.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Duration
}

// SetWriteDeadline is for http.ResponseController.
func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set = append(d.set, time.Until(t))
	return nil
}

// field 38: a small answer keeps the server's write deadline, unless too little
// of that is left. Every other answer has a deadline of its own, and an answer
// that is cut ends at once.
func TestWriteDeadline(t *testing.T) {
	for _, c := range []struct {
		name          string
		timeout, took time.Duration // of the server; until the answer began
		size          int64
		cut           bool
		want          []time.Duration
	}{
		{"small", time.Minute, time.Second, 100, false, nil},
		{"small, of a server without timeout", 0, 0, 100, false, []time.Duration{answerWait}},
		{"small, of a short timeout", answerWait / 2, 0, 100, false, []time.Duration{answerWait}},
		{"small and late", time.Minute, 59 * time.Second, 100, false, []time.Duration{answerWait}},
		{"large", time.Minute, 0, smallAnswer + 1, false, []time.Duration{answerWait}},
		{"of unknown size", time.Minute, 0, -1, false, []time.Duration{answerWait}},
		{"small and cut", time.Minute, 0, 100, true, []time.Duration{0, answerWait}},
	} {
		synctest.Test(t, func(t *testing.T) {
			under := &deadlines{ResponseRecorder: httptest.NewRecorder()}
			w := &answerWriter{ResponseWriter: under}
			began := time.Now()
			<-time.After(c.took)
			ctx := context.WithValue(t.Context(), http.ServerContextKey, &http.Server{WriteTimeout: c.timeout, ReadHeaderTimeout: time.Second})
			w.keepServerDeadline(ctx, began, c.size)
			w.WriteHeader(http.StatusOK)
			if _, err := w.Write([]byte("answer")); err != nil {
				t.Errorf("%s: Write = %v, want nil", c.name, err)
			}
			if c.cut {
				w.cut()
			}
			w.finish()
			if !slices.Equal(under.set, c.want) {
				t.Errorf("%s: the write deadlines are %v from then, want %v", c.name, under.set, c.want)
			}
		})
	}
}
