package traderevolution_test

import (
	"errors"
	"net/http"
	"testing"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// notValid, which is nil, stands for the verification's answer that is no error.
var notValid error

// refusals has every row of the table in the package doc: what an answer means to sign in, refresh, and verify.
var refusals = []struct {
	status int
	body   string
	code   string
	want   [3]error
}{
	{401, `{"errorCode":"1.2.0.11"}`, "1.2.0.11", [3]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, notValid}},
	{406, `{"errorCode":"1.2.0.11"}`, "1.2.0.11", [3]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, notValid}},
	{500, `{"errorCode":"1.2.0.11"}`, "1.2.0.11", [3]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, tokenapi.ErrUnavailable}},
	{403, `{"errorCode":"2.0.2.4"}`, "2.0.2.4", [3]error{tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured}},
	{429, `{"errorCode":"2.147.1.27"}`, "2.147.1.27", [3]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{400, `{"errorCode":"2.147.1.27"}`, "2.147.1.27", [3]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{401, `{}`, "", [3]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, notValid}},
	{403, ``, "", [3]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, notValid}},
	{400, `{"errorCode":"9.9.9.9"}`, "9.9.9.9", [3]error{tokenapi.ErrMisconfigured, tokenapi.ErrGrantRefused, notValid}},
	{406, `{"errorCode":"1.6.2.2"}`, "1.6.2.2", [3]error{tokenapi.ErrMisconfigured, tokenapi.ErrGrantRefused, notValid}},
	{404, `{"errorCode":"9.9.9.9"}`, "9.9.9.9", [3]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, notValid}},
	{404, `{"errorCode":"2.0.2.4"}`, "2.0.2.4", [3]error{tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured}},
	{404, `{"status":404,"error":"Not Found"}`, "Not Found", [3]error{tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured}},
	{404, `<html>`, "", [3]error{tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured}},
	{405, ``, "", [3]error{tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured}},
	{408, ``, "", [3]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{429, ``, "", [3]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{500, ``, "", [3]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{503, `{"errorCode":"9.9.9.9"}`, "9.9.9.9", [3]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{410, `{}`, "", [3]error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer, notValid}},
	{422, `{}`, "", [3]error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer, notValid}},
	{200, `{"errorCode":"1.2.0.11"}`, "1.2.0.11", [3]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, notValid}},
	{200, `{"errorCode":"2.147.1.27"}`, "2.147.1.27", [3]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{200, `{"errorCode":"9.9.9.9"}`, "9.9.9.9", [3]error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer, notValid}},
	{302, ``, "", [3]error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer}},
}

func TestRefusals(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	for _, c := range refusals {
		for i, op := range operations {
			server.Inject(op.Endpoint, apitest.Fault{Status: c.status, Body: []byte(c.body)})
			err := op.Call(t.Context(), t, client)
			if c.want[i] == nil {
				if err != nil {
					t.Errorf("%s: %d %s: got %v, want no error", op.Name, c.status, c.body, err)
				}
				continue
			}
			e, ok := errors.AsType[*tokenapi.Error](err)
			if !ok || !errors.Is(e, c.want[i]) || e.StatusCode != c.status || e.Code != c.code || !e.Sent || e.System != "traderevolution" || e.Op != op.Name {
				t.Errorf("%s: %d %s: got %#v, want %v", op.Name, c.status, c.body, err, c.want[i])
			}
		}
	}
}

