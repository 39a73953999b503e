package traderevolution_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
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
	for _, secret := range []string{sentPassword, sentRefresh, sentOTT} {
		body, err := json.Marshal(map[string]string{"errorCode": "1.2.0.11", "message": "for " + secret, "login": secret, "error": secret, "traceId": secret})
		if err != nil {
			f.Fatal(err)
		}
		each(string(body))
	}
	add("text/plain", "1.2.0.11")
	add("application/problem+json; charset=utf-8", `{"title":"t"}`)
	if count < 50 {
		f.Fatalf("only %d seeds", count)
	}
}

func FuzzTokens(f *testing.F) {
	addAnswers(f, func(contentType, body string) { f.Add(contentType, body) })
	server, client := inMemory(f, traderevolutiontest.Config{})
	f.Fuzz(func(t *testing.T, contentType, body string) {
		fault := apitest.Fault{Status: 200, ContentType: contentType, Body: []byte(body)}
		server.Inject(traderevolutiontest.EndpointToken, fault)
		began := time.Now()
		check := func(token *oauth2.Token, err error, secret string) {
			t.Helper()
			if clienttest.OnlyOne(t, token != nil, err) != nil {
				clienttest.Refused(t, err, "traderevolution", secret)
			} else {
				clienttest.Usable(t, token, began)
			}
		}
		token, err := client.SignIn(t.Context(), login, sentPassword)
		check(token, err, sentPassword)
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
		began := time.Now()
		ott, err := client.VerifyOTT(t.Context(), sentOTT)
		if ott == nil || string(ott.Raw()) != body {
			t.Fatalf("the answer is lost: %v", err)
		}
		if err != nil {
			clienttest.Refused(t, err, "traderevolution", sentOTT)
		}
		switch {
		case !ott.Valid && (ott.Login != "" || ott.Token != nil), err != nil && ott.Valid:
			t.Errorf("it is not valid, and yet login %q, tokens %v", ott.Login, ott.Token != nil)
		case ott.Valid && ott.Login == "" && ott.Token == nil:
			t.Error("it is valid for nobody")
		case ott.Token != nil:
			clienttest.Usable(t, ott.Token, began)
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
		for _, op := range operations {
			server.Inject(op.Endpoint, apitest.Fault{Status: status, ContentType: contentType, Body: []byte(body)})
			if err := op.Call(t.Context(), t, client); err != nil {
				clienttest.Refused(t, err, "traderevolution", op.Secrets...)
			} else if op.Endpoint != traderevolutiontest.EndpointVerify {
				t.Errorf("%s: %d is taken for a yes", op.Name, status)
			}
		}
	})
}
