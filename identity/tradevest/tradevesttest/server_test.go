package tradevesttest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

func TestTokenRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		form   url.Values
		fields []string
		want   string
	}{
		"no client_id":          {form: good("client_id", nil), want: "invalid_request"},
		"no client_secret":      {form: good("client_secret", nil), want: "invalid_request"},
		"no grant_type":         {form: good("grant_type", nil), want: "invalid_request"},
		"an empty secret":       {form: good("client_secret", ""), want: "invalid_request"},
		"a secret twice":        {form: url.Values{"client_id": {tradevesttest.SampleClientID}, "client_secret": {tradevesttest.SampleClientSecret, tradevesttest.SampleClientSecret}, "grant_type": {"client_credentials"}}, want: "invalid_request"},
		"a scope twice":         {form: url.Values{"client_id": {"i"}, "client_secret": {"s"}, "grant_type": {"client_credentials"}, "scope": {"a", "a"}}, want: "invalid_request"},
		"another client":        {form: good("client_id", "other"), want: "invalid_client"},
		"another secret":        {form: good("client_secret", "other"), want: "invalid_client"},
		"in quotes":             {form: good("client_secret", "'"+tradevesttest.SampleClientSecret+"'"), want: "invalid_client"},
		"Basic":                 {form: url.Values{"grant_type": {"client_credentials"}}, fields: []string{"Authorization", "Basic c2FtcGxlLXBhcnRuZXI6c2FtcGxlLXBhcnRuZXItc2VjcmV0"}, want: "invalid_client"},
		"Basic beside the body": {form: good(), fields: []string{"Authorization", "Basic c2FtcGxlLXBhcnRuZXI6c2FtcGxlLXBhcnRuZXItc2VjcmV0"}, want: "invalid_client"},
		"another grant":         {form: good("grant_type", "refresh_token"), want: "unsupported_grant_type"},
		"a grant in quotes":     {form: good("grant_type", "'client_credentials'"), want: "unsupported_grant_type"},
	} {
		p := newPartner(t, tradevesttest.Config{})
		r := p.do(http.MethodPost, "/oauth2/token", c.form.Encode(), append(c.fields, "Content-Type", formType)...)
		if r.Status != http.StatusBadRequest || r.Body != `{"error":"`+c.want+`"}` || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %d %s, want %s", name, r.Status, r.Body, c.want)
		}
		if problem := p.server.Requests(tradevesttest.EndpointToken)[0].Problem; !strings.HasPrefix(problem, c.want+": ") {
			t.Errorf("%s: recorded %q, want %s", name, problem, c.want)
		}
	}
}

// The parameters must be a form in the body.
func TestTokenRequestMustBeAForm(t *testing.T) {
	p := newPartner(t, tradevesttest.Config{})
	for name, r := range map[string]clienttest.Reply{
		"JSON":      p.do(http.MethodPost, "/oauth2/token", `{"client_id":"a"}`, "Content-Type", "application/json"),
		"no type":   p.do(http.MethodPost, "/oauth2/token", good().Encode()),
		"a query":   p.do(http.MethodPost, "/oauth2/token?"+good().Encode(), "", "Content-Type", formType),
		"no escape": p.do(http.MethodPost, "/oauth2/token", "client_id=%zz", "Content-Type", formType),
	} {
		if r.Status != http.StatusBadRequest || r.Body != `{"error":"invalid_request"}` {
			t.Errorf("%s: got %d %s, want invalid_request", name, r.Status, r.Body)
		}
	}
	if r := p.do(http.MethodPost, "/oauth2/token", good("scope", "not on the page").Encode(), "Content-Type", formType+"; charset=utf-8"); r.Status != http.StatusOK || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("with a charset and a scope: got %d %s %v, want 200 that no cache keeps", r.Status, r.Body, r.Header)
	}
	if r := p.do(http.MethodGet, "/oauth2/token?"+good().Encode(), ""); r.Status != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "POST" {
		t.Errorf("GET: got %d %v, want 405", r.Status, r.Header)
	}
}

