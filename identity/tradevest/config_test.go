package tradevest_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
)

// required has what every Config needs, and nothing else.
func required() tradevest.Config {
	return tradevest.Config{ClientID: "id", ClientSecret: tokenapi.Fixed("s3cret")}
}

func TestNewReportsEveryProblem(t *testing.T) {
	_, err := tradevest.New(tradevest.Config{
		URL: "http://u:pa55@trader.example.com", TokenPath: "token", Scopes: []string{"good", "two words", ""},
		RequestorID: "me", DefaultLifetime: -time.Second, HTTP: tokenapi.HTTP{Timeout: -1},
	})
	if err == nil || !strings.HasPrefix(err.Error(), "tradevest: ") || strings.Contains(err.Error(), "pa55") {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"Config.URL must not contain a user name or password", "Config.TokenPath must begin with a slash", "Config.ClientID is missing",
		"Config.ClientSecret is missing", `Config.Scopes contains an invalid scope (RFC 6749 section 3.3): ["two words" ""]`, "Config.RequestorID is not a UUID",
		"Config.DefaultLifetime is negative", "Config.HTTP.Timeout is negative",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), `"good"`) {
		t.Errorf("a good scope is a problem: %v", err)
	}
}

func TestNew(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*tradevest.Config)
		want   string // empty: it is good
	}{
		"what is required":          {func(*tradevest.Config) {}, ""},
		"below a path":              {func(c *tradevest.Config) { c.URL = "https://proxy.example.com/tradevest/" }, ""},
		"http on loopback":          {func(c *tradevest.Config) { c.URL = "http://127.0.0.1:8080" }, ""},
		"http beyond, as wanted":    {func(c *tradevest.Config) { c.URL, c.HTTP.InsecureAllowHTTP = "http://tradevest.example", true }, ""},
		"http beyond loopback":      {func(c *tradevest.Config) { c.URL = "http://tradevest.example" }, "Config.URL must be https"},
		"no URL":                    {func(c *tradevest.Config) { c.URL = "tradevest" }, "Config.URL must begin with https://"},
		"a path that is none":       {func(c *tradevest.Config) { c.TokenPath = "/%zz" }, "Config.TokenPath cannot be parsed"},
		"a path with a line break":  {func(c *tradevest.Config) { c.TokenPath = "/token\r\nX: y" }, "Config.TokenPath cannot be parsed"},
		"a path with a fragment":    {func(c *tradevest.Config) { c.TokenPath = "/token#f" }, "Config.TokenPath must have no fragment"},
		"a scope in quotes":         {func(c *tradevest.Config) { c.Scopes = []string{`"s"`} }, "Config.Scopes contains"},
		"a scope with a backslash":  {func(c *tradevest.Config) { c.Scopes = []string{`a\b`} }, "Config.Scopes contains"},
		"a scope beyond ASCII":      {func(c *tradevest.Config) { c.Scopes = []string{"é"} }, "Config.Scopes contains"},
		"the guide's scope":         {func(c *tradevest.Config) { c.Scopes = []string{"tradevest.api"} }, ""},
		"a requestor":               {func(c *tradevest.Config) { c.RequestorID = someone }, ""},
		"a requestor in capitals":   {func(c *tradevest.Config) { c.RequestorID = strings.ToUpper(someone) }, ""},
		"a requestor in brackets":   {func(c *tradevest.Config) { c.RequestorID = "{" + someone[1:35] + "}" }, "not a UUID"},
		"a requestor cut short":     {func(c *tradevest.Config) { c.RequestorID = someone[1:] }, "not a UUID"},
		"a requestor with a letter": {func(c *tradevest.Config) { c.RequestorID = "g" + someone[1:] }, "not a UUID"},
		"a requestor and more":      {func(c *tradevest.Config) { c.RequestorID = someone + "0" }, "not a UUID"},
		"a digit for a hyphen":      {func(c *tradevest.Config) { c.RequestorID = strings.Replace(someone, "-", "0", 1) }, "not a UUID"},
		"hyphens elsewhere":         {func(c *tradevest.Config) { c.RequestorID = "123e4567e-89b-12d3-a456-426614174000" }, "not a UUID"},
		"a line break":              {func(c *tradevest.Config) { c.RequestorID = someone[:35] + "\n" }, "not a UUID"},
	} {
		config := required()
		c.change(&config)
		client, err := tradevest.New(config)
		switch {
		case c.want == "" && (err != nil || client == nil):
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (client != nil || err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// uuid is RFC 9562 section 4 in its own words: "hexDigit", 4hexOctet "-" 2hexOctet "-" 2hexOctet "-" 2hexOctet "-" 6hexOctet.
var uuid = regexp.MustCompile(`\A[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\z`)

func FuzzRequestorID(f *testing.F) {
	for _, seed := range []string{someone, strings.ToUpper(someone), someone + "\n", someone + "0", "{" + someone + "}", "urn:uuid:" + someone, "00000000-0000-0000-0000-000000000000",
		"123e4567ée89b-12d3-a456-42661417400", "------------------------------------"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		config := required()
		config.RequestorID = id
		if _, err := tradevest.New(config); (err == nil) != (id == "" || uuid.MatchString(id)) {
			t.Errorf("%q: got %v", id, err)
		}
	})
}
