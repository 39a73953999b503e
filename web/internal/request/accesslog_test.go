package request

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Handlers reach the connection through the writers that wrap it.
func TestStatusWriterUnwraps(t *testing.T) {
	w := httptest.NewRecorder()
	if err := http.NewResponseController(&statusWriter{ResponseWriter: w}).Flush(); err != nil || !w.Flushed {
		t.Errorf("flush: %v", err)
	}
}

// A handler that only writes has answered 200.
func TestStatusWriterCounts(t *testing.T) {
	sw := &statusWriter{ResponseWriter: httptest.NewRecorder()}
	if _, err := sw.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	if sw.status != http.StatusOK || sw.bytes != 3 {
		t.Errorf("status %d, %d bytes", sw.status, sw.bytes)
	}
}
