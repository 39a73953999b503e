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

// field 26
func TestMisread(t *testing.T) {
	for url, want := range map[string]bool{
		"postgres://app:2024#S3cret@host/db": true, "redis://:2024/S3cret@host": true, "redis://app:2024?S3cret@host": true, "redis://2024/S3cr?et@host": true,
		"postgres://app:S3cret@host:5432/db": false, "redis://:p@ss@host/0": false, "redis://host": false, "host=h password=p@/x": false, "": false,
		"postgres://host/db?user=app@server&password=x": false, "rediss://app:%23@host/0?addr=h:1": false,
	} {
		if got := Misread(url); got != want {
			t.Errorf("Misread(%q) = %v, want %v", url, got, want)
		}
	}
}
