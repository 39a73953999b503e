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
	if _, ok := (tokenapi.HTTP{}).WithDefaults().Transport.(*http.Transport); !ok {
		t.Error("the default Transport is http.DefaultTransport, want a clone")
	}
	http.DefaultTransport = traced{standard}
	if got := (tokenapi.HTTP{}).WithDefaults().Transport; got != (traced{standard}) {
		t.Errorf("the default Transport is a %T, want the replaced http.DefaultTransport", got)
	}
}
