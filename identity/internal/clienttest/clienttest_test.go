package clienttest_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"testing"

	"b2trader.identity.auth/identity/internal/clienttest"
)

// A spy takes note of what a check says, in place of the test.
type spy struct {
	testing.TB
	failed bool
}

func (s *spy) Helper()               {}
func (s *spy) Errorf(string, ...any) { s.failed = true }

// The checks of the other packages are worth what this finds.
func TestHidesFinds(t *testing.T) {
	const secret = `pa55 "w/ord+`
	for name, v := range map[string]any{
		"a text":           "it is " + secret,
		"a field":          struct{ Password string }{secret},
		"a hidden field":   struct{ password string }{secret},
		"behind a pointer": &struct{ Password string }{secret},
		"a form":           url.Values{"password": {secret}}.Encode(),
		"base64":           base64.StdEncoding.EncodeToString([]byte("" + secret)),
		"hex":              fmt.Sprintf("%x", secret),
		"JSON":             fmt.Sprintf("%q", secret),
		"bytes":            []byte(secret),
		"an error":         fmt.Errorf("no account for %s", secret),
		"another case":     `PA55 "W/ORD+`,
	} {
		s := &spy{TB: t}
		clienttest.Hides(s, v, secret)
		if !s.failed {
			t.Errorf("%s: it was not found", name)
		}
	}
	s := &spy{TB: t}
	clienttest.Hides(s, struct{ Name string }{"nobody"}, secret)
	if s.failed {
		t.Error("it was found where it is not")
	}
}
