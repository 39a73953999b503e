package store_test

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/store/pgstore"
	"b2trader.identity.auth/identity/store/redisstore"
	"b2trader.identity.auth/identity/store/sqlitestore"
)

// Every store below this package passes the conformance suite. Their names end
// with "store".
func TestEveryStoreRunsTheSuite(t *testing.T) {
	t.Parallel()
	stores, _ := filepath.Glob("*store")
	if len(stores) < 4 {
		t.Errorf("found the stores %q, want at least 4", stores)
	}
	for _, dir := range stores {
		runs := false
		tests, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
		for _, file := range tests {
			text, err := os.ReadFile(file)
			runs = runs || err == nil && bytes.Contains(text, []byte("storetest.Run("))
		}
		if !runs {
			t.Errorf("no test in %s calls storetest.Run", dir)
		}
	}
}

// The problems of a Config name its fields, as those of every other Config.
func TestConfigErrorsNameTheFields(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   func() error
		wrong []string
	}{
		"redisstore": {func() error {
			_, err := redisstore.Open(t.Context(), redisstore.Config{Timeout: -1})
			return err
		}, []string{"URL", "Timeout"}},
		"redisstore, parts that do not fit": {func() error {
			_, err := redisstore.Open(t.Context(), redisstore.Config{URL: "redis://127.0.0.1:1", TLS: &tls.Config{}, SentinelUsername: "u"})
			return err
		}, []string{"TLS", "SentinelUsername"}},
		"redisstore, beyond loopback": {func() error {
			_, err := redisstore.Open(t.Context(), redisstore.Config{URL: "redis://redis.example:1?addr=other.example:1"})
			return err
		}, []string{"URL"}},
		"pgstore": {func() error {
			_, err := pgstore.Open(t.Context(), pgstore.Config{URL: "mysql://h:p", ListenURL: "mysql://i:p", Table: "a b", Timeout: -1})
			return err
		}, []string{"URL", "ListenURL", "Table", "Timeout"}},
		"pgstore, beyond loopback": {func() error {
			_, err := pgstore.Open(t.Context(), pgstore.Config{URL: "postgres://db.example/x?sslmode=disable"})
			return err
		}, []string{"URL"}},
		"sqlitestore": {func() error {
			_, err := sqlitestore.Open(t.Context(), sqlitestore.Config{Timeout: -1})
			return err
		}, []string{"File", "Timeout"}},
	} {
		if err := c.err(); !slices.Equal(clienttest.WrongFields(err), c.wrong) {
			t.Errorf("%s: Open = %v, want an error about %q", name, err, c.wrong)
		}
	}
}
