package storeurl

import "testing"

func TestScheme(t *testing.T) { // field 26
	for url, want := range map[string]string{
		"postgres://app:S3cr%tPassw0rd@host/db": "postgres://…",
		"redis://:S3cr%t@host":                  "redis://…",
		"rediss://user:pass@word@host:port":     "rediss://…",
		"host=host password=S3cret://word":      "it",
		"S3cret/Passw0rd@host://":               "it",
		"":                                      "it",
	} {
		if got := Scheme(url); got != want {
			t.Errorf("Scheme(%q) = %q, want %q", url, got, want)
		}
	}
}
