package httpx

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// serve starts a server and returns a Transport to it and its URL.
func serve(t *testing.T, h http.HandlerFunc) (*Transport, string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	return &Transport{Base: base, Timeout: 10 * time.Second, Op: "test", Now: time.Now}, srv.URL
}

func get(t *testing.T, x *Transport, url string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return x.RoundTrip(req)
}

// req 20
func TestAnswersAreBounded(t *testing.T) {
	for size, want := range map[int]error{MaxAnswer: nil, MaxAnswer + 1: ErrTooLarge} {
		x, url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", size))
		})
		if _, err := get(t, x, url); !errors.Is(err, want) {
			t.Errorf("%d bytes: got %v, want %v", size, err, want)
		}
	}
}

func TestTimeoutCoversTheBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := roundTripper(func(req *http.Request) (*http.Response, error) {
			r, w := io.Pipe()
			context.AfterFunc(req.Context(), func() { _ = w.CloseWithError(req.Context().Err()) })
			return &http.Response{StatusCode: http.StatusOK, Body: r}, nil
		})
		x := &Transport{Base: slow, Timeout: 7 * time.Second, Now: time.Now}
		began := time.Now()
		_, err := get(t, x, "http://test")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 7*time.Second {
			t.Errorf("RoundTrip = %v after %v, want DeadlineExceeded after 7 s", err, time.Since(began))
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A request that could not be dialed may be repeated, also if the transport does
// not report its progress.
func TestNotDialed(t *testing.T) {
	x := &Transport{Timeout: time.Minute, Now: time.Now, Base: roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: io.EOF}
	})}
	_, err := get(t, x, "http://test")
	if fault, ok := errors.AsType[*Fault](err); !ok || fault.Sent {
		t.Errorf("RoundTrip = %#v, want a Fault that was not sent", err)
	}
}
