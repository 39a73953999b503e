package b2binpay_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

func TestExchanges(t *testing.T) {
	clienttest.Exchanges(t, clienttest.Subject[*b2binpay.Client]{
		System: "b2binpay",
		New: func(t testing.TB, http tokenapi.HTTP, url string) *b2binpay.Client {
			return newClient(t, url, func(c *b2binpay.Config) { c.HTTP = http })
		},
		Operations: operations,
	})
}

// req 20. Unsigned answers are allowed here, so that it is not the signature that is missed.
func TestUnusableAnswers(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{}, func(c *b2binpay.Config) { c.AllowUnsigned = true })
	document := func(attributes string) apitest.Fault {
		return answering([]byte(`{"data":{"type":"auth-token","id":null,"attributes":` + attributes + `}}`))
	}
	for name, fault := range map[string]apitest.Fault{
		"empty":                        answering(nil),
		"not JSON":                     answering([]byte(`access`)),
		"cut short":                    answering([]byte(`{"data":{"attributes":{"access":"a"`)),
		"a list":                       answering([]byte(`[]`)),
		"null":                         answering([]byte(`null`)),
		"JSON of another media type":   {Status: 200, ContentType: "text/html", Body: []byte(`{"data":{"attributes":{"access":"a"}}}`)},
		"too large":                    {Status: 200, Oversized: true, Body: []byte(`{"data":{"attributes":{"access":"a"}}}`)},
		"nothing":                      {Status: 204},
		"errors with a 200":            answering([]byte(`{"errors":[{"code":"2006"}]}`)),
		"no data":                      answering([]byte(`{}`)),
		"no attributes":                answering([]byte(`{"data":{"type":"auth-token"}}`)),
		"no access token":              document(`{"refresh":"r"}`),
		"an empty access token":        document(`{"access":"","refresh":"r"}`),
		"an access token of null":      document(`{"access":null,"refresh":"r"}`),
		"a number for a token":         document(`{"access":1,"refresh":"r"}`),
		"an access token of lines":     document(`{"access":"a\r\nX: y","refresh":"r"}`),
		"an access token of words":     document(`{"access":"a b","refresh":"r"}`),
		"a refresh token of lines":     document(`{"access":"a","refresh":"r\n"}`),
		"a token beyond ASCII":         document(`{"access":"ä","refresh":"r"}`),
		"data that is not an object":   answering([]byte(`{"data":[]}`)),
		"a meta that is not an object": answering([]byte(`{"data":{"attributes":{"access":"a"}},"meta":7}`)),
	} {
		for _, op := range operations {
			server.Inject(op.Endpoint, fault)
			e := wantError(t, op.Call(t.Context(), t, client), tokenapi.ErrUnusableAnswer)
			if !e.Sent || e.Description == "" {
				t.Errorf("%s, %s: got %#v", op.Name, name, e)
			}
		}
	}
}

// Unknown members, and known ones of an unexpected type, cost no token.
func TestToleratedAnswers(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{}, func(c *b2binpay.Config) { c.AllowUnsigned = true })
	for name, body := range map[string]string{
		"the least":       `{"data":{"attributes":{"access":"a"}}}`,
		"unknown members": `{"data":{"attributes":{"access":"a","type_2fa":null},"links":{}},"jsonapi":{"version":"1.0"}}`,
		"odd types":       `{"data":{"type":7,"id":[],"attributes":{"access":"a","access_expired_at":7,"refresh_expired_at":{},"is_2fa_confirmed":"no"}},"meta":{"time":[]}}`,
		"meta of null":    `{"data":{"attributes":{"access":"a"}},"meta":null}`,
	} {
		for _, op := range operations {
			server.Inject(op.Endpoint, answering([]byte(body)))
			if err := op.Call(t.Context(), t, client); err != nil {
				t.Errorf("%s, %s: %v", op.Name, name, err)
			}
		}
	}
}

// The trailing slash is part of the path: without it the server redirects, and the client does not follow.
func TestPathWithoutItsSlash(t *testing.T) {
	server, client := start(t, b2binpaytest.Config{}, func(c *b2binpay.Config) { c.TokenPath, c.RefreshPath = "/token", "/token/refresh" })
	for _, op := range operations {
		if e := wantError(t, op.Call(t.Context(), t, client), tokenapi.ErrUnusableAnswer); e.StatusCode != http.StatusMovedPermanently || server.Count(op.Endpoint) != 0 {
			t.Errorf("%s: got %#v", op.Name, e)
		}
	}
}

// The token is what the API wants of it.
func TestTokensOpenTheAPI(t *testing.T) {
	server, client := start(t, b2binpaytest.Config{MaxUses: 2})
	status := func(token *oauth2.Token) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+b2binpaytest.APIPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		token.SetAuthHeader(r)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		var body map[string]any
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || (body["data"] == nil) == (answer.StatusCode == http.StatusOK) {
			t.Errorf("got %v, %v", body, err)
		}
		return answer.StatusCode
	}
	token := signIn(t, client)
	for i, want := range []int{200, 200, 401} {
		if got := status(token); got != want {
			t.Errorf("use %d: got %d", i+1, got)
		}
	}
	next := refresh(t, client, token)
	if got := status(next); got != 200 {
		t.Errorf("renewed: got %d", got)
	}
	server.ExpireTokens()
	if got := status(next); got != 401 {
		t.Errorf("expired: got %d", got)
	}
}
