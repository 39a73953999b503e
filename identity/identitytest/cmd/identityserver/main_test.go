package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// start runs the program and returns its URL.
func start(t *testing.T, args ...string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, args, w, io.Discard)
		_ = w.CloseWithError(io.EOF) // a pipe's never fails
		done <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("run() = %v, want nil", err)
		}
	})
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("no URL: %v", err)
	}
	return strings.TrimSpace(line)
}

func send(t *testing.T, method, url, contentType, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(read)
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "users.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const asJSON = "application/json"

// field 3
func TestUsersOfTheConfigFileSignIn(t *testing.T) {
	url := start(t, "-config", write(t, `{
		"users": [{"id": "1", "email": "ada@example.com", "password": "a password", "nickname": "ada"}],
		"clients": [{"id": "app", "secret": "s", "scopes": ["openid", "FrontOffice"], "grantTypes": ["password"]}],
		"accessTokenLifetime": "45s"
	}`))
	if status, text := send(t, http.MethodGet, url+"/", "", ""); status != http.StatusOK || !strings.Contains(text, "IdentityServer") {
		t.Errorf("GET / = %d %s, want a page that says what this is", status, text)
	}
	for password, want := range map[string]int{"a password": http.StatusOK, "another": http.StatusBadRequest} {
		status, text := send(t, http.MethodPost, url+"/identity/sign-in", asJSON, `{"email":"ada@example.com","password":"`+password+`"}`)
		if status != want {
			t.Errorf("sign-in with %q = %d %s, want %d", password, status, text, want)
		}
	}
	status, text := send(t, http.MethodPost, url+"/identity/connect/token", "application/x-www-form-urlencoded",
		"grant_type=password&client_id=app&client_secret=s&username=ada@example.com&password=a+password&scope=FrontOffice")
	if status != http.StatusOK || !strings.Contains(text, `"expires_in":45`) {
		t.Errorf("token = %d %s, want 200 and expires_in 45", status, text)
	}
}

// field 3
func TestSignInPageIsShown(t *testing.T) {
	for name, args := range map[string][]string{
		"flag":   {"-sign-in-page"},
		"member": {"-config", write(t, `{"signInPage":true}`)},
	} {
		url := start(t, args...)
		status, text := send(t, http.MethodGet, url+"/identity/connect/authorize?client_id=spa&response_type=code&scope=openid&redirect_uri="+
			url+"/identity/sign-in-done", "", "")
		if status != http.StatusOK || !strings.Contains(text, `name="password"`) {
			t.Errorf("%s: authorize = %d %s, want the sign-in page", name, status, text)
		}
	}
}

// field 3
func TestFaultsByHTTP(t *testing.T) {
	url := start(t)
	discovery := func() int {
		status, _ := send(t, http.MethodGet, url+"/identity/.well-known/openid-configuration", "", "")
		return status
	}
	inject := func(contentType, body string) int {
		status, _ := send(t, http.MethodPost, url+"/faults", contentType, body)
		return status
	}
	const fault = `{"endpoint":"discovery","status":503,"times":2,"delayBefore":"1ms"}`
	if got := inject(asJSON, fault); got != http.StatusNoContent {
		t.Fatalf("POST /faults = %d, want 204", got)
	}
	for i, want := range []int{503, 503, 200} {
		if got := discovery(); got != want {
			t.Errorf("discovery %d = %d, want %d", i, got, want)
		}
	}
	inject(asJSON, fault)
	if status, _ := send(t, http.MethodDelete, url+"/faults", "", ""); status != http.StatusNoContent {
		t.Errorf("DELETE /faults = %d, want 204", status)
	}
	if got := discovery(); got != http.StatusOK {
		t.Errorf("discovery after DELETE = %d, want 200", got)
	}
	for body, want := range map[string]int{
		`{"endpoint":"nowhere"}`:                    400,
		`{"endpoint":"token","idToken":"nonsense"}`: 400,
		`{"endpoint":"token","status":99}`:          400,
		`{"endpoint":"token","delayBefore":"soon"}`: 400,
		`{"endpoint":"token","surprise":1}`:         400,
		`{"endpoint":"token"}{}`:                    400,
		``:                                          400,
	} {
		if got := inject(asJSON, body); got != want {
			t.Errorf("POST /faults %s = %d, want %d", body, got, want)
		}
	}
	if got := inject("text/plain", fault); got != http.StatusUnsupportedMediaType {
		t.Errorf("POST /faults of text = %d, want 415", got)
	}
	if status, _ := send(t, http.MethodGet, url+"/faults", "", ""); status != http.StatusMethodNotAllowed {
		t.Errorf("GET /faults = %d, want 405", status)
	}
}

// field 3
func TestBadSettingsAreErrors(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"beyond loopback": {[]string{"-addr", "192.0.2.1:0"}, "loopback"},
		"no file":         {[]string{"-config", "no-such-file.json"}, "no-such-file.json"},
		"no JSON":         {[]string{"-config", write(t, `users`)}, "-config"},
		"unknown member":  {[]string{"-config", write(t, `{"usres":[]}`)}, "usres"},
		"bad lifetime":    {[]string{"-config", write(t, `{"sessionLifetime":"long"}`)}, "long"},
		"bad user":        {[]string{"-config", write(t, `{"users":[{"id":"1"}]}`)}, "Users[0]"},
		"argument":        {[]string{"users.json"}, "users.json"},
	} {
		err := run(t.Context(), c.args, io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: run(%q) = %v, want an error with %q", name, c.args, err, c.want)
		}
	}
}
