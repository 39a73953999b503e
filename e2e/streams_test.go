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

// The calls of an API that do not end by themselves.
const (
	slowCall   = "/api/frontoffice/v3/slow"
	eventsCall = "/api/frontoffice/v3/events"
	socketCall = "/api/frontoffice/v3/socket"
)

// endless serves them; nil for every other path.
func (p *provider) endless(path string) http.Handler {
	switch strings.TrimPrefix(path, "/frontoffice") {
	case "/api/v3/slow":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if h := p.slow.Load(); h != nil {
				h.arrived <- struct{}{}
				select {
				case <-h.gate:
				case <-r.Context().Done():
				}
			}
			write(w, "late, but here")
		})
	case "/api/v3/events":
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			write(w, "data: first\n\n")
			_ = http.NewResponseController(w).Flush() // net/http's own can
			<-r.Context().Done()
		})
	case "/api/v3/socket":
		return websocket.Server{Handler: func(c *websocket.Conn) {
			_, _ = c.Write([]byte("first")) // the reader may have gone
			_, _ = io.Copy(io.Discard, c)
		}}
	}
	return nil
}

// listen opens an event stream, and tells when it has ended.
func (b *browser) listen(t *testing.T) (ended <-chan time.Time) {
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
		t.Fatalf("the stream begins with %q: %v", line, err)
	}
	return drained(reader, resp.Body)
}

// dial opens a websocket as a page of the site does, and tells when it has ended.
func (b *browser) dial(t *testing.T) (ended <-chan time.Time) {
	t.Helper()
	c, err := websocket.DialConfig(b.socket(t))
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, len("first"))
	if _, err := io.ReadFull(c, first); err != nil || string(first) != "first" {
		t.Fatalf("the websocket begins with %q: %v", first, err)
	}
	return drained(c, c)
}

func (b *browser) socket(t *testing.T) *websocket.Config {
	t.Helper()
	c, err := websocket.NewConfig("ws://"+b.base.Host+socketCall, b.base.String())
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
		_, _ = io.Copy(io.Discard, from) // an error is an end as well
		ended <- time.Now()
		_ = then.Close()
	}()
	return ended
}
