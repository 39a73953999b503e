package httpx

import (
	"context"
	"errors"
	"fmt"
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

func TestRoundTripReadsTheWholeAnswer(t *testing.T) {
	x, url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	})
	resp, err := get(t, x, url)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	if string(body) != "short and stout" || string(x.Last.Body) != "short and stout" || x.Last.StatusCode != http.StatusTeapot {
		t.Errorf("got %q, Last = %d %q, want the body in both", body, x.Last.StatusCode, x.Last.Body)
	}
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

// A request may be repeated only if it was not sent.
func TestSent(t *testing.T) {
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + refusing.Addr().String()
	_ = refusing.Close()
	silent, dropping := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })

	cases := []struct {
		name string
		x    *Transport
		url  string
		sent bool
	}{
		{"nobody listens", &Transport{Base: &http.Transport{}, Timeout: time.Minute, Now: time.Now}, nobody, false},
		{"the connection is cut after the request", silent, dropping, true},
		{"a transport that does not report", &Transport{Base: roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, io.ErrUnexpectedEOF
		}), Timeout: time.Minute, Now: time.Now}, "http://test", true},
		{"a transport that says it could not dial", &Transport{Base: roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: io.EOF}
		}), Timeout: time.Minute, Now: time.Now}, "http://test", false},
	}
	for _, c := range cases {
		_, err := get(t, c.x, c.url)
		fault, ok := errors.AsType[*Fault](err)
		if !ok || fault.Sent != c.sent {
			t.Errorf("%s: got %v, sent %v, want sent %v", c.name, err, ok && fault.Sent, c.sent)
		}
	}
}

// A GET may use up a token that works once, so it is not repeated either, even
// on a used connection.
func TestGetIsSentOnce(t *testing.T) {
	seen := make(chan string, 10)
	x, url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen <- fmt.Sprint(r.Method, len(body), r.TransferEncoding, r.Header["Content-Length"])
		if len(seen) > 1 {
			panic(http.ErrAbortHandler)
		}
	})
	if _, err := get(t, x, url); err != nil {
		t.Fatal(err)
	}
	_, err := get(t, x, url)
	if fault, ok := errors.AsType[*Fault](err); !ok || !fault.Sent {
		t.Errorf("RoundTrip = %v, want a Fault that may have been sent", err)
	}
	if len(seen) != 2 {
		t.Errorf("the server saw %d requests, want 2", len(seen))
	}
	for range len(seen) {
		if got := <-seen; got != "GET0 [] []" {
			t.Errorf("the server received %s, want a GET without a body", got)
		}
	}
}