func TestAPI(t *testing.T) {
	p := newPartner(t, tradevesttest.Config{})
	bearer := "Bearer " + p.signIn()
	for name, c := range map[string]struct {
		fields    []string
		status    int
		body      string // its beginning
		challenge string
	}{
		"all is well":        {[]string{"Authorization", bearer, "Requestor-ID", someone}, 200, `{"customers":[{"id":"`, ""},
		"in capitals":        {[]string{"Authorization", bearer, "Requestor-ID", strings.ToUpper(someone)}, 200, `{"customers":[{"id":"`, ""},
		"no bearer":          {[]string{"Requestor-ID", someone}, 401, "", "Bearer"},
		"Basic":              {[]string{"Authorization", "Basic YTpi", "Requestor-ID", someone}, 401, "", "Bearer"},
		"another token":      {[]string{"Authorization", "Bearer a.b.c", "Requestor-ID", someone}, 401, "", `Bearer error="invalid_token"`},
		"no Requestor-ID":    {[]string{"Authorization", bearer}, 400, `{"error":"invalid_request"}`, ""},
		"an empty one":       {[]string{"Authorization", bearer, "Requestor-ID", ""}, 400, `{"error":"invalid_request"}`, ""},
		"no UUID":            {[]string{"Authorization", bearer, "Requestor-ID", someone[1:]}, 400, `{"error":"invalid_request"}`, ""},
		"a UUID in brackets": {[]string{"Authorization", bearer, "Requestor-ID", "{" + someone + "}"}, 400, `{"error":"invalid_request"}`, ""},
		"two":                {[]string{"Authorization", bearer, "Requestor-ID", someone, "Requestor-ID", someone}, 400, `{"error":"invalid_request"}`, ""},
	} {
		r := p.do(http.MethodGet, "/v1/customers", "", c.fields...)
		if r.Status != c.status || !strings.HasPrefix(r.Body, c.body) || (r.Body == "") != (c.body == "") || r.Header.Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s: got %d %q %q, want %+v", name, r.Status, r.Body, r.Header.Get("WWW-Authenticate"), c)
		}
	}
	if r := p.do(http.MethodPost, tradevesttest.APIPath, "", "Authorization", bearer, "Requestor-ID", someone); r.Status != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d, want 405", r.Status)
	}
}

// The Config sets the credentials, the life of tokens and the clock.
func TestConfig(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	p := newPartner(t, tradevesttest.Config{ClientID: "id", ClientSecret: "s3cret", AccessTokenLifetime: 5 * time.Second, Now: func() time.Time { return noon }})
	if r := p.ask(good()); r.Body != `{"error":"invalid_client"}` {
		t.Errorf("got %s", r.Body)
	}
	if r := p.ask(good("client_id", "id", "client_secret", "s3cret")); r.Status != http.StatusOK || !strings.Contains(r.Body, `"expires_in":5,`) {
		t.Errorf("got %d %s, want a token for 5 s", r.Status, r.Body)
	}
	if at := p.server.Requests(tradevesttest.EndpointToken)[0].Time; !at.Equal(noon) {
		t.Errorf("recorded a request at %v, want %v", at, noon)
	}
}

func TestServer(t *testing.T) {
	clienttest.Servers(t, "tradevesttest", tradevesttest.Start(t, tradevesttest.Config{}), map[apitest.Endpoint]string{
		tradevesttest.EndpointToken: "/oauth2/token", tradevesttest.EndpointAPI: tradevesttest.APIPath,
	})
	for fields, cfg := range map[string]tradevesttest.Config{
		"AccessTokenLifetime AccessTokenLifetime TokenPath": {AccessTokenLifetime: -1500 * time.Millisecond, TokenPath: "token"},
		"TokenPath": {TokenPath: tradevesttest.APIPath},
	} {
		if _, err := tradevesttest.New(cfg); strings.Join(clienttest.WrongFields(err), " ") != fields {
			t.Errorf("New(%+v) = %v, want an error about %s", cfg, err, fields)
		}
	}
}
