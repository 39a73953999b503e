package apitest_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"b2trader.identity.auth/identity/apitest"
)

const (
	endpointEcho  apitest.Endpoint = "echo"
	endpointOther apitest.Endpoint = "other"
)

// client calls a test server whose endpoint echo answers {"said":body,"n":1}
// with status 200, or 201 at /created, and whose endpoint other answers without
// a body.
type client struct {
	t      *testing.T
	server *apitest.Server
	base   string
	http   *http.Client
	echoed atomic.Int64 // how many requests were processed
}

// inMemory returns a client of a server without sockets, for synctest bubbles.
func inMemory(t *testing.T, cfg apitest.Config) *client {
	t.Helper()
	c := &client{t: t, server: apitest.New(cfg), base: "http://api.example"}
	c.http = &http.Client{Transport: c.server.Transport()}
	echo := func(status int) apitest.Handler {
		return func(x *apitest.Exchange) {
			c.echoed.Add(1)
			x.JSON(status, "application/json", apitest.Object{{"said", string(x.Body)}, {"n", 1}})
		}
	}
	c.server.Handle("/echo", endpointEcho, echo(http.StatusOK))
	c.server.Handle("/created", endpointEcho, echo(http.StatusCreated))
	c.server.Handle("/other", endpointOther, func(*apitest.Exchange) {})
	return c
}

// onSocket is inMemory with a connection for each request.
func onSocket(t *testing.T) *client {
	t.Helper()
	c := inMemory(t, apitest.Config{})
	apitest.Serve(t, c.server, nil)
	c.base = c.server.URL()
	c.http.Transport = &http.Transport{DisableKeepAlives: true}
	return c
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// try posts body as text; headers are name, value pairs.
func (c *client) try(path, body string, headers ...string) (answer, error) {
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.base+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	got, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, string(text)}, err
}

func (c *client) post(path, body string, headers ...string) answer {
	c.t.Helper()
	got, err := c.try(path, body, headers...)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

func wantEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func wantPanic(t *testing.T, what, message string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if text, ok := recover().(string); !ok || !strings.Contains(text, message) {
			t.Errorf("%s panics with %q, want %q", what, text, message)
		}
	}()
	f()
}
