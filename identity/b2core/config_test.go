package b2core_test

import (
	"fmt"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/tokenapi"
)

func TestNewReportsEveryProblemAtOnce(t *testing.T) {
	_, err := b2core.New(b2core.Config{
		URL: "https://user:pa55@my.broker.example", PlatformID: "..", CountryCode: "+995\r\nX: y", CountryName: " Georgia",
		Hosts: []string{"https://user:pa55@h", "https://h/path"}, DefaultLifetime: -1, HTTP: tokenapi.HTTP{Timeout: -1},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		"b2core: ", "Config.URL must not contain a user name or password", "Config.Bearer is missing", "Config.PlatformID", "Config.CountryCode cannot",
		"Config.CountryName cannot", "Config.Hosts must not contain a user name", "Config.Hosts must hold origins", "Config.DefaultLifetime is negative", "Config.HTTP.Timeout is negative",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "pa55") {
		t.Errorf("the error repeats a password: %v", err)
	}
}

func TestConfig(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*b2core.Config)
		problem string
	}{
		"nothing optional":       {func(*b2core.Config) {}, ""},
		"no URL":                 {func(c *b2core.Config) { c.URL = "" }, "Config.URL is missing"},
		"http beyond loopback":   {func(c *b2core.Config) { c.URL = "http://my.broker.example" }, "Config.URL must be https"},
		"allowed":                {func(c *b2core.Config) { c.URL, c.HTTP.InsecureAllowHTTP = "http://my.broker.example", true }, ""},
		"a dot-segment":          {func(c *b2core.Config) { c.PlatformID = "." }, "Config.PlatformID"},
		"a name with dots":       {func(c *b2core.Config) { c.PlatformID = "..." }, ""},
		"a country not in ASCII": {func(c *b2core.Config) { c.CountryName = "Côte d’Ivoire" }, ""},
		"a line break":           {func(c *b2core.Config) { c.CountryName = "Geor\ngia" }, "Config.CountryName cannot"},
		"a null":                 {func(c *b2core.Config) { c.CountryCode = "+995\x00" }, "Config.CountryCode cannot"},
		"a tab":                  {func(c *b2core.Config) { c.CountryName = "Sri\tLanka" }, "Config.CountryName cannot"},
		"a delete":               {func(c *b2core.Config) { c.CountryName = "Sri\x7fLanka" }, "Config.CountryName cannot"},
		"not UTF-8":              {func(c *b2core.Config) { c.CountryName = "T\xfcrkiye" }, "Config.CountryName cannot"},
		"a trailing space":       {func(c *b2core.Config) { c.CountryCode = "+995 " }, "Config.CountryCode cannot"},
		"origins":                {func(c *b2core.Config) { c.Hosts = []string{"http://h", "https://h:8443/"} }, ""},
		"a host alone":           {func(c *b2core.Config) { c.Hosts = []string{"trader.example.com"} }, "Config.Hosts must begin with https://"},
		"a host with a query":    {func(c *b2core.Config) { c.Hosts = []string{"https://h?"} }, "Config.Hosts must be a bare URL"},
		"a host with a fragment": {func(c *b2core.Config) { c.Hosts = []string{"https://h#f"} }, "Config.Hosts must be a bare URL"},
		"a host with a space":    {func(c *b2core.Config) { c.Hosts = []string{" https://h"} }, "Config.Hosts must be a bare URL"},
		"an empty host":          {func(c *b2core.Config) { c.Hosts = []string{""} }, "Config.Hosts"},
	} {
		config := b2core.Config{URL: broker, Bearer: b2core.StaticBearer("b")}
		c.change(&config)
		_, err := b2core.New(config)
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%s: got %v, want %q", name, err, c.problem)
		}
	}
}

func TestClientPrintsItsServer(t *testing.T) {
	client, err := b2core.New(b2core.Config{URL: broker + "/prefix/", Bearer: b2core.StaticBearer("b")})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got, want := fmt.Sprintf(verb, client), "b2core.Client(https://my.broker.example/prefix)"; got != want {
			t.Errorf("%s: got %s", verb, got)
		}
	}
}
