package b2core

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// system is this package, as errors name it.
const system = "b2core"

// Config says which platform of which B2Core a [Client] gets tokens of, and for whom. URL and Bearer are required; the zero value
// of each other field is what the page says.
type Config struct {
	// URL is B2Core's, the part before /api, such as https://my.broker.example. A trailing slash is dropped.
	URL string

	// PlatformID is the platformId of the path. Empty: "1", as in the page's samples.
	PlatformID string

	// Bearer gives the access token of the B2Core session. It is asked before each request, and once more with the token that was refused
	// when a sign-in meets a 401. An error whose tokenapi.Outcome is Refused ends the session; RetryAfter of the Outcome says
	// when to ask again. Its errors are repeated in ours, and must hold no secret.
	Bearer tokenapi.Source

	// CountryCode and CountryName are the Geo-Country-Code and Geo-Country-Name of SignIn, such as +995 and Georgia: the page's
	// sample is the dial code, not ISO 3166. Empty: the header is not sent.
	CountryCode, CountryName string

	// Hosts are the origins that an answer may name as its host, beside that of URL, such as https://trader.example.com.
	// An http origin counts only if it stands here as such. Nil: none.
	Hosts []string

	// DefaultLifetime is assumed for an access token whose answer has no ttl. Zero: 60 seconds, the page's sample.
	DefaultLifetime time.Duration

	// HTTP says how requests are sent. Zero: as its fields say.
	HTTP tokenapi.HTTP
}

// A Client gets tokens of one platform for the B2Core sessions that Config.Bearer gives the tokens of. It is safe for concurrent
// use if Config.Bearer is.
type Client struct {
	config Config
	peer   httpx.Peer
	hosts  []origin // that answers may name
}

// New returns a Client. Its error joins every problem of the Config. It makes no request.
func New(config Config) (*Client, error) {
	config = config.withDefaults()
	peer, problems := httpx.NewPeer(system, config.URL, config.HTTP)
	hosts, hostProblems := parseHosts(config.Hosts)
	problems = slices.Concat(problems, hostProblems, config.validate())
	if err := httpx.ConfigError(system, problems...); err != nil {
		return nil, err
	}
	return &Client{config: config, peer: peer, hosts: append(hosts, originOf(peer.Base))}, nil
}

// Format prints B2Core's URL, and nothing else of the client.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.Client(%s)", system, c.peer.Base)
}

func (config Config) withDefaults() Config {
	config.PlatformID = cmp.Or(config.PlatformID, "1")
	config.DefaultLifetime = cmp.Or(config.DefaultLifetime, time.Minute)
	return config
}

func (config Config) validate() []error {
	problems := []error{
		httpx.Missing("Bearer", config.Bearer == nil),
		httpx.CheckDuration("DefaultLifetime", config.DefaultLifetime),
		checkHeader("CountryCode", config.CountryCode),
		checkHeader("CountryName", config.CountryName),
	}
	if config.PlatformID == "." || config.PlatformID == ".." {
		problems = append(problems, httpx.FieldError("PlatformID", errors.New("must not be a dot-segment (RFC 3986 section 3.3)")))
	}
	return problems
}

// checkHeader accepts what can stand in a header as it is (RFC 9110 section 5.5). Names of countries may not be ASCII.
func checkHeader(name, value string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if !utf8.ValidString(value) || strings.ContainsFunc(value, unprintable) || strings.TrimSpace(value) != value {
		return httpx.FieldError(name, errors.New("cannot stand in a header"))
	}
	return nil
}

// country is the headers of SignIn.
func (config Config) country() http.Header {
	h := http.Header{}
	if config.CountryCode != "" {
		h.Set("Geo-Country-Code", config.CountryCode)
	}
	if config.CountryName != "" {
		h.Set("Geo-Country-Name", config.CountryName)
	}
	return h
}

// endpoint is where tokens are asked for: action is auth or refresh.
func (c *Client) endpoint(action string) string {
	return c.peer.URL("/api/v2/my/platforms/" + url.PathEscape(c.config.PlatformID) + "/" + action)
}
