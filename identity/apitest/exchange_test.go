package apitest_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"b2trader.identity.auth/identity/apitest"
)

// exchanged returns the result of read for the exchange of a request.
func exchanged[T any](t *testing.T, read func(*apitest.Exchange) T, path, body string, headers ...string) T {
	t.Helper()
	c := inMemory(t, apitest.Config{})
	var found T
	c.server.Handle("/read/*", "read", func(x *apitest.Exchange) { found = read(x) })
	c.post("/read/"+path, body, headers...)
	return found
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer t-1": "t-1", "bearer  t-1 ": "t-1", "Bearer": "", "Basic t-1": "", "Bearert-1": "", "": "",
	} {
		got := exchanged(t, (*apitest.Exchange).Bearer, "", "", "Authorization", header)
		wantEqual(t, "bearer of "+header, got, want)
	}
}

func TestFormsAndQueriesAreDecoded(t *testing.T) {
	form := func(x *apitest.Exchange) string { return x.Form.Get("a") + "|" + x.Query.Get("a") }
	const urlEncoded = "application/x-www-form-urlencoded"
	for _, c := range []struct{ contentType, body, want string }{
		{urlEncoded, "a=1%262&b", "1&2|3"},
		{"Application/X-WWW-Form-Urlencoded; charset=UTF-8", "a=1", "1|3"},
		{urlEncoded, "b=%zz&a=1", "1|3"}, // malformed: what can be read
		{"application/json", "a=1", "|3"},
		{"", "a=1", "|3"},
	} {
		wantEqual(t, c.contentType+" "+c.body, exchanged(t, form, "?a=3", c.body, "Content-Type", c.contentType), c.want)
	}
}

func TestDecode(t *testing.T) {
	decode := func(x *apitest.Exchange) string {
		var in struct{ A int }
		if !x.Decode(&in) {
			return "refused"
		}
		return string(rune('0' + in.A))
	}
	for body, want := range map[string]string{
		`{"a":7}`: "7", `{"a":7,"b":8}`: "7", `{"a":"7"}`: "refused", `{"a":7}{}`: "refused", "": "refused",
	} {
		wantEqual(t, body, exchanged(t, decode, "", body), want)
	}
}

func TestAnswers(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	c.server.Handle("/json", "json", func(x *apitest.Exchange) {
		x.Answer().Header().Set("X-Mark", "1")
		x.JSON(http.StatusCreated, "application/vnd.api+json", map[string]any{"url": "<a&b>"})
	})
	c.server.Handle("/status", "status", func(x *apitest.Exchange) {
		x.Status(http.StatusNoContent)
		x.Status(http.StatusTeapot) // the first one counts
	})
	c.server.Handle("/get", "get", func(x *apitest.Exchange) {
		if x.AllowOnly(http.MethodGet, http.MethodHead) {
			t.Error("a POST was allowed")
		}
	})
	got := c.post("/json", "")
	wantEqual(t, "status", got.status, http.StatusCreated)
	wantEqual(t, "Content-Type", got.header.Get("Content-Type"), "application/vnd.api+json")
	wantEqual(t, "header", got.header.Get("X-Mark"), "1")
	wantEqual(t, "body", got.body, `{"url":"<a&b>"}`)
	got = c.post("/status", "")
	wantEqual(t, "status", got.status, http.StatusNoContent)
	wantEqual(t, "body", got.body, "")
	got = c.post("/get", "")
	wantEqual(t, "status", got.status, http.StatusMethodNotAllowed)
	wantEqual(t, "Allow", got.header.Get("Allow"), "GET, HEAD")
	wantEqual(t, "status of a handler that does nothing", c.post("/other", "").status, http.StatusOK)
	wantEqual(t, "and its record", c.server.Requests(endpointOther)[0].Status, http.StatusOK)
}

func TestObject(t *testing.T) {
	o := apitest.Object{{"z", "<&>"}, {"a", apitest.Object{{"y", nil}, {"b", []apitest.Object{{}}}}}}
	o.Add("n", 1)
	o.Add("m", 2)
	o.Set("z", "changed & moved not")
	o.Set("new", true)
	o.Drop("n")
	const want = `{"z":"changed & moved not","a":{"y":null,"b":[{}]},"m":2,"new":true}`
	wantEqual(t, "JSON", string(o.JSON()), want)
	wantEqual(t, "Get", o.Get("m"), any(2))
	wantEqual(t, "Get of nothing", o.Get("n"), nil)
	nested, err := json.Marshal([]any{apitest.Object{{"a", 1}}})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "as a value", string(nested), `[{"a":1}]`)
}
