package main

import "testing"

func TestStoreNameHasNoPassword(t *testing.T) { // field 26
	t.Parallel()
	for url, want := range map[string]string{
		"memory":                                "memory",
		"sqlite:/var/lib/sessions.db":           "sqlite:/var/lib/sessions.db",
		"postgres://app:Passw0rd@host:5432/db":  "postgres://host:5432",
		"postgres://app:S3cr%tPassw0rd@host/db": "postgres://…",
		"rediss://:S3cr%t@host":                 "rediss://…",
		"redis://app:pass word@host:port":       "redis://…",
		"redis://app:2024#Passw0rd@host":        "redis://…",
		"redis://app:2024/Passw0rd@host":        "redis://…",
		"redis://app:2024?Passw0rd@host":        "redis://…",
	} {
		if got := (&settings{store: url}).storeName(); got != want {
			t.Errorf("storeName(%q) = %q, want %q", url, got, want)
		}
	}
}
