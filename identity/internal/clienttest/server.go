package clienttest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/apitest"
)

// A Reply is an answer of a server, read to its end.
type Reply struct {
	Status int
	Header http.Header
	Body   string
}

// Fields decodes the body, a JSON object.
func (r Reply) Fields() map[string]any {
	fields := map[string]any{}
	_ = json.Unmarshal([]byte(r.Body), &fields) // no members if it is none
	return fields
}

// Send sends a request to a test server, in memory. The header has names and
// values in turn.
func Send(t testing.TB, server *apitest.Server, method, url, body string, header ...string) Reply {
	t.Helper()
	if strings.HasPrefix(url, "/") {
		url = peer + url
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := server.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return Reply{resp.StatusCode, resp.Header, string(raw)}
}

// A Server is a test server.
type Server interface {
	apitest.Servable
	URL() string
	Count(endpoint apitest.Endpoint) int
	Inject(endpoint apitest.Endpoint, fault apitest.Fault) (undo func())
}

// Servers checks what all test servers have in common: a server prints its name
// only, and every endpoint can be made to fail, on a socket.
func Servers(t *testing.T, name string, server Server, paths map[apitest.Endpoint]string) {
	t.Helper()
	if got, want := fmt.Sprintf("%v %+v %#v ", server, server, server), strings.Repeat(name+".Server ", 3); got != want {
		t.Errorf("printed %s, want %s", got, want)
	}
	for endpoint, path := range paths {
		server.Inject(endpoint, apitest.Fault{Status: http.StatusTooManyRequests})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusTooManyRequests || server.Count(endpoint) != 1 {
			t.Errorf("%s: got %s after %d requests, want 429 after 1", path, resp.Status, server.Count(endpoint))
		}
	}
}
