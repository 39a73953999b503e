package checkconfig_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
)

// problemsOf returns the text of each problem that check reports, one a line.
func problemsOf(check func(*checkconfig.Problems)) string {
	p := checkconfig.Problems{}
	check(&p)
	return fmt.Sprint(p.Err())
}

func TestProblems(t *testing.T) {
	p := checkconfig.Problems{Package: "mine"}
	p.Missing("A", false)
	p.Negative("B", false)
	p.WholeSeconds("C", time.Minute)
	p.Check("D", nil)
	if err := p.Err(); err != nil {
		t.Errorf("Err() = %v without a problem, want nil", err)
	}
	p.Missing("A", true)
	p.Negative("B", true)
	p.WholeSeconds("C", -time.Millisecond)
	p.Struct = "Account"
	p.Check("D", fs.ErrNotExist)
	p.Add("E", "has %d%%", 7)
	err := p.Err()
	const want = `mine: Config.A is missing
mine: Config.B is negative
mine: Config.C is negative
mine: Config.C is not in whole seconds
mine: Account.D file does not exist
mine: Account.E has 7%`
	if err == nil || err.Error() != want {
		t.Errorf("Err() = %v, want %s", err, want)
	}
	if field, ok := errors.AsType[*checkconfig.FieldError](err); !ok || field.Field != "Config.A" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("first field of %v = %v, want Config.A, and the cause wrapped", err, field)
	}
}

func TestURL(t *testing.T) {
	const onlyLoopback = "must be https: http is for loopback only, unless InsecureAllowHTTP is set"
	for raw, want := range map[string]string{
		"https://h:8443/prefix":         "",
		"http://127.0.0.1:1":            "",
		"http://[::1]:8080":             "",
		"http://localhost":              "",
		"":                              "is missing",
		"ftp://h":                       "must begin with https://",
		"trader.example.com":            "must begin with https://",
		"https://":                      "has no host",
		"https://u:s3cret@h":            "must not contain a user name or password",
		"https://h#f":                   "must have no fragment",
		"https://h?q=1":                 "must have no query",
		"https://h?":                    "must have no query",
		"https://h:s3cret":              "cannot be parsed",
		"https://h/%zz":                 "cannot be parsed",
		"http://trader.example.com":     onlyLoopback, // req 69
		"http://localhost.example.com":  onlyLoopback,
		"http://127.0.0.1.example.com":  onlyLoopback,
		"http://169.254.169.254/latest": onlyLoopback,
	} {
		p := checkconfig.Problems{}
		u := p.URL("U", raw, false)
		got := strings.TrimPrefix(fmt.Sprint(p.Err()), "Config.U ")
		if want == "" {
			want = "<nil>"
		}
		if got != want || (u != nil) != (want == "<nil>") {
			t.Errorf("URL(%q) = %v, %q, want %q", raw, u, got, want)
		}
	}
	p := checkconfig.Problems{}
	if u := p.URL("U", "http://trader.example.com", true); u == nil || p.Err() != nil {
		t.Errorf("URL(http, allowHTTP) = %v, %v, want no problem", u, p.Err())
	}
}

func TestPath(t *testing.T) {
	for path, want := range map[string]string{
		"/token/":          "<nil>",
		"/connect/token":   "<nil>",
		"":                 "Config.P must begin with a slash",
		"token":            "Config.P must begin with a slash",
		"/%zz":             "Config.P cannot be parsed",
		"/token\r\nX: y":   "Config.P cannot be parsed",
		"/token#f":         "Config.P must have no fragment",
		"/token?scope=all": "Config.P must have no query",
	} {
		if got := problemsOf(func(p *checkconfig.Problems) { p.Path("P", path) }); got != want {
			t.Errorf("Path(%q) reports %q, want %q", path, got, want)
		}
	}
}

func TestScopes(t *testing.T) {
	if got := problemsOf(func(p *checkconfig.Problems) { p.Scopes("S", []string{"openid", "a:b/c.d"}) }); got != "<nil>" {
		t.Errorf("Scopes(valid) reports %q, want nothing", got)
	}
	for _, scope := range []string{"", "with space", `"`, `\`, "é", "\x7f"} {
		want := fmt.Sprintf("Config.S contains an invalid scope (RFC 6749 section 3.3): %q", []string{scope})
		if got := problemsOf(func(p *checkconfig.Problems) { p.Scopes("S", []string{"openid", scope}) }); got != want {
			t.Errorf("Scopes(%q) reports %q, want %q", scope, got, want)
		}
	}
}
