package b2binpay_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// refusals has every row of the table in the package doc: what an answer means to sign in and to refresh.
var refusals = []struct {
	status int
	body   string
	code   string
	want   [2]error
}{
	{400, `{"errors":[{"status":"400","code":"2006","title":"t","detail":"d","source":{"pointer":"/data"}}]}`, "2006", [2]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused}},
	{422, `{"errors":[{"code":2006,"detail":"d"}]}`, "2006", [2]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused}},
	{401, `{"errors":[{"code":"2007","detail":"d"}]}`, "2007", [2]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused}},
	{403, `{"errors":[{"code":2007,"detail":"d"}]}`, "2007", [2]error{tokenapi.ErrMisconfigured, tokenapi.ErrGrantRefused}},
	{400, `{"errors":[{"code":"throttled","detail":"d"}]}`, "throttled", [2]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{429, `{"errors":[{"code":"throttled","detail":"d"}]}`, "throttled", [2]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{400, `{"errors":[{"code":"invalid","detail":"d"}]}`, "invalid", [2]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused}},
	{400, ``, "", [2]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused}},
	{401, `{"detail":"d"}`, "", [2]error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused}},
	{403, `{"errors":[{"code":"permission_denied","detail":"d"}]}`, "permission_denied", [2]error{tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured}},
	{404, `<html>`, "", [2]error{tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured}},
	{405, `{"errors":[]}`, "", [2]error{tokenapi.ErrMisconfigured, tokenapi.ErrMisconfigured}},
	{408, ``, "", [2]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{429, ``, "", [2]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{500, `{"errors":[{"code":"error","detail":"d"}]}`, "error", [2]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{502, `<html>`, "", [2]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{503, ``, "", [2]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{504, ``, "", [2]error{tokenapi.ErrUnavailable, tokenapi.ErrUnavailable}},
	{415, `{"errors":[{"code":"unsupported_media_type","detail":"d"}]}`, "unsupported_media_type", [2]error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer}},
	{418, `{}`, "", [2]error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer}},
	{302, ``, "", [2]error{tokenapi.ErrUnusableAnswer, tokenapi.ErrUnusableAnswer}},
}

func TestRefusals(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{})
	for _, c := range refusals {
		for i, op := range operations {
			server.Inject(op.Endpoint, apitest.Fault{Status: c.status, Body: []byte(c.body), ContentType: "application/vnd.api+json", RetryAfter: "7"})
			err := op.Call(t.Context(), t, client)
			e, ok := errors.AsType[*tokenapi.Error](err)
			if !ok || !errors.Is(e, c.want[i]) || e.StatusCode != c.status || e.Code != c.code || !e.Sent || e.System != "b2binpay" || e.Op != op.Name {
				t.Errorf("%s: %d %s: got %#v, want %v", op.Name, c.status, c.body, err, c.want[i])
				continue
			}
			if c.code != "" && e.Description != "d" || e.RetryAfter != 7*time.Second {
				t.Errorf("%s: %d %s: got %q, to be tried again in %v", op.Name, c.status, c.body, e.Description, e.RetryAfter)
			}
		}
	}
}

// The test server refuses in the media type of JSON:API, as the vendor does, so that the client meets it in all these tests.
func TestServerRefusesInJSONAPI(t *testing.T) {
	server := clienttest.New(t, b2binpaytest.New, b2binpaytest.Config{})
	api := &http.Client{Transport: server.Transport()}
	for path, attributes := range map[string]string{"/token/": `{"login":"a","password":"b"}`, "/token/refresh/": `{"refresh":"r"}`} {
		body := `{"data":{"type":"auth-token","attributes":` + attributes + `}}`
		resp, err := api.Post(bubbleURL+path, "application/vnd.api+json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("Content-Type"); resp.StatusCode/100 != 4 || got != "application/vnd.api+json" {
			t.Errorf("%s: %s, as %s", path, resp.Status, got)
		}
	}
}
