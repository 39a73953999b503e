package web_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web"
)

// problemFields returns the fields that web.New reports, sorted, and its error.
func problemFields(c web.Config) (fields []string, err error) {
	_, err = web.New(c)
	joined, ok := errors.Unwrap(err).(interface{ Unwrap() []error })
	if !ok {
		return nil, err
	}
	for _, e := range joined.Unwrap() {
		if f, ok := errors.AsType[*tokenapi.FieldError](e); ok {
			fields = append(fields, strings.TrimPrefix(f.Field, "Config."))
		}
	}
	slices.Sort(fields)
	return fields, err
}

// req 128: web.New reports every problem of the Config at once.
func TestConfigProblems(t *testing.T) {
	client, err := identity.New(identity.Config{URL: "http://127.0.0.1", ClientID: identity.ClientSPA})
	if err != nil {
		t.Fatal(err)
	}
	machine, err := identity.New(identity.Config{URL: "http://127.0.0.1", ClientID: identity.ClientLK, ClientSecret: tokenapi.NewSecret("s")})
	if err != nil {
		t.Fatal(err)
	}
	good := func(change func(*web.Config)) web.Config {
		c := web.Config{Clients: []*identity.Client{client}, PublicURL: "https://app.example"}
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		config web.Config
		want   []string
	}{
		"zero": {web.Config{}, []string{"Clients", "PublicURL"}},
		"clients and URLs": {web.Config{
			Clients: []*identity.Client{nil, client, client}, PublicURL: "http://app.example/path",
			FrontOfficeURL: "ftp://api.example", BackOfficeURL: "https://user:hidden@api.example",
		}, []string{"BackOfficeURL", "Clients[0]", "Clients[2]", "FrontOfficeURL", "PublicURL"}},
		"a machine's client": {good(func(c *web.Config) { c.Clients = append(c.Clients, machine) }), []string{"Clients[1]"}}, // field 10
		"a path":             {good(func(c *web.Config) { c.PublicURL = "https://app.example/path" }), []string{"PublicURL"}},
		"idle too long":      {good(func(c *web.Config) { c.IdleTimeout, c.AbsoluteTimeout = time.Hour, time.Minute }), []string{"IdleTimeout"}},
		"over 30 days":       {good(func(c *web.Config) { c.AbsoluteTimeout = 31 * 24 * time.Hour }), []string{"AbsoluteTimeout"}}, // req 64
		"negative times":     {good(func(c *web.Config) { c.IdleTimeout, c.AbsoluteTimeout = -1, -1 }), []string{"AbsoluteTimeout", "IdleTimeout"}},
		"negative limits": {good(func(c *web.Config) {
			c.MaxSessionsPerUser, c.AttemptsPerAccount, c.AttemptsPerAddress = -1, -1, -1
		}), []string{"AttemptsPerAccount", "AttemptsPerAddress", "MaxSessionsPerUser"}},
		"store without keys": {good(func(c *web.Config) { c.Store = memstore.New() }), []string{"Keys"}},
		"proxies":            {good(func(c *web.Config) { c.TrustedProxies = make([]netip.Prefix, 1) }), []string{"TrustedProxies[0]"}},
		"texts": {good(func(c *web.Config) {
			c.Texts = web.German()
			c.Texts.Lang, c.Texts.Frame.ErrorTitle, c.Texts.Errors["attempt_over"] = "Deutsch!", "Hallo %d", web.English().Errors["not_found"]
		}), []string{"Texts.Errors[\"attempt_over\"].Explanation", "Texts.Frame.ErrorTitle", "Texts.Lang"}},
		"upstreams": {good(func(c *web.Config) {
			c.FrontOffice = web.Upstream{
				Methods:        []string{"GET", "TRACE", "connect", ""},
				RequestHeaders: []string{"cookie", "X-Fine", "x-forwarded-proto", "Authorization"},
			}
			c.BackOffice = web.Upstream{
				MaxBody: -1, MaxCalls: -1, MaxStreams: -1,
				ResponseHeaders: []string{"set-cookie", "X-Fine", "access-control-allow-origin", "content-security-policy"},
			}
		}), []string{
			"BackOffice.MaxBody", "BackOffice.MaxCalls", "BackOffice.MaxStreams",
			"BackOffice.ResponseHeaders", "BackOffice.ResponseHeaders", "BackOffice.ResponseHeaders", "FrontOffice.Methods", "FrontOffice.Methods", "FrontOffice.Methods",
			"FrontOffice.RequestHeaders", "FrontOffice.RequestHeaders", "FrontOffice.RequestHeaders",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := problemFields(c.config)
			if !slices.Equal(got, c.want) {
				t.Errorf("web.New reports %q, want %q: %v", got, c.want, err)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Errorf("the error contains a password: %v", err)
			}
		})
	}
}
