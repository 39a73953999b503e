package clienttest

import (
	"fmt"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/tokenapi"
)

// A ConfigSubject is New of a client C and its Config.
type ConfigSubject[Config, C any] struct {
	System string
	New    func(Config) (C, error)
	Good   Config // the required fields

	// Version begins the names of the Config and the client, such as "V3". Empty:
	// they are Config and Client.
	Version string

	// Common returns the fields that every Config has.
	Common func(*Config) (url *string, http *tokenapi.HTTP)
}

// A Change is a change to a good Config and the names of the fields that are
// then wrong, separated by spaces.
type Change[Config any] struct {
	change func(*Config)
	wrong  string
}

// Wrong returns a Change after which the fields are wrong, or none if fields is
// empty.
func Wrong[Config any](fields string, change func(*Config)) Change[Config] {
	return Change[Config]{change, fields}
}

// Configs checks that New reports every wrong field of a Config at once, without
// a password in the URL, and that the client prints its URL only (req 69, 128).
func Configs[Config, C any](t *testing.T, s ConfigSubject[Config, C], changes ...Change[Config]) {
	t.Helper()
	for url, wrong := range map[string]string{
		"https://h": "", "https://h/a//": "", "http://127.0.0.1:8080": "", "http://localhost": "", "http://[::1]:1": "",
		"http://h": "URL", "h": "URL", "//h": "URL", "ftp://h": "URL", "https://": "URL", "https://h/%zz": "URL",
		"https://u:5ecret@h": "URL", "https://h?q=1": "URL", "https://h#f": "URL",
	} {
		changes = append(changes, Change[Config]{func(c *Config) { u, _ := s.Common(c); *u = url }, wrong})
	}
	changes = append(changes,
		Change[Config]{func(*Config) {}, ""},
		Change[Config]{func(c *Config) { u, h := s.Common(c); *u, h.InsecureAllowHTTP = "http://h", true }, ""},
		Change[Config]{func(c *Config) { _, h := s.Common(c); h.Timeout = -1 }, "HTTP.Timeout"},
	)
	for _, c := range changes {
		config := s.Good
		c.change(&config)
		_, err := s.New(config)
		if got := strings.ReplaceAll(strings.Join(WrongFields(err), " "), s.Version+"Config.", ""); got != c.wrong || (err != nil) != (c.wrong != "") {
			t.Errorf("New(%+v) = %v, about %q, want an error about %q", config, err, got, c.wrong)
		}
		if err == nil {
			continue
		}
		for line := range strings.Lines(err.Error()) {
			if !strings.HasPrefix(line, s.System+": "+s.Version+"Config.") || strings.Contains(line, "5ecret") {
				t.Errorf("New says %q, want the prefix %s and no secret", line, s.System)
			}
		}
	}
	config := s.Good
	url, _ := s.Common(&config)
	*url = "https://h.example/prefix/"
	client := New(t, s.New, config)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got, want := fmt.Sprintf(verb, client), s.System+"."+s.Version+"Client(https://h.example/prefix)"; got != want {
			t.Errorf("%s prints %s, want %s", verb, got, want)
		}
	}
}

// WrongFields returns the fields that the FieldErrors in err's tree name, in
// their order, without the leading "Config.".
func WrongFields(err error) []string {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case *tokenapi.FieldError:
		return []string{strings.TrimPrefix(e.Field, "Config.")}
	case interface{ Unwrap() []error }:
		var fields []string
		for _, each := range e.Unwrap() {
			fields = append(fields, WrongFields(each)...)
		}
		return fields
	case interface{ Unwrap() error }:
		return WrongFields(e.Unwrap())
	}
	return nil
}
