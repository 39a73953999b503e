package tradevesttest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// partner talks to a server in memory.
type partner struct {
	*testing.T
	server *tradevesttest.Server
}

func newPartner(t *testing.T, cfg tradevesttest.Config) *partner {
	t.Helper()
	server, err := tradevesttest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return &partner{t, server}
}

// good returns the parameters of a token request that is accepted, changed by pairs of name and value. A nil value
// removes a parameter.
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

// response is an answer, read to its end.
type response struct {
	status int
	header http.Header
	body   string
}

// do sends a request with header fields given as pairs.
func (p *partner) do(method, path, body string, fields ...string) response {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), method, "https://tradevest.example"+path, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	for i := 0; i < len(fields); i += 2 {
		req.Header.Add(fields[i], fields[i+1])
	}
	resp, err := p.server.Transport().RoundTrip(req)
	if err != nil {
		p.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	return response{resp.StatusCode, resp.Header, string(raw)}
}

const formType = "application/x-www-form-urlencoded"

func (p *partner) ask(form url.Values) response {
	p.Helper()
	return p.do(http.MethodPost, "/oauth2/token", form.Encode(), "Content-Type", formType)
}

// signIn returns a token.
func (p *partner) signIn() string {
	p.Helper()
	r := p.ask(good())
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil || r.status != http.StatusOK || answer.Token == "" {
		p.Fatalf("got %d %s, %v", r.status, r.body, err)
	}
	return answer.Token
}

// status of the API for a token.
func (p *partner) status(token string) int {
	p.Helper()
	return p.do(http.MethodGet, tradevesttest.APIPath, "", "Authorization", "Bearer "+token, "Requestor-ID", someone).status
}

const someone = "123e4567-e89b-12d3-a456-426614174000"
