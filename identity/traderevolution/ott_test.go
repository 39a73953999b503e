package traderevolution_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// verify returns the OTT of a verification without an error.
func verify(t *testing.T, client *traderevolution.Client, token string) *traderevolution.OTT {
	t.Helper()
	ott, err := client.VerifyOTT(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return ott
}

// A token is valid once, in each reading of the vendor's page.
func TestVerifyOTT(t *testing.T) {
	for answer, want := range map[traderevolutiontest.OTTAnswer]struct {
		login   string
		tokens  bool
		refused int
	}{
		traderevolutiontest.AnswerLogin:       {"trader", false, 200},
		traderevolutiontest.AnswerExpiredFlag: {"trader", false, 200},
		traderevolutiontest.AnswerTokens:      {"", true, 401},
		traderevolutiontest.AnswerBoth:        {"trader", true, 401},
	} {
		server, client := start(t, traderevolutiontest.Config{OTTAnswer: answer})
		token := server.IssueOTT("trader")
		ott := verify(t, client, token)
		if !ott.Valid || ott.Login != want.login || (ott.Token != nil) != want.tokens || ott.StatusCode != http.StatusOK || len(ott.Raw()) == 0 {
			t.Errorf("%s: got valid %v, login %q, token %v, status %d, want %+v", answer, ott.Valid, ott.Login, ott.Token != nil, ott.StatusCode, want)
		}
		if want.tokens {
			if next, err := client.Refresh(t.Context(), ott.Token); err != nil || next.Expiry.Before(time.Now()) {
				t.Errorf("%s: Refresh = %v, want a token", answer, err)
			}
		}
		again := verify(t, client, token)
		if again.Valid || again.Login != "" || again.Token != nil || again.StatusCode != want.refused {
			t.Errorf("%s: the second time: got valid %v, login %q, status %d, want not valid and %d", answer, again.Valid, again.Login, again.StatusCode, want.refused)
		}
		if n := server.Count(traderevolutiontest.EndpointVerify); n != 2 {
			t.Errorf("%s: got %d requests for 2 calls, want 2", answer, n)
		}
	}
}

func TestVerifyOTTExpires(t *testing.T) {
	inBubble(t, func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client) {
		early, late := server.IssueOTT("trader"), server.IssueOTT("trader")
		<-time.After(30*time.Second - 1)
		if !verify(t, client, early).Valid {
			t.Error("got not valid before the end, want valid")
		}
		<-time.After(1)
		if verify(t, client, late).Valid {
			t.Error("got valid at the end, want not valid")
		}
	})
}

func TestVerifyOTTWithoutOne(t *testing.T) {
	server, client := start(t, traderevolutiontest.Config{})
	if ott := verify(t, client, ""); ott.Valid || ott.StatusCode != 0 || server.Count(traderevolutiontest.EndpointVerify) != 0 {
		t.Errorf("got %v after %d requests, want not valid without a request", ott, server.Count(traderevolutiontest.EndpointVerify))
	}
}

