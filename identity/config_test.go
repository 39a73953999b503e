package identity_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/tokenapi"
)

func TestNewReportsEveryProblemAtOnce(t *testing.T) {
	_, err := identity.New(identity.Config{
		URL:               "ftp://example.com",
		JWKSURL:           "https://user:pa55@example.com/keys",
		SecondFactorPath:  "relative",
		Scopes:            []string{"with space"},
		SigningAlgorithms: []string{"none"},
		HTTP:              tokenapi.HTTP{Timeout: -1},
		ClockSkew:         time.Hour,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"Config.URL must begin with https://", "Config.JWKSURL must not contain a user name or password",
		"Config.SecondFactorPath", `"with space"`, `"none"`, "Config.HTTP.Timeout is negative", "Config.ClockSkew", "Config.ClientID is missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "pa55") {
		t.Errorf("New = %v, want an error without the password", err)
	}
}

// The rules of a URL are checkconfig's; these are the ones of this Config.
func TestConfigURLs(t *testing.T) {
	const server = "https://trader.example.com"
	for _, c := range []struct {
		config identity.Config
		want   string // the field that is reported; empty: none
	}{
		{identity.Config{URL: server + "///"}, ""},
		{identity.Config{URL: server + "/b2t", RedirectURL: server + "/done?q=1", JWKSURL: server + "/keys?q=1"}, ""},
		{identity.Config{URL: "http://trader.example.com", HTTP: tokenapi.HTTP{InsecureAllowHTTP: true}}, ""},
		{identity.Config{URL: "http://trader.example.com"}, "Config.URL"}, // req 69
		{identity.Config{URL: server + "?q=1"}, "Config.URL"},
		// field 10: the client appends /identity
		{identity.Config{URL: server + "/identity"}, "Config.URL"},
		{identity.Config{URL: server + "/b2t/Identity//"}, "Config.URL"},
		{identity.Config{URL: server + "/identity/connect/token"}, "Config.URL"},
		{identity.Config{URL: server + "/identity/.well-known/openid-configuration"}, "Config.URL"},
		{identity.Config{URL: server + "/identity/sign-in"}, "Config.URL"},
		{identity.Config{URL: server + "/my-identity"}, ""},
		{identity.Config{URL: "https://identity"}, ""},
		{identity.Config{}, "Config.URL"},
		{identity.Config{URL: server, RedirectURL: "http://trader.example.com/done"}, "Config.RedirectURL"},
		{identity.Config{URL: server, JWKSURL: server + "/#f"}, "Config.JWKSURL"},
	} {
		c.config.ClientID = identity.ClientSPA
		_, err := identity.New(c.config)
		field, reported := errors.AsType[*tokenapi.FieldError](err)
		if (err != nil) != (c.want != "") || reported && field.Field != c.want {
			t.Errorf("New(%+v) = %v, want a problem of %q", c.config, err, c.want)
		}
	}
}

func TestDefaultsAreThoseOfTheNpmPackage(t *testing.T) {
	for id, scopes := range map[string]string{
		"spa":       "openid offline_access FrontOffice",
		"spa_admin": "openid offline_access FrontOffice BackOffice",
		"core_ib":   "openid offline_access BackOffice",
		"lk":        "openid offline_access FrontOffice",
		"other":     "openid offline_access FrontOffice",
	} {
		config := identity.Config{URL: "https://trader.example.com/", ClientID: id}
		if id != "spa" {
			config.ClientSecret = tokenapi.NewSecret("s")
		}
		client, err := identity.New(config)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(client.Scopes(), " "); got != scopes {
			t.Errorf("%s: scopes %q, want %q", id, got, scopes)
		}
		if client.URL() != "https://trader.example.com" || client.Issuer() != "https://trader.example.com/identity" || client.ID() != id {
			t.Errorf("got the URL %q, issuer %q and id %q, want those of https://trader.example.com for %q", client.URL(), client.Issuer(), client.ID(), id)
		}
	}
}

func TestSecretsFitTheClient(t *testing.T) {
	for _, id := range []string{"spa_admin", "core_ib", "lk"} {
		if _, err := identity.New(identity.Config{URL: "https://example.com", ClientID: id}); err == nil || !strings.Contains(err.Error(), "ClientSecret is missing") {
			t.Errorf("New(%s without a secret) = %v, want a problem of ClientSecret", id, err)
		}
	}
	_, err := identity.New(identity.Config{URL: "https://example.com", ClientID: "spa", ClientSecret: tokenapi.NewSecret("hu5h")})
	if err == nil || !strings.Contains(err.Error(), "public client") || strings.Contains(err.Error(), "hu5h") {
		t.Errorf("New(spa with a secret) = %v, want a problem without the secret", err)
	}
}
