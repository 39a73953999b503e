package apitest_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

func TestTransportShowsWhatAConnectionWould(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	var host string
	var secure bool
	c.server.Handle("/seen", "seen", func(x *apitest.Exchange) {
		host, secure = x.Host, x.TLS != nil
		x.Status(http.StatusAccepted)
	})
	for base, want := range map[string]bool{"http://a.example:81": false, "https://b.example": true} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/seen", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "" // means that of the URL
		got, err := c.server.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = got.Body.Close() // it has none
		wantEqual(t, "status", got.Status, "202 Accepted")
		wantEqual(t, "request", got.Request, r)
		wantEqual(t, "content length", got.ContentLength, 0)
		wantEqual(t, "host", host, r.URL.Host)
		wantEqual(t, "TLS", secure, want)
	}
}

func TestTransportHonoursTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, apitest.Config{})
		c.server.Inject(endpointEcho, apitest.Fault{DelayAfter: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://a.example/echo", nil)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if answer, err := c.server.Transport().RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("answer is %v, error is %v", answer, err)
		}
		wantEqual(t, "time taken", time.Since(begin), time.Second)
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
	c := inMemory(t, apitest.Config{Name: "mytest"})
	body := &failingBody{}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://a.example/echo", body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.server.Transport().RoundTrip(r)
	if !errors.Is(err, errBody) || !strings.HasPrefix(err.Error(), "mytest: ") {
		t.Errorf("answer is %v, error is %v", answer, err)
	}
	wantEqual(t, "body closed", body.closed, true)
}

// A web server passes the context of its own request on.
func TestTransportIgnoresTheAddressOfAnOuterServer(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	outer := context.WithValue(t.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}))
	r, err := http.NewRequestWithContext(outer, http.MethodGet, "http://a.example/other", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	wantEqual(t, "status", answer.StatusCode, http.StatusOK)
}
