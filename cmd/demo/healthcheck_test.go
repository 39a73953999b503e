package main

import (
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthCheck(t *testing.T) { // field 4
	t.Parallel()
	check := func(addr string) error {
		return run(t.Context(), []string{"-healthcheck"}, []string{"B2TRADER_ADDR=" + addr}, io.Discard, io.Discard)
	}
	d := start(t)
	addr := strings.TrimPrefix(d.site, "http://")
	_, port, _ := net.SplitHostPort(addr)
	for _, addr := range []string{addr, ":" + port, "0.0.0.0:" + port} {
		if err := check(addr); err != nil {
			t.Errorf("-healthcheck of %s = %v, want nil", addr, err)
		}
	}
	other := httptest.NewServer(nil)
	defer other.Close()
	d.stop()
	for _, addr := range []string{addr, strings.TrimPrefix(other.URL, "http://"), "nonsense:port"} {
		if err := check(addr); err == nil {
			t.Errorf("-healthcheck of %s = nil, want an error", addr)
		}
	}
}
