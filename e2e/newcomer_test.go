package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

// newcomersProgram uses the library in fifteen lines.
const newcomersProgram = `package main

import ("b2trader.identity.auth/identity"; "context"; "fmt"; "log"; "os")

func main() {
	client, err := identity.New(identity.Config{URL: os.Args[1], ClientID: identity.ClientSPA})
	if err != nil {
		log.Fatal(err)
	}
	token, err := client.Login(context.Background(), "trader@example.com", os.Getenv("PASSWORD"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("signed in, scope", token.Extra("scope"))
}
`

// TestNewcomersProgram builds a module that names this one by a replace
// directive, from the modules that go test has fetched. The program signs in,
// and contains neither a database nor a web framework.
func TestNewcomersProgram(t *testing.T) {
	t.Parallel()
	if n := strings.Count(newcomersProgram, "\n"); n > 15 {
		t.Fatalf("lines of the program = %d, want at most 15", n)
	}
	dir := t.TempDir()
	repo := must(filepath.Abs(repository))(t)
	sums := must(os.ReadFile(filepath.Join(repo, "go.sum")))(t)
	for name, content := range map[string]string{
		"main.go": newcomersProgram,
		"go.mod":  "module newcomer\n\ngo 1.26\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + repo + "\n",
		"go.sum":  string(sums),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary := filepath.Join(dir, "newcomer")
	newcomersGo(t, dir, "build", "-o", binary, ".")
	server := identitytest.Start(t, identitytest.Config{})
	run := exec.CommandContext(t.Context(), binary, server.URL())
	run.Env = append(os.Environ(), "PASSWORD=trader-password")
	out, err := run.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "signed in, scope openid FrontOffice offline_access") {
		t.Errorf("output of the program = %q (%v), want its scope", out, err)
	}
	if n := server.Grants("authorization_code"); n != 1 {
		t.Errorf("codes exchanged = %d, want 1", n)
	}
	for dependency := range strings.FieldsSeq(newcomersGo(t, dir, "list", "-deps", ".")) {
		for _, foreign := range []string{"database/sql", "a-h/templ", "alexedwards/scs", "goquery", "pgx", "sqlite", "rueidis", module + "/web", module + "/static", module + "/identity/identitytest"} {
			if strings.Contains(dependency, foreign) {
				t.Errorf("the program is built from %s, want no database and no web framework", dependency)
			}
		}
	}
}

// newcomersGo runs the go command offline in the newcomer's module.
func newcomersGo(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}
