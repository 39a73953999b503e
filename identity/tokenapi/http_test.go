package tokenapi_test

import (
	"net/http"
	"testing"

	"b2trader.identity.auth/identity/tokenapi"
)

type traced struct{ http.RoundTripper }

// A program may wrap http.DefaultTransport to trace its requests.
func TestDefaultTransportIsReplaced(t *testing.T) {
	standard := http.DefaultTransport
	defer func() { http.DefaultTransport = standard }()
	clone, ok := (tokenapi.HTTP{}).WithDefaults().Transport.(*http.Transport)
	if !ok || clone == standard {
		t.Fatal("the default Transport is http.DefaultTransport, want a clone")
	}
	if clone.ResponseHeaderTimeout != 0 || clone.MaxResponseHeaderBytes != 64<<10 { // field 36, 40
		t.Errorf("the default Transport waits %v for a header of %d bytes, want no bound of time, and 64 KiB", clone.ResponseHeaderTimeout, clone.MaxResponseHeaderBytes)
	}
	http.DefaultTransport = traced{standard}
	if got := (tokenapi.HTTP{}).WithDefaults().Transport; got != (traced{standard}) {
		t.Errorf("the default Transport is a %T, want the replaced http.DefaultTransport", got)
	}
}
