package clienttest

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// Usable checks that a token, asked for after since, can be used: it can stand in a header, and tells when it and its refresh token end.
func Usable(t testing.TB, token *oauth2.Token, since time.Time) {
	t.Helper()
	for name, value := range map[string]string{"access": token.AccessToken, "refresh": token.RefreshToken} {
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("the %s token %q cannot stand in a header", name, value)
		}
	}
	request := &http.Request{Header: http.Header{}}
	token.SetAuthHeader(request)
	if got := request.Header.Get("Authorization"); token.AccessToken == "" || token.TokenType != "Bearer" || got != "Bearer "+token.AccessToken {
		t.Errorf("the header of the %s token is %q", token.TokenType, got)
	}
	sane := func(end time.Time) bool { return !end.Before(since) && end.Before(since.AddDate(101, 0, 0)) }
	if !sane(token.Expiry) {
		t.Errorf("the token ends at %v", token.Expiry)
	}
	if end := RefreshExpiry(token); !end.IsZero() && (token.RefreshToken == "" || !sane(end)) {
		t.Errorf("the refresh token %q ends at %v", token.RefreshToken, end)
	}
}

// sentinels are what every error of a client wraps one of.
var sentinels = []error{
	tokenapi.ErrBadCredentials, tokenapi.ErrNotSignedIn, tokenapi.ErrGrantRefused,
	tokenapi.ErrMisconfigured, tokenapi.ErrUnavailable, tokenapi.ErrUnusableAnswer,
}

// Refused checks that err is an error of the system's client that callers can branch on, fit for a log and without a secret.
func Refused(t testing.TB, err error, system string, secrets ...string) {
	t.Helper()
	e, ok := errors.AsType[*tokenapi.Error](err)
	if !ok || e.System != system || e.Op == "" || !slices.ContainsFunc(sentinels, func(s error) bool { return errors.Is(e, s) }) {
		t.Fatalf("got %v, want a *tokenapi.Error of %s", err, system)
	}
	text := err.Error()
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || len(text) > 1000 {
		t.Errorf("the error of %d bytes says %q", len(text), text)
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the error shows a secret: %q", text)
		}
	}
}
