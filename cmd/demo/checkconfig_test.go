package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// check runs -check-config, and returns what it printed.
func check(t *testing.T, args, env []string) (string, error) {
	t.Helper()
	var stdout bytes.Buffer
	err := run(t.Context(), append(args, "-check-config"), env, &stdout, io.Discard)
	return stdout.String(), err
}

func newKeys(t *testing.T) string {
	t.Helper()
	return secretFile(t, newKeyLine(time.Now())+"\n")
}

// req 128: a good configuration is said to be good, and whether what it names works.
func TestCheckConfig(t *testing.T) {
	provider := identitytest.Start(t, identitytest.Config{}).URL()
	file := filepath.Join(t.TempDir(), "sessions.db")
	gone := "http://" + servers.FreeAddress(t)
	keys := newKeys(t)
	for name, c := range map[string]struct {
		args, env, want []string
	}{
		"embedded": {want: []string{"Store memory", "IdentityServer: embedded."}},
		"real": {
			[]string{"-identity-url", provider, "-public-url", "https://app.example", "-addr", ":443", "-idle-timeout", "30m"},
			[]string{"B2TRADER_LK_SECRET=s", "B2TRADER_MACHINE_EMAIL=m@example.com", "B2TRADER_MACHINE_PASSWORD=p", "B2TRADER_SPA_ADMIN_SECRET="},
			[]string{"IdentityServer: " + provider + " answers."},
		},
		"a silent IdentityServer": {[]string{"-identity-url", gone}, nil, []string{"WARNING: " + gone + " does not answer"}},
		"a file to be made":       {[]string{"-store", "sqlite:" + file, "-session-keys-file", keys}, nil, []string{"will be made"}},
	} {
		t.Run(name, func(t *testing.T) {
			printed, err := check(t, c.args, c.env)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range append(c.want, "The configuration is good.\n") {
				if !strings.Contains(printed, want) {
					t.Errorf("printed %q, which lacks %q", printed, want)
				}
			}
		})
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the check has made the store's file")
	}
}

// What is named and does not work is told, without a password.
func TestCheckConfigTriesWhatItNames(t *testing.T) {
	keys := newKeys(t)
	nobody := servers.FreeAddress(t)
	provider := identitytest.Start(t, identitytest.Config{Issuer: "http://identity-server/identity/"}).URL()
	notADatabase := secretFile(t, strings.Repeat("not a database ", 100))
	for name, c := range map[string]struct {
		args, env []string
		want      string
	}{
		"no directory":   {[]string{"-store", "sqlite:/does/not/exist/sessions.db"}, nil, "no such directory"},
		"another file":   {[]string{"-store", "sqlite:" + notADatabase}, nil, "-store sqlite:"},
		"no Redis":       {nil, []string{"B2TRADER_STORE=redis://u:hidden@" + nobody + "/0"}, "-store redis://" + nobody + ": "},
		"no PostgreSQL":  {nil, []string{"B2TRADER_STORE=postgres://u:hidden@" + nobody + "/x"}, "-store postgres://" + nobody + ": "},
		"in plaintext":   {nil, []string{"B2TRADER_STORE=postgres://u:hidden@db.example/x?sslmode=disable"}, "-store leads beyond loopback without verified TLS: set sslmode=verify-full, and sslrootcert if the authority is your own; or set -insecure-allow-plaintext"},
		"another issuer": {[]string{"-store", "sqlite:" + filepath.Join(t.TempDir(), "x.db"), "-identity-url", provider}, nil, "http://identity-server/identity/"},
	} {
		t.Run(name, func(t *testing.T) {
			printed, err := check(t, append(c.args, "-session-keys-file", keys), c.env)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if strings.Contains(printed+err.Error(), "hidden") {
				t.Errorf("it tells the password: %s %v", printed, err)
			}
		})
	}
}

func TestCheckConfigOpensTheStore(t *testing.T) {
	keys := newKeys(t)
	file := filepath.Join(t.TempDir(), "sessions.db")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, store := range []string{"sqlite:" + file, startRedis(t)} {
		printed, err := check(t, []string{"-store", store, "-session-keys-file", keys}, nil)
		if err != nil || !strings.Contains(printed, ": answers.") {
			t.Errorf("%s: printed %q, %v", store, printed, err)
		}
	}
}
