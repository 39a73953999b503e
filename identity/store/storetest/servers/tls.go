package servers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// StartRedisTLS starts a server that also speaks TLS, and returns its rediss://
// URL and the file of its certificate, which signs itself.
func StartRedisTLS(tb testing.TB) (url, certificate string) {
	tb.Helper()
	port := FreePort(tb)
	certificate, key := newCertificate(tb, nil)
	StartRedis(tb, "--tls-port", strconv.Itoa(port), "--tls-auth-clients", "no",
		"--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate)
	return fmt.Sprintf("rediss://%s/0", address(port)), certificate
}

// StartPostgresTLS starts a server that also speaks TLS, and returns the file of
// its certificate, which signs itself.
func StartPostgresTLS(tb testing.TB) (p *Postgres, certificate string) {
	tb.Helper()
	certificate, key := newCertificate(tb, unprivileged(tb))
	return StartPostgres(tb, "ssl=on", "ssl_cert_file="+certificate, "ssl_key_file="+key), certificate
}

// newCertificate makes a certificate for 127.0.0.1, and its key for a server
// that runs as user.
func newCertificate(tb testing.TB, user *account) (certificate, key string) {
	tb.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		tb.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	dir := directory(tb, user)
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			tb.Fatal(err)
		}
		user.own(tb, file)
		return file
	}
	return write("cert.pem", "CERTIFICATE", cert), write("key.pem", "PRIVATE KEY", pkcs8)
}
