package tradevesttest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// The page's answer: these members, in this order, of these types.
func TestTokenAnswer(t *testing.T) {
	p := newPartner(t, tradevesttest.Config{})
	r := p.ask(good("scope", "the page knows none"))
	want := regexp.MustCompile(`^{"access_token":"[\w-]+\.[\w-]+\.[\w-]+","expires_in":3600,"token_type":"Bearer"}$`)
	if r.status != http.StatusOK || !want.MatchString(r.body) || r.header.Get("Content-Type") != "application/json" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %s %v", r.status, r.body, r.header)
	}
	if first, second := p.signIn(), p.signIn(); first == second {
		t.Error("two tokens are the same")
	}
}

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
		if r.status != http.StatusBadRequest || r.body != `{"error":"`+c.want+`"}` || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %d %s, want %s", name, r.status, r.body, c.want)
		}
		if problem := p.server.Requests(tradevesttest.EndpointToken)[0].Problem; !strings.HasPrefix(problem, c.want+": ") {
			t.Errorf("%s: the record has %q", name, problem)
		}
	}
}

// What is not a form, or not in the body, is not read.
func TestTokenRequestMustBeAForm(t *testing.T) {
	p := newPartner(t, tradevesttest.Config{})
	for name, r := range map[string]response{
		"JSON":      p.do(http.MethodPost, "/oauth2/token", `{"client_id":"a"}`, "Content-Type", "application/json"),
		"no type":   p.do(http.MethodPost, "/oauth2/token", good().Encode()),
		"a query":   p.do(http.MethodPost, "/oauth2/token?"+good().Encode(), "", "Content-Type", formType),
		"no escape": p.do(http.MethodPost, "/oauth2/token", "client_id=%zz", "Content-Type", formType),
	} {
		if r.status != http.StatusBadRequest || r.body != `{"error":"invalid_request"}` {
			t.Errorf("%s: got %d %s", name, r.status, r.body)
		}
	}
	if r := p.do(http.MethodPost, "/oauth2/token", good().Encode(), "Content-Type", formType+"; charset=utf-8"); r.status != http.StatusOK {
		t.Errorf("with a charset: got %d %s", r.status, r.body)
	}
	if r := p.do(http.MethodGet, "/oauth2/token?"+good().Encode(), ""); r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != "POST" {
		t.Errorf("GET: got %d %v", r.status, r.header)
	}
}

// The vendor's guide: another path, and a scope.
func TestTokenPathAndScope(t *testing.T) {
	p := newPartner(t, tradevesttest.Config{TokenPath: "/connect/token", Scope: "tradevest.api"})
	ask := func(form url.Values) response {
		return p.do(http.MethodPost, "/connect/token", form.Encode(), "Content-Type", formType)
	}
	if r := ask(good("scope", "tradevest.api")); r.status != http.StatusOK {
		t.Errorf("got %d %s", r.status, r.body)
	}
	for _, form := range []url.Values{good(), good("scope", "tradevest"), good("scope", "tradevest.api other")} {
		if r := ask(form); r.status != http.StatusBadRequest || r.body != `{"error":"invalid_scope"}` {
			t.Errorf("%v: got %d %s", form["scope"], r.status, r.body)
		}
	}
	if r := p.ask(good("scope", "tradevest.api")); r.status != http.StatusNotFound {
		t.Errorf("at the page's path: got %d", r.status)
	}
}

func TestAPI(t *testing.T) {
	p := newPartner(t, tradevesttest.Config{})
	bearer := "Bearer " + p.signIn()
	for name, c := range map[string]struct {
		fields    []string
		status    int
		body      string // how it begins
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
		if r.status != c.status || !strings.HasPrefix(r.body, c.body) || (r.body == "") != (c.body == "") || r.header.Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s: got %d %q %q", name, r.status, r.body, r.header.Get("WWW-Authenticate"))
		}
	}
	if r := p.do(http.MethodPost, tradevesttest.APIPath, "", "Authorization", bearer, "Requestor-ID", someone); r.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d", r.status)
	}
}

