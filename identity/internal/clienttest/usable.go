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

// Usable checks that a token, requested after since, can stand in a header and
// has an expiry, as does its refresh token if it tells one.
func Usable(t testing.TB, token *oauth2.Token, since time.Time) {
	t.Helper()
	for name, value := range map[string]string{"access": token.AccessToken, "refresh": token.RefreshToken} {
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("the %s token is %q, want one that can stand in a header", name, value)
		}
	}
	request := &http.Request{Header: http.Header{}}
	token.SetAuthHeader(request)
	if got := request.Header.Get("Authorization"); token.AccessToken == "" || token.TokenType != "Bearer" || got != "Bearer "+token.AccessToken {
		t.Errorf("the header of the %s token is %q, want a bearer", token.TokenType, got)
	}
	sane := func(end time.Time) bool { return !end.Before(since) && end.Before(since.AddDate(101, 0, 0)) }
	if !sane(token.Expiry) {
		t.Errorf("the token expires at %v, want within 101 years", token.Expiry)
	}
	if end := RefreshExpiry(token); !end.IsZero() && (token.RefreshToken == "" || !sane(end)) {
		t.Errorf("the refresh token %q expires at %v, want within 101 years", token.RefreshToken, end)
	}
}

// sentinels are the errors of which every error of a client wraps one.
var sentinels = []error{
	tokenapi.ErrBadCredentials, tokenapi.ErrNotSignedIn, tokenapi.ErrGrantRefused,
	tokenapi.ErrMisconfigured, tokenapi.ErrUnavailable, tokenapi.ErrUnusableAnswer,
}

// Refused checks that err is an error of the system's client that wraps a
// sentinel, fits in a log and hides the secrets.
func Refused(t testing.TB, err error, system string, secrets ...string) {
	t.Helper()
	e, ok := errors.AsType[*tokenapi.Error](err)
	if !ok || e.System != system || e.Op == "" || !slices.ContainsFunc(sentinels, func(s error) bool { return errors.Is(e, s) }) {
		t.Fatalf("got %v, want a *tokenapi.Error of %s", err, system)
	}
	text := err.Error()
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) || len(text) > 1000 {
		t.Errorf("the error is %q of %d bytes, want one printable line", text, len(text))
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the error is %q, want it without %q", text, secret)
		}
	}
}
