package traderevolution_test

import (
	"net/http"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// refusals has the rows of the table in the package doc. A nil error of a
// verification means that the OTT is not valid.
var refusals = []clienttest.Answer{
	{Status: 401, Body: `{"errorCode":"1.2.0.11"}`, Code: "1.2.0.11", Want: []error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, nil}},
	{Status: 406, Body: `{"errorCode":"1.2.0.11"}`, Code: "1.2.0.11", Want: []error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, nil}},
	{Status: 500, Body: `{"errorCode":"1.2.0.11"}`, Code: "1.2.0.11", Want: []error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, tokenapi.ErrUnavailable}},
	{Status: 403, Body: `{"errorCode":"2.0.2.4"}`, Code: "2.0.2.4", Want: clienttest.All(tokenapi.ErrMisconfigured)},
	{Status: 429, Body: `{"errorCode":"2.147.1.27"}`, Code: "2.147.1.27", Want: clienttest.All(tokenapi.ErrUnavailable)},
	{Status: 400, Body: `{"errorCode":"2.147.1.27"}`, Code: "2.147.1.27", Want: clienttest.All(tokenapi.ErrUnavailable)},
	{Status: 401, Body: `{}`, Want: []error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, nil}},
	{Status: 403, Body: ``, Want: []error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, nil}},
	{Status: 400, Body: `{"errorCode":"9.9.9.9"}`, Code: "9.9.9.9", Want: []error{tokenapi.ErrMisconfigured, tokenapi.ErrGrantRefused, nil}},
	{Status: 406, Body: `{"errorCode":"1.6.2.2"}`, Code: "1.6.2.2", Want: []error{tokenapi.ErrMisconfigured, tokenapi.ErrGrantRefused, nil}},
	{Status: 404, Body: `{"errorCode":"9.9.9.9"}`, Code: "9.9.9.9", Want: []error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, nil}},
	{Status: 404, Body: `{"errorCode":"2.0.2.4"}`, Code: "2.0.2.4", Want: clienttest.All(tokenapi.ErrMisconfigured)},
	{Status: 404, Body: `{"status":404,"error":"Not Found"}`, Code: "Not Found", Want: clienttest.All(tokenapi.ErrMisconfigured)},
	{Status: 503, Body: `{"errorCode":"9.9.9.9"}`, Code: "9.9.9.9", Want: clienttest.All(tokenapi.ErrUnavailable)},
	{Status: 410, Body: `{}`, Want: []error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer, nil}},
	{Status: 422, Body: `{}`, Want: []error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer, nil}},
	{Status: 402, Type: "text/plain", Body: "denied", Want: []error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer, nil}}, // the API's errors may be text
	{Status: 200, Body: `{"errorCode":"1.2.0.11"}`, Code: "1.2.0.11", Want: []error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused, nil}},
	{Status: 200, Body: `{"errorCode":"2.147.1.27"}`, Code: "2.147.1.27", Want: clienttest.All(tokenapi.ErrUnavailable)},
	{Status: 200, Body: `{"errorCode":"9.9.9.9"}`, Code: "9.9.9.9", Want: []error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer, nil}},
}

// problems are bodies of errors in many shapes, with their codes and texts.
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

// An error may be JSON of any shape, XML or text.
func TestProblems(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	for _, c := range problems {
		mediaType := ""
		if c.description == "the answer is not JSON" {
			mediaType = "text/plain"
		}
		fault := apitest.Fault{Status: 401, ContentType: mediaType, Body: []byte(c.body)}
		server.Inject(traderevolutiontest.EndpointRefresh, fault)
		e := wantError(t, refreshError(t, client), tokenapi.ErrGrantRefused)
		if e.Code != c.code || e.Description != c.description {
			t.Errorf("%s: got %q, %q, want %q, %q", c.body, e.Code, e.Description, c.code, c.description)
		}
		server.Inject(traderevolutiontest.EndpointVerify, fault)
		ott := verify(t, client, sentOTT)
		if ott.Valid || ott.StatusCode != http.StatusUnauthorized || ott.Code != c.code || ott.Description != c.description || string(ott.Raw()) != c.body {
			t.Errorf("%s: got an OTT with %q, %q, want %q, %q", c.body, ott.Code, ott.Description, c.code, c.description)
		}
	}
}

func refreshError(t *testing.T, client *traderevolution.Client) error {
	t.Helper()
	_, err := client.Refresh(t.Context(), &oauth2.Token{RefreshToken: sentRefresh})
	return err
}

// Only four 4xx are not about the token.
func TestEvery4xxIsAboutTheToken(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	for status := 400; status < 500; status++ {
		server.Inject(traderevolutiontest.EndpointVerify, apitest.Fault{Status: status})
		ott, err := client.VerifyOTT(t.Context(), sentOTT)
		exception := status == 404 || status == 405 || status == 408 || status == 429
		if exception != (err != nil) || !exception && (ott.Valid || ott.StatusCode != status) {
			t.Errorf("%d: got %v, %v, want an error only for 404, 405, 408 and 429", status, ott, err)
		}
	}
}
