package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store/storetest/servers"
)

// A server is trusted by its certificate only. field 29
func TestVerifiedTLS(t *testing.T) {
	t.Parallel()
	url, certificate := servers.StartRedisTLS(t)
	pem, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(pem)
	put(t, open(t, Config{URL: url, TLS: &tls.Config{RootCAs: known}}), "key", "value")
	_, err = Open(t.Context(), Config{URL: url, Timeout: time.Minute})
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !unknown {
		t.Errorf("Open of a server with a certificate of an unknown authority = %v, want an x509.UnknownAuthorityError", err)
	}
}