// problems are the bodies of errors, in the shapes that are in use somewhere, with the code and the words that are in them.
var problems = []struct{ body, code, description string }{
	{`{"errorCode":"1.2.0.11","message":"Wrong login or password"}`, "1.2.0.11", "Wrong login or password"},
	{`{"code":"1.2.0.11","errorMessage":"m"}`, "1.2.0.11", "m"},
	{`{"errorId":" 1.2.0.11 ","description":"m"}`, "1.2.0.11", "m"},
	{`{"whatever":"1.2.0.11"}`, "1.2.0.11", ""},
	{`{"error":"1.2.0.11","detail":"m"}`, "1.2.0.11", "m"},
	{`{"error":"m","errorCode":"1.2.0.11"}`, "1.2.0.11", "m"},
	{`{"error":{"code":"1.2.0.11","message":"m"}}`, "1.2.0.11", "m"},
	{`{"status":406,"response":{"id":"1.2.0.11","Message":"m"}}`, "1.2.0.11", "m"},
	{`{"errors":[{"errorCode":"1.2.0.11","message":"m"},{"errorCode":"2.2.2.2"}]}`, "1.2.0.11", "m"},
	{`[{"errorCode":"1.2.0.11","message":"m"}]`, "1.2.0.11", "m"},
	{`{"errorCode":"1.2.0.11","inner":{"errorCode":"2.2.2.2","message":"m"}}`, "1.2.0.11", "m"},
	{`{"address":"10.0.0.1","theCode":"1.2.0.11"}`, "1.2.0.11", ""},
	{`{"address":"10.0.0.1","theErrorId":"1.2.0.11"}`, "1.2.0.11", ""},
	{`{"a":"1.2.0.11","b":"2.2.2.2"}`, "1.2.0.11", ""},
	{`{"error":{"host":"10.0.0.1"},"z":{"code":"1.2.0.11"}}`, "1.2.0.11", ""},
	{`{"message":"m","errorMessage":"n"}`, "", "m"},
	{`{"message":"","errorMessage":"n"}`, "", "n"},
	{`{"errorCode":"1.2.0.11","message":"","errorMessage":"n"}`, "1.2.0.11", "n"},
	{`{"message":7,"detail":"m"}`, "", "m"},
	{`{"error":"Unauthorized","message":"m","path":"/rest"}`, "Unauthorized", "m"},
	{`{"error":"invalid_grant","error_description":"m"}`, "invalid_grant", "m"},
	{`{"errors":[{"code":2007,"message":"m"}]}`, "2007", "m"},
	{`{"title":"t","status":400}`, "", "t"},
	{`{"errorCode":"1.2.0.11.5","other":"1.2.3","third":"1.2.3.x"}`, "", ""},
	{`{"a":{"b":{"errorCode":"1.2.0.11","message":"m"}}}`, "", ""},
	{`{"errorCode":12011}`, "", ""},
	{`<error><code>1.2.0.11</code></error>`, "", "the answer is not JSON"},
	{`1.2.0.11`, "", "the answer is not JSON"},
	{`{"errorCode":"1.2.0.11"`, "", "the answer is not JSON"},
}

// Errors come as JSON of unknown shape, as XML or as text; all are refusals, and none is a failure to read.
func TestProblems(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	for _, c := range problems {
		mediaType := ""
		if c.description == "the answer is not JSON" {
			mediaType = "text/plain"
		}
		fault := apitest.Fault{Status: 401, ContentType: mediaType, Body: []byte(c.body)}
		server.Inject(traderevolutiontest.EndpointRefresh, fault)
		e := wantError(t, operations[1].Call(t.Context(), t, client), tokenapi.ErrGrantRefused)
		if e.Code != c.code || e.Description != c.description {
			t.Errorf("%s: got %q, %q, want %q, %q", c.body, e.Code, e.Description, c.code, c.description)
		}
		server.Inject(traderevolutiontest.EndpointVerify, fault)
		ott := verify(t, client, sentOTT)
		if ott.Valid || ott.StatusCode != http.StatusUnauthorized || ott.Code != c.code || ott.Description != c.description || string(ott.Raw()) != c.body {
			t.Errorf("%s: got %q, %q", c.body, ott.Code, ott.Description)
		}
	}
}

// A verification's exceptions are all: every other 4xx is of the token.
func TestEvery4xxIsOfTheToken(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	for status := 400; status < 500; status++ {
		server.Inject(traderevolutiontest.EndpointVerify, apitest.Fault{Status: status})
		ott, err := client.VerifyOTT(t.Context(), sentOTT)
		exception := status == 404 || status == 405 || status == 408 || status == 429
		if exception != (err != nil) || !exception && (ott.Valid || ott.StatusCode != status) {
			t.Errorf("%d: got %v, %v", status, ott, err)
		}
	}
}
