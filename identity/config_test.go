package identity_test

import (
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
)

func TestNewReportsEveryProblemAtOnce(t *testing.T) {
	_, err := identity.New(identity.Config{
		URL:               "ftp://example.com",
		JWKSURL:           "https://user:pa55@example.com/keys",
		SecondFactorPath:  "relative",
		Scopes:            []string{"with space"},
		SigningAlgorithms: []string{"none"},
		Timeout:           -1,
		ClockSkew:         time.Hour,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"Config.URL must begin with https://", "Config.JWKSURL must not hold a user name or password",
		"Config.SecondFactorPath", `"with space"`, `"none"`, "Config.Timeout is negative", "Config.ClockSkew", "Config.ClientID is missing",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "pa55") {
		t.Errorf("the error repeats a password: %v", err)
	}
}

func TestConfigURL(t *testing.T) {
	for url, problem := range map[string]string{
		"https://trader.example.com":     "",
		"https://trader.example.com///":  "",
		"https://example.com/b2t":        "",
		"http://127.0.0.1:8080":          "",
		"http://[::1]:8080":              "",
		"http://localhost":               "",
		"http://trader.example.com":      "must be https", // req 69
		"http://localhost.example.com":   "must be https",
		"http://127.0.0.1.example.com":   "must be https",
		"":                               "is missing",
		"trader.example.com":             "must begin with https://",
		"https://":                       "has no host",
		"https://u:p@trader.example.com": "must not hold a user name",
		"https://trader.example.com?a=b": "must have no query",
		"https://trader.example.com/#f":  "must have no fragment",
		"https://trader.example.com/%zz": "cannot be parsed",
	} {
		_, err := identity.New(identity.Config{URL: url, ClientID: identity.ClientSPA})
		switch {
		case problem == "" && err != nil:
			t.Errorf("%q: %v", url, err)
		case problem != "" && (err == nil || !strings.Contains(err.Error(), "Config.URL "+problem)):
			t.Errorf("%q: got %v, want %q", url, err, problem)
		}
	}
	if _, err := identity.New(identity.Config{URL: "http://trader.example.com", ClientID: "spa", InsecureAllowHTTP: true}); err != nil {
		t.Errorf("InsecureAllowHTTP: %v", err)
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
			config.ClientSecret = identity.NewSecret("s")
		}
		client, err := identity.New(config)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(client.Scopes(), " "); got != scopes {
			t.Errorf("%s: scopes %q, want %q", id, got, scopes)
		}
		if client.URL() != "https://trader.example.com" || client.Issuer() != "https://trader.example.com/identity" || client.ID() != id {
			t.Errorf("got %q, %q, %q", client.URL(), client.Issuer(), client.ID())
		}
	}
}

func TestSecretsFitTheClient(t *testing.T) {
	for _, id := range []string{"spa_admin", "core_ib", "lk"} {
		if _, err := identity.New(identity.Config{URL: "https://example.com", ClientID: id}); err == nil || !strings.Contains(err.Error(), "ClientSecret is missing") {
			t.Errorf("%s without a secret: %v", id, err)
		}
	}
	_, err := identity.New(identity.Config{URL: "https://example.com", ClientID: "spa", ClientSecret: identity.NewSecret("hu5h")})
	if err == nil || !strings.Contains(err.Error(), "public client") || strings.Contains(err.Error(), "hu5h") {
		t.Errorf("spa with a secret: %v", err)
	}
}