// ottAnswers are answers of a verification in every form.
var ottAnswers = []struct {
	body  string
	valid bool
	login string
	want  error
}{
	{`{"login":"trader"}`, true, "trader", nil},
	{`{"login":"trader","valid":true,"isExpired":false}`, true, "trader", nil},
	{`{"login":"trader","valid":null,"accessToken":null}`, true, "trader", nil},
	{`{"login":"trader","isExpired":"false"}`, true, "trader", nil},
	{`{"login":"Żaneta O'Neil, €"}`, true, "Żaneta O'Neil, €", nil},
	{`{"accessToken":"a","refreshToken":"r"}`, true, "", nil},
	{`{"accessToken":"a"}`, true, "", nil},
	{`{"login":"trader","refreshToken":"r"}`, true, "trader", nil},

	{`{"valid":false}`, false, "", nil},
	{`{"valid":"false"}`, false, "", nil},
	{`{"isExpired":true}`, false, "", nil},
	{`{"isExpired":"TRUE","login":"trader"}`, false, "", nil},
	{`{"isExpired":true,"valid":true,"login":"trader"}`, false, "", nil},
	{`{"valid":false,"accessToken":"a","refreshToken":"r","login":"trader"}`, false, "", nil},

	{`{}`, false, "", tokenapi.ErrUnusableAnswer},
	{`null`, false, "", tokenapi.ErrUnusableAnswer},
	{``, false, "", tokenapi.ErrUnusableAnswer},
	{`trader`, false, "", tokenapi.ErrUnusableAnswer},
	{`"trader"`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"valid":true}`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"isExpired":false,"login":""}`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"valid":"perhaps","login":"trader"}`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"valid":[false],"login":"trader"}`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"login":7}`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"login":"trader\u0000"}`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"login":"trader\r\nX: y"}`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"login":"` + sentOTT + `"}`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"refreshToken":"r"}`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"login":"trader","accessToken":"a\nb"}`, false, "", tokenapi.ErrUnusableAnswer},
	{`{"errorCode":"1.2.0.11","message":"refused, with a 200"}`, false, "", nil},
	{`{"login":"trader","errorCode":"1.2.0.11","message":"expired"}`, false, "", nil},
	{`{"login":"trader","errors":[{"code":"1.1.1.1"}]}`, false, "", nil},
	{`{"errorCode":"2.147.1.27"}`, false, "", tokenapi.ErrUnavailable},
	{`{"login":"trader","errorCode":"2.0.2.4"}`, false, "", tokenapi.ErrMisconfigured},

	// An IP address, a version or a login looks like a code.
	{`{"login":"trader","valid":true,"address":"10.0.0.1"}`, true, "trader", nil},
	{`{"login":"trader","accessToken":"a","info":{"lastIp":"192.168.1.7"}}`, true, "trader", nil},
	{`{"login":"trader","isExpired":false,"serverVersion":"3.1.0.12"}`, true, "trader", nil},
	{`{"login":"10.1.2.3"}`, true, "10.1.2.3", nil},
	{`{"login":"trader","isValid":false}`, false, "", nil},
	{`{"login":"trader","expired":true}`, false, "", nil},
	{`{"login":"trader","isValid":true,"expired":false}`, true, "trader", nil},
	{`{"login":" trader"}`, false, "", tokenapi.ErrUnusableAnswer},
}

func TestVerifyOTTAnswers(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	for _, c := range ottAnswers {
		server.Inject(traderevolutiontest.EndpointVerify, answer([]byte(c.body)))
		ott, err := client.VerifyOTT(t.Context(), sentOTT)
		if !errors.Is(err, c.want) || ott == nil {
			t.Errorf("%s: got %v, %v, want %v", c.body, ott, err, c.want)
			continue
		}
		if ott.Valid != c.valid || ott.Login != c.login || string(ott.Raw()) != c.body || !ott.Valid && ott.Token != nil {
			t.Errorf("%s: got valid %v, login %q, raw %s, want valid %v, login %q", c.body, ott.Valid, ott.Login, ott.Raw(), c.valid, c.login)
		}
	}
}

// An error that is not about the token comes without an OTT.
func TestVerifyOTTFails(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	for status, want := range map[int]error{
		404: tokenapi.ErrMisconfigured, 405: tokenapi.ErrMisconfigured,
		408: tokenapi.ErrUnavailable, 429: tokenapi.ErrUnavailable, 500: tokenapi.ErrUnavailable, 503: tokenapi.ErrUnavailable,
	} {
		server.Inject(traderevolutiontest.EndpointVerify, apitest.Fault{Status: status, RetryAfter: "7"})
		ott, err := client.VerifyOTT(t.Context(), sentOTT)
		if e := wantError(t, err, want); ott != nil || !e.Sent || e.RetryAfter != 7*time.Second || e.StatusCode != status {
			t.Errorf("%d: got %v, %#v, want %v without an OTT", status, ott, e, want)
		}
	}
	server.Inject(traderevolutiontest.EndpointVerify, apitest.Fault{Oversized: true})
	ott, err := client.VerifyOTT(t.Context(), server.IssueOTT("trader"))
	if wantError(t, err, tokenapi.ErrUnusableAnswer); ott != nil {
		t.Error("got an OTT of an oversized answer, want none")
	}
	server.Inject(traderevolutiontest.EndpointVerify, apitest.Fault{Status: 302})
	ott, err = client.VerifyOTT(t.Context(), sentOTT)
	if wantError(t, err, tokenapi.ErrUnusableAnswer); ott == nil || ott.Valid || ott.StatusCode != http.StatusFound {
		t.Errorf("a 302: got %v, want an OTT that is not valid", ott)
	}
}

func TestOTTPrints(t *testing.T) {
	for want, ott := range map[string]*traderevolution.OTT{
		"traderevolution.OTT(valid)":                        {Valid: true, Login: "trader", StatusCode: 200},
		"traderevolution.OTT(not valid: HTTP 401 1.2.0.11)": {StatusCode: 401, Code: "1.2.0.11"},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			if got, copied := fmt.Sprintf(verb, ott), fmt.Sprintf(verb, *ott); got != want || copied != want {
				t.Errorf("%s prints %s and %s, want %s", verb, got, copied, want)
			}
		}
	}
}