// Tokens end by themselves, or by ExpireTokens.
func TestTokensEnd(t *testing.T) {
	for life, cfg := range map[time.Duration]tradevesttest.Config{
		time.Hour:       {},
		5 * time.Second: {AccessTokenLifetime: 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPartner(t, cfg)
			token := p.signIn()
			if r := p.ask(good()); !strings.Contains(r.body, fmt.Sprintf(`"expires_in":%d,`, int(life.Seconds()))) {
				t.Errorf("%v: got %s", life, r.body)
			}
			<-time.After(life - 1)
			if got := p.status(token); got != http.StatusOK {
				t.Errorf("%v: it ended early: %d", life, got)
			}
			<-time.After(1)
			if got := p.status(token); got != http.StatusUnauthorized {
				t.Errorf("%v: it did not end: %d", life, got)
			}
			first, second := p.signIn(), p.signIn()
			if p.status(first) != http.StatusOK || p.status(second) != http.StatusOK {
				t.Errorf("%v: two tokens do not live at once", life)
			}
			p.server.ExpireTokens()
			if p.status(first) != http.StatusUnauthorized || p.status(second) != http.StatusUnauthorized {
				t.Errorf("%v: a token survived ExpireTokens", life)
			}
			if p.status(p.signIn()) != http.StatusOK {
				t.Errorf("%v: there are no more tokens", life)
			}
		})
	}
}

// The secret can be rotated; tokens live on.
func TestSetClientSecret(t *testing.T) {
	p := newPartner(t, tradevesttest.Config{})
	token := p.signIn()
	p.server.SetClientSecret("another")
	if r := p.ask(good()); r.body != `{"error":"invalid_client"}` {
		t.Errorf("the old secret: got %s", r.body)
	}
	if r := p.ask(good("client_secret", "another")); r.status != http.StatusOK {
		t.Errorf("the new secret: got %s", r.body)
	}
	if got := p.status(token); got != http.StatusOK {
		t.Errorf("the token: got %d", got)
	}
}

// A server may have other credentials, and another clock.
func TestConfig(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	p := newPartner(t, tradevesttest.Config{ClientID: "id", ClientSecret: "s3cret", Now: func() time.Time { return noon }})
	if r := p.ask(good()); r.body != `{"error":"invalid_client"}` {
		t.Errorf("got %s", r.body)
	}
	if r := p.ask(good("client_id", "id", "client_secret", "s3cret")); r.status != http.StatusOK {
		t.Errorf("got %s", r.body)
	}
	if at := p.server.Requests(tradevesttest.EndpointToken)[0].Time; !at.Equal(noon) {
		t.Errorf("it was %v", at)
	}
}

func TestNewReportsEveryProblem(t *testing.T) {
	for want, cfg := range map[string]tradevesttest.Config{
		`tradevesttest: Config.AccessTokenLifetime is negative
tradevesttest: Config.AccessTokenLifetime is not in whole seconds
tradevesttest: Config.TokenPath does not begin with a slash`: {AccessTokenLifetime: -1500 * time.Millisecond, TokenPath: "token"},
		"tradevesttest: Config.TokenPath is the API's": {TokenPath: tradevesttest.APIPath},
	} {
		if s, err := tradevesttest.New(cfg); s != nil || err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// However it is printed, a server shows its name and no secret.
func TestFormat(t *testing.T) {
	server := newPartner(t, tradevesttest.Config{}).server
	if got := fmt.Sprintf("%v %+v %#v", server, server, server); got != "tradevesttest.Server tradevesttest.Server tradevesttest.Server" {
		t.Errorf("printed %s", got)
	}
}

// Start serves on a socket; faults can be told for both endpoints.
func TestStart(t *testing.T) {
	server := tradevesttest.Start(t, tradevesttest.Config{})
	server.Inject(tradevesttest.EndpointToken, apitest.Fault{Status: 503})
	server.Inject(tradevesttest.EndpointAPI, apitest.Fault{Status: 502})
	for path, want := range map[string]int{"/oauth2/token": 503, tradevesttest.APIPath: 502} {
		resp, err := http.Post(server.URL()+path, formType, strings.NewReader(good().Encode()))
		if err != nil || resp.StatusCode != want {
			t.Fatalf("%s: got %v, %v", path, resp, err)
		}
		_ = resp.Body.Close()
	}
	if server.Count(tradevesttest.EndpointToken) != 1 || server.Count(tradevesttest.EndpointAPI) != 1 {
		t.Error("the requests were not counted")
	}
}
