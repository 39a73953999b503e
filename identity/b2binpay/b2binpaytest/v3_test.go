package b2binpaytest_test

import (
	"net/http"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
)

// The answers of version 3, as its clients read them.
func TestVersion3(t *testing.T) {
	c := newCaller(t, b2binpaytest.Config{Version: 3, ClientID: "id", ClientSecret: "secret"})
	for attributes, want := range map[string]struct {
		status int
		says   string
	}{
		`"client_id":"id","client_secret":"secret"`: {200, `"expires_in":3599,"token_type":"Bearer"}}}`},
		`"client_id":"id","client_secret":"wrong"`:  {400, `"code":"2006"`},
		`"client_id":"id"`:                          {400, `"pointer":"/data/attributes/client_secret"`},
		`"login":"id","password":"secret"`:          {400, `"pointer":"/data/attributes/client_id"`},
	} {
		r := c.send(http.MethodPost, "/token/", mediaType, "", `{"data":{"type":"auth-token","attributes":{`+attributes+`}}}`)
		if r.Status != want.status || !strings.Contains(r.Body, want.says) || strings.Contains(r.Body, "refresh") {
			t.Errorf("%s: got %d %s, want %d %s", attributes, r.Status, r.Body, want.status, want.says)
		}
	}
	if status, _ := c.renew("any"); status != http.StatusNotFound {
		t.Errorf("a refresh: got %d, want 404", status)
	}
}
