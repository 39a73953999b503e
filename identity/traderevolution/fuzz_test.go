package traderevolution_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// addAnswers seeds a fuzz target with the samples, and with every body of this package's other tests.
func addAnswers(f *testing.F, add func(contentType, body string)) {
	f.Helper()
	count := 0
	each := func(body string) {
		add("application/json", body)
		count++
	}
	for _, name := range []string{"tokens.response.json", "verify.login.response.json", "verify.flag.response.json", "verify.tokens.response.json", "verify.invalid.response.json"} {
		each(string(clienttest.Sample(f, name)))
	}
	for members := range lives {
		each(`{"accessToken":"a","refreshToken":"r",` + members + `}`)
	}
	for body := range unusable {
		each(body)
	}
	for _, c := range ottAnswers {
		each(c.body)
	}
	for _, c := range refusals {
		each(c.body)
	}
	for _, c := range problems {
		each(c.body)
	}
	for _, secret := range []string{password, sentRefresh, sentOTT} {
		each(`{"errorCode":"1.2.0.11","message":"for ` + secret + `","login":"` + secret + `","error":"` + secret + `","traceId":"` + secret + `"}`)
	}
	add("text/plain", "1.2.0.11")
	add("application/problem+json; charset=utf-8", `{"title":"t"}`)
	if count < 50 {
		f.Fatalf("only %d seeds", count)
	}
}

// checkToken checks that a token can be used: sent as a header, and told when it ends.
func checkToken(t *testing.T, token *oauth2.Token) {
	t.Helper()
	for name, value := range map[string]string{"access": token.AccessToken, "refresh": token.RefreshToken} {
		if strings.IndexFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
			t.Errorf("the %s token %q cannot stand in a header", name, value)
		}
	}
	const century = 101 * 365 * 24 * time.Hour
	if token.AccessToken == "" || token.Type() != "Bearer" || token.Expiry.Before(time.Now().Add(-time.Minute)) || time.Until(token.Expiry) > century {
		t.Errorf("got a %s token of %d bytes until %v", token.Type(), len(token.AccessToken), token.Expiry)
	}
	if at := clienttest.RefreshExpiry(token); !at.IsZero() && (token.RefreshToken == "" || time.Until(at) > century) {
		t.Errorf("the refresh token ends at %v", at)
	}
}

// checkError checks that an error is one of this package's, without the secret, and fit for a log.
func checkError(t *testing.T, err error, secret string) {
	t.Helper()
	e, ok := errors.AsType[*tokenapi.Error](err)
	if !ok || e.Err == nil {
		t.Fatalf("got %v", err)
	}
	if strings.Contains(err.Error(), secret) || strings.IndexFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
		t.Errorf("the error says %q", err.Error())
	}
	if len(err.Error()) > 1000 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
}

func FuzzTokens(f *testing.F) {
	addAnswers(f, func(contentType, body string) { f.Add(contentType, body) })
	server, client := inMemory(f, traderevolutiontest.Config{})
	f.Fuzz(func(t *testing.T, contentType, body string) {
		fault := apitest.Fault{Status: 200, ContentType: contentType, Body: []byte(body)}
		server.Inject(traderevolutiontest.EndpointToken, fault)
		token, err := client.SignIn(t.Context(), login, password)
		check := func(token *oauth2.Token, err error, secret string) {
			t.Helper()
			switch {
			case err == nil:
				checkToken(t, token)
			case token != nil:
				t.Errorf("a token and an error: %v", err)
			default:
				checkError(t, err, secret)
			}
		}
		check(token, err, password)
		server.Inject(traderevolutiontest.EndpointRefresh, fault)
		next, err := client.Refresh(t.Context(), &oauth2.Token{RefreshToken: sentRefresh})
		check(next, err, sentRefresh)
		if next != nil && next.RefreshToken == "" {
			t.Error("the refresh token is lost")
		}
	})
}

func FuzzVerifyOTT(f *testing.F) {
	addAnswers(f, func(contentType, body string) { f.Add(contentType, body) })
	server, client := inMemory(f, traderevolutiontest.Config{})
	f.Fuzz(func(t *testing.T, contentType, body string) {
		server.Inject(traderevolutiontest.EndpointVerify, apitest.Fault{Status: 200, ContentType: contentType, Body: []byte(body)})
		ott, err := client.VerifyOTT(t.Context(), sentOTT)
		if ott == nil || string(ott.Raw()) != body {
			t.Fatalf("the answer is lost: %v", err)
		}
		if err != nil {
			checkError(t, err, sentOTT)
		}
		switch {
		case !ott.Valid && (ott.Login != "" || ott.Token != nil), err != nil && ott.Valid:
			t.Errorf("it is not valid, and yet login %q, tokens %v", ott.Login, ott.Token != nil)
		case ott.Valid && ott.Login == "" && ott.Token == nil:
			t.Error("it is valid for nobody")
		case ott.Token != nil:
			checkToken(t, ott.Token)
		}
		if strings.Contains(ott.Login, sentOTT) || strings.IndexFunc(ott.Login, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
			t.Errorf("the login is %q", ott.Login)
		}
	})
}

func FuzzRefusals(f *testing.F) {
	for _, status := range []int{302, 400, 401, 404, 406, 429, 500} {
		addAnswers(f, func(contentType, body string) { f.Add(status, contentType, body) })
	}
	server, client := inMemory(f, traderevolutiontest.Config{})
	f.Fuzz(func(t *testing.T, status int, contentType, body string) {
		if status < 300 || status > 599 {
			return
		}
		for i, op := range operations {
			server.Inject(op.endpoint, apitest.Fault{Status: status, ContentType: contentType, Body: []byte(body)})
			err := op.call(t, client)
			if err != nil {
				checkError(t, err, []string{password, sentRefresh, sentOTT}[i])
			} else if op.endpoint != traderevolutiontest.EndpointVerify {
				t.Errorf("%s: %d is taken for a yes", op.name, status)
			}
		}
	})
}
