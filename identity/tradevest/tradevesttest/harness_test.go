package tradevesttest_test

import (
	"net/http"
	"net/url"
	"testing"

	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// A partner sends requests to a server without a socket.
type partner struct {
	*testing.T
	server *tradevesttest.Server
}

func newPartner(t *testing.T, cfg tradevesttest.Config) *partner {
	t.Helper()
	return &partner{t, clienttest.New(t, tradevesttest.New, cfg)}
}

// good returns the parameters of a good token request, changed by pairs of name
// and value. A nil value removes a parameter.
func good(changes ...any) url.Values {
	form := url.Values{
		"client_id": {tradevesttest.SampleClientID}, "client_secret": {tradevesttest.SampleClientSecret}, "grant_type": {"client_credentials"},
	}
	for i := 0; i < len(changes); i += 2 {
		name, _ := changes[i].(string)
		if value, ok := changes[i+1].(string); ok {
			form.Set(name, value)
		} else {
			form.Del(name)
		}
	}
	return form
}

// do sends a request with header fields as pairs.
func (p *partner) do(method, path, body string, fields ...string) clienttest.Reply {
	p.Helper()
	return clienttest.Send(p, p.server.Server, method, path, body, fields...)
}

const formType = "application/x-www-form-urlencoded"

func (p *partner) ask(form url.Values) clienttest.Reply {
	p.Helper()
	return p.do(http.MethodPost, "/oauth2/token", form.Encode(), "Content-Type", formType)
}

// signIn returns a token.
func (p *partner) signIn() string {
	p.Helper()
	r := p.ask(good())
	token, _ := r.Fields()["access_token"].(string)
	if r.Status != http.StatusOK || token == "" {
		p.Fatalf("got %d %s, want a token", r.Status, r.Body)
	}
	return token
}

const someone = "123e4567-e89b-12d3-a456-426614174000"
