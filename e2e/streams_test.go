package e2e

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"
)

// Calls of the FrontOffice that do not end by themselves.
const (
	slowCall   = "/api/frontoffice/v3/slow"
	eventsCall = "/api/frontoffice/v3/events"
	socketCall = "/api/frontoffice/v3/socket"
)

// endless returns the handler of such a call, or nil for another path.
func (p *identityServer) endless(path string) http.Handler {
	switch strings.TrimPrefix(path, "/frontoffice") {
	case "/api/v3/slow":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			wait(r, &p.slow)
			write(w, "late, but here")
		})
	case "/api/v3/events":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			write(w, "data: first\n\n")
			_ = http.NewResponseController(w).Flush() // net/http supports it
			<-r.Context().Done()
		})
	case "/api/v3/socket":
		return websocket.Server{Handler: func(c *websocket.Conn) {
			_, _ = c.Write([]byte("first")) // an error means that the reader hung up
			_, _ = io.Copy(io.Discard, c)
		}}
	}
	return nil
}

// listenToEvents opens an event stream and sends the time when it ends.
func (b *browser) listenToEvents(t *testing.T) (ended <-chan time.Time) {
	t.Helper()
	r := b.fetching(eventsCall)
	req, err := http.NewRequestWithContext(t.Context(), r.method, r.url.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = r.header.Clone()
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(resp.Body)
	if line, err := reader.ReadString('\n'); err != nil || line != "data: first\n" {
		t.Fatalf("first line of %s = %q (%v), want data: first", eventsCall, line, err)
	}
	return drained(reader, resp.Body)
}

// dial opens a websocket as a page of the site does and sends the time when it
// ends.
func (b *browser) dial(t *testing.T) (ended <-chan time.Time) {
	t.Helper()
	c, err := websocket.DialConfig(b.socket(t, socketCall))
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len("first"))
	if _, err := io.ReadFull(c, first); err != nil || string(first) != "first" {
		t.Fatalf("first message of %s = %q (%v), want first", socketCall, first, err)
	}
	return drained(c, c)
}

func (b *browser) socket(t *testing.T, path string) *websocket.Config {
	t.Helper()
	c, err := websocket.NewConfig("ws://"+b.base.Host+path, b.base.String())
	if err != nil {
		t.Fatal(err)
	}
	var cookies []string
	for _, cookie := range b.client.Jar.Cookies(b.base) {
		cookies = append(cookies, cookie.String())
	}
	c.Header = http.Header{"Cookie": {strings.Join(cookies, "; ")}}
	return c
}

func drained(from io.Reader, then io.Closer) <-chan time.Time {
	ended := make(chan time.Time, 1)
	go func() {
		_, _ = io.Copy(io.Discard, from) // an error ends the stream, too
		ended <- time.Now()
		_ = then.Close()
	}()
	return ended
}
