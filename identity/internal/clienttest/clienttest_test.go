package clienttest_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// A spy records whether a check fails.
type spy struct {
	testing.TB
	failed bool
}

func (s *spy) Helper()               {}
func (s *spy) Errorf(string, ...any) { s.failed = true }
func (s *spy) Fatalf(string, ...any) { s.failed = true; runtime.Goexit() }

// finds reports whether a check fails.
func finds(t *testing.T, check func(testing.TB)) bool {
	t.Helper()
	s := &spy{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(s)
	}()
	<-done
	return s.failed
}

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
		if !finds(t, func(t testing.TB) { clienttest.Hides(t, v, secret) }) {
			t.Errorf("Hides(%s) passes, want a failure", name)
		}
	}
	if finds(t, func(t testing.TB) { clienttest.Hides(t, struct{ Name string }{"other"}, secret) }) {
		t.Error("Hides fails without the secret, want it to pass")
	}
}

func TestUsableFinds(t *testing.T) {
	since := time.Now()
	good := oauth2.Token{AccessToken: "a", RefreshToken: "r", TokenType: "Bearer", Expiry: since}
	ending := func(at time.Time) *oauth2.Token { return good.WithExtra(map[string]any{tokenapi.RefreshExpiry: at}) }
	for name, token := range map[string]*oauth2.Token{"it": &good, "its refresh token": ending(since.AddDate(100, 0, 0))} {
		if finds(t, func(t testing.TB) { clienttest.Usable(t, token, since) }) {
			t.Errorf("Usable(%s) fails, want it to pass", name)
		}
	}
	changed := func(change func(*oauth2.Token)) *oauth2.Token {
		token := *ending(since)
		change(&token)
		return &token
	}
	for name, token := range map[string]*oauth2.Token{
		"no access token":                 changed(func(t *oauth2.Token) { t.AccessToken = "" }),
		"an access token of words":        changed(func(t *oauth2.Token) { t.AccessToken = "a b" }),
		"a refresh token of lines":        changed(func(t *oauth2.Token) { t.RefreshToken = "r\n" }),
		"another type":                    changed(func(t *oauth2.Token) { t.TokenType = "MAC" }),
		"a type in lower case":            changed(func(t *oauth2.Token) { t.TokenType = "bearer" }),
		"an end before its time":          changed(func(t *oauth2.Token) { t.Expiry = since.Add(-1) }),
		"no end":                          changed(func(t *oauth2.Token) { t.Expiry = time.Time{} }),
		"an end far away":                 changed(func(t *oauth2.Token) { t.Expiry = since.AddDate(101, 0, 0) }),
		"the end of no refresh token":     changed(func(t *oauth2.Token) { t.RefreshToken = "" }),
		"a refresh token that has ended":  ending(since.Add(-1)),
		"a refresh token that never ends": ending(since.AddDate(101, 0, 0)),
	} {
		if !finds(t, func(t testing.TB) { clienttest.Usable(t, token, since) }) {
			t.Errorf("%s: the check passes, want a failure", name)
		}
	}
}

func TestRefusedFinds(t *testing.T) {
	about := func(description string) *tokenapi.Error {
		return &tokenapi.Error{System: "b2core", Op: "sign in", Description: description, Err: tokenapi.ErrUnavailable}
	}
	if finds(t, func(t testing.TB) { clienttest.Refused(t, about("é"), "b2core", "5ecret") }) {
		t.Error("Refused fails for a good error, want it to pass")
	}
	for name, err := range map[string]error{
		"nil":            nil,
		"another type":   tokenapi.ErrUnavailable,
		"another system": &tokenapi.Error{System: "tradevest", Op: "sign in", Err: tokenapi.ErrUnavailable},
		"no operation":   &tokenapi.Error{System: "b2core", Err: tokenapi.ErrUnavailable},
		"no sentinel":    &tokenapi.Error{System: "b2core", Op: "sign in", Err: errors.New("odd")},
		"a secret":       about("it is 5ecret"),
		"two lines":      about("a\nb"),
		"too much":       about(strings.Repeat("a", 1000)),
	} {
		if !finds(t, func(t testing.TB) { clienttest.Refused(t, err, "b2core", "5ecret") }) {
			t.Errorf("%s: the check passes, want a failure", name)
		}
	}
}
