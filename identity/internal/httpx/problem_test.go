package httpx

import (
	"encoding/json"
	"testing"
)

// problems are all known shapes of a refusal.
var problems = []struct {
	name, body string
	want       Problem
}{
	{"OAuth", `{"error":"invalid_grant","error_description":"invalid_username_or_password"}`, Problem{Code: "invalid_grant", Description: "invalid_username_or_password"}},
	{"OAuth, code only", `{"error":"invalid_client"}`, Problem{Code: "invalid_client"}},
	{"OAuth, odd description", `{"error":"invalid_scope","error_description":7}`, Problem{Code: "invalid_scope"}},
	{"problem details", `{"type":"https://tools.ietf.org/html/rfc7235#section-3.1","title":"Unauthorized","status":401,"traceId":"00-f6213a0fd91d5a4a34416e6888533e62-eef840f862681e70-00"}`,
		Problem{Description: "Unauthorized", TraceID: "00-f6213a0fd91d5a4a34416e6888533e62-eef840f862681e70-00"}},
	{"problem details, detail and title", `{"title":"Bad Request","detail":"The login is unknown","status":400}`, Problem{Description: "The login is unknown"}},
	{"problem details with fields", `{"title":"One or more validation errors occurred.","errors":{"Email":["The Email field is required."]}}`, Problem{Description: "One or more validation errors occurred."}},
	{"B2Trader", `{"errors":[{"code":"SignInUnsuccessful","message":"The sign-in was unsuccessful"}]}`, Problem{Code: "SignInUnsuccessful", Description: "The sign-in was unsuccessful"}},
	{"JSON:API, code a string", `{"errors":[{"status":"400","code":"2006","detail":"No active account"}]}`, Problem{Code: "2006", Description: "No active account"}},
	{"JSON:API, code a number", `{"errors":[{"code":2007,"detail":"No active account"}]}`, Problem{Code: "2007", Description: "No active account"}},
	{"JSON:API, a detail that is no text", `{"errors":[{"code":"2007","detail":{"login":["No active account"]},"title":"Unauthorized"}]}`, Problem{Code: "2007", Description: "Unauthorized"}},
	{"odd title", `{"title":1,"detail":"words","traceId":[]}`, Problem{Description: "words"}},
	{"B2Core", `{"error":{"message":"Validation failed","details":[{"issue":"no such country"},{"issue":"another"}]}}`, Problem{Description: "Validation failed: no such country"}},
	{"an issue alone", `{"error":{"details":[{"issue":"no such country"}]}}`, Problem{Description: "no such country"}},
	{"odd details", `{"error":{"message":"Validation failed","details":{"issue":"no such country"}}}`, Problem{Description: "Validation failed"}},
	{"error as an object", `{"error":{"code":null,"message":"too many"}}`, Problem{Description: "too many"}},
	// field 54
	{"names in another case", `{"error":{"Message":"m","CODE":"c"},"errors":[{"Code":"c","DETAIL":"d"}]}`, Problem{}},
	{"an issue in another case", `{"error":{"message":"m","details":[{"Issue":"i"}]}}`, Problem{Description: "m"}},
	{"a code twice", `{"errors":[{"code":"a","code":"b"}]}`, Problem{}},
	{"no problem", `{"access_token":"x"}`, Problem{}},
	{"not an object", `[1]`, Problem{}},
	{"not JSON", `<html>`, Problem{}},
	{"empty", ``, Problem{}},
}

func TestParseProblem(t *testing.T) {
	for _, c := range problems {
		if got := ParseProblem([]byte(c.body)); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func FuzzParseProblem(f *testing.F) {
	for _, c := range problems {
		f.Add([]byte(c.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if p := ParseProblem(body); p != (Problem{}) && !json.Valid(body) {
			t.Errorf("ParseProblem(%q) = %+v, want nothing: it is not JSON", body, p)
		}
	})
}
