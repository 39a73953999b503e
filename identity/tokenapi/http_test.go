package tokenapi_test

import (
	"net/http"
	"testing"

	"b2trader.identity.auth/identity/tokenapi"
)

type traced struct{ http.RoundTripper }

// A program may wrap http.DefaultTransport, to trace what goes over it.
func TestDefaultTransportIsReplaced(t *testing.T) {
	standard := http.DefaultTransport
	defer func() { http.DefaultTransport = standard }()
	if _, ok := (tokenapi.HTTP{}).WithDefaults().Transport.(*http.Transport); !ok {
		t.Error("the standard transport is not cloned")
	}
	http.DefaultTransport = traced{standard}
	if got := (tokenapi.HTTP{}).WithDefaults().Transport; got != (traced{standard}) {
		t.Errorf("got %T", got)
	}
}
