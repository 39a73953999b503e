package identitytest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

func TestTransport(t *testing.T) {
	b := inMemory(t, identitytest.Config{})
	b.base = "https://anything.example:8443"
	answer := b.login("trader@example.com", "spa")
	wantEqual(t, "iss", claims(t, answer.IDToken)["iss"], any("https://anything.example:8443/identity"))
	got := b.server.Requests(identitytest.EndpointToken)[0]
	wantEqual(t, "path", got.Path, tokenPath)
}

func TestTransportAnswersLikeAConnection(t *testing.T) {
	b := inMemory(t, identitytest.Config{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+"/nothing", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.server.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	wantEqual(t, "status", answer.Status, "404 Not Found")
	wantEqual(t, "request", answer.Request, r)
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "content length", answer.ContentLength, int64(len(body)))
}

func TestTransportReportsACutConnection(t *testing.T) {
	b := inMemory(t, identitytest.Config{})
	b.server.Inject(identitytest.EndpointDiscovery, identitytest.Fault{LoseAnswer: true})
	if _, err := b.try(http.MethodGet, discoveryPath, ""); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error is %v", err)
	}
}

func TestTransportHonoursTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t)
		server.Inject(identitytest.EndpointDiscovery, identitytest.Fault{DelayAfter: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://a.example"+discoveryPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := server.Transport().RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("answer is %v, error is %v", answer, err)
		}
	})
}

type failingBody struct{ closed bool }

var errBody = errors.New("the body fails")

func (*failingBody) Read([]byte) (int, error) { return 0, errBody }

func (f *failingBody) Close() error {
	f.closed = true
	return nil
}

func TestTransportReportsAFailingBody(t *testing.T) {
	server := newServer(t)
	body := &failingBody{}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://a.example/identity/sign-in", body)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := server.Transport().RoundTrip(r); !errors.Is(err, errBody) {
		t.Errorf("answer is %v, error is %v", answer, err)
	}
	wantEqual(t, "body closed", body.closed, true)
}

// A web server that calls on behalf of its visitor passes the visitor's context on.
func TestTransportIgnoresTheAddressOfAnOuterServer(t *testing.T) {
	server := newServer(t)
	outer := context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}))
	r, err := http.NewRequestWithContext(outer, http.MethodGet, "http://a.example"+discoveryPath, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	wantEqual(t, "status", answer.StatusCode, http.StatusOK)
}
