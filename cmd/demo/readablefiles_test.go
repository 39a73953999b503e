package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Files with secrets that every account can read are named by the check and in
// the log.
//
// field 31
func TestReadableFilesAreNamed(t *testing.T) {
	keys, password := secretFile(t, newKeyLine(time.Now())), secretFile(t, "hidden")
	platforms := fileOf(t, map[string]members{"b2binpay": {"login": "key", "password_file": password}})
	args := []string{
		"-session-keys-file", keys, "-store", "sqlite:" + t.TempDir() + "/s.db", "-platforms-file", platforms,
		"-insecure-embedded-servers",
	}
	if printed, err := check(t, args, nil); err != nil || strings.Contains(printed, "WARNING") {
		t.Errorf("-check-config with files for the owner alone = %v, printed %q, want no warning", err, printed)
	}
	for _, file := range []string{keys, password, platforms} {
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	printed, err := check(t, args, nil)
	d := start(t, args...)
	d.stop()
	for _, file := range []string{keys, password, platforms} {
		if err != nil || !strings.Contains(printed, "WARNING") || !strings.Contains(printed, file+" has the mode 0644") {
			t.Errorf("-check-config = %v, printed %q, want a warning of %s", err, printed, file)
		}
		if !strings.Contains(d.log.String(), file+" has the mode 0644") {
			t.Errorf("the log is %q, want a warning of %s", d.log.String(), file)
		}
	}
}
