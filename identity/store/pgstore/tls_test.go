package pgstore

import (
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// A server is trusted by its certificate only. field 29
func TestVerifiedTLS(t *testing.T) {
	t.Parallel()
	server, certificate := servers.StartPostgresTLS(t)
	url := fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=verify-full", server.Addr)
	s, err := Open(t.Context(), Config{URL: url + "&sslrootcert=" + certificate, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	storetest.Put(t, s, store.Record{Key: "key"})
	_, err = Open(t.Context(), Config{URL: url, Timeout: time.Minute})
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !unknown {
		t.Errorf("Open of a server with a certificate of an unknown authority = %v, want an x509.UnknownAuthorityError", err)
	}
}

// Beyond loopback a URL without an sslmode gets verified TLS without a
// fallback, and each weaker sslmode is refused.
//
// field 29
func TestVerifiedTLSBeyondLoopback(t *testing.T) {
	for _, c := range []struct {
		url      string
		accepted bool
		tls      bool // of the first host
	}{
		{"postgres://host/db", true, true},
		{"postgres://host/db?application_name=x", true, true},
		{"host=host dbname=db", true, true},
		{"postgres://host,other/db", true, true},
		{"postgres://host/db?sslmode=verify-full", true, true},
		{"postgres://host/db?sslmode=verify-ca", false, false},
		{"postgres://host/db?sslmode=require", false, false},
		{"postgres://host/db?sslmode=prefer", false, false},
		{"postgres://host/db?sslmode=allow", false, false},
		{"postgres://host/db?sslmode=disable", false, false},
		{"host=host dbname=db sslmode=prefer", false, false},
		{"postgres://127.0.0.1,host/db?sslmode=disable", false, false},
		{"postgres://127.0.0.1/db?sslmode=disable", true, false},
		{"postgres://[::1]/db?sslmode=disable", true, false},
		{"postgres://localhost/db?sslmode=disable", true, false},
		{"postgres:///db?host=/var/run/postgresql", true, false},
		{"host=/var/run/postgresql dbname=db", true, false},
	} {
		o, err := Config{URL: c.url}.options()
		if (err == nil) != c.accepted {
			t.Errorf("options of %s = %v, want accepted %v", c.url, err, c.accepted)
		}
		if err != nil {
			if _, err := (Config{URL: c.url, InsecureAllowPlaintext: true}).options(); err != nil {
				t.Errorf("options of %s with InsecureAllowPlaintext = %v, want nil", c.url, err)
			}
			continue
		}
		config := o.pool.ConnConfig
		if got := config.TLSConfig != nil && !config.TLSConfig.InsecureSkipVerify; got != c.tls {
			t.Errorf("options of %s: verified TLS %v, want %v", c.url, got, c.tls)
		}
		for _, fallback := range config.Fallbacks {
			if c.tls && fallback.TLSConfig == nil {
				t.Errorf("options of %s: a fallback to %s in plaintext, want none", c.url, fallback.Host)
			}
		}
	}
}

// field 29: the environment may choose, and is checked too.
func TestPlaintextByTheEnvironment(t *testing.T) {
	t.Setenv("PGSSLMODE", "prefer")
	if _, err := (Config{URL: "postgres://host/db"}).options(); err == nil {
		t.Error("options with PGSSLMODE=prefer = nil, want an error")
	}
}
