package b2core

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// system names this package in errors.
const system = "b2core"

// Config says which platform of which B2Core a [Client] gets tokens of. URL and
// Bearer are required. The zero value of each other field follows the page.
type Config struct {
	// URL is B2Core's, without /api, such as https://my.broker.example. A
	// trailing slash is dropped.
	URL string

	// PlatformID is the platformId of the path. Empty: "1", as in the page's
	// samples.
	PlatformID string

	// Bearer returns the access token of the B2Core session. Each request asks
	// it first. A sign-in that gets a 401 asks it once more, with the refused
	// token. An error whose [tokenapi.Outcome] is Refused ends the session;
	// RetryAfter of the Outcome says when to ask again. The Client's errors quote
	// Bearer's, which must hold no secret.
	Bearer tokenapi.Source

	// CountryCode and CountryName are the Geo-Country-Code and Geo-Country-Name
	// of SignIn, such as +995 and Georgia: the page's sample is a dial code, not
	// ISO 3166. Empty: the header is not sent.
	CountryCode, CountryName string

	// Hosts are the origins that an answer may name as its host, besides URL's
	// own, such as https://trader.example.com. An http origin must be listed as
	// such. Nil: none.
	Hosts []string

	// DefaultLifetime is the life of an access token whose answer has no ttl.
	// Zero: 60 seconds, as in the page's sample.
	DefaultLifetime time.Duration

	// HTTP says how requests are sent.
	HTTP tokenapi.HTTP
}

// A Client gets tokens of one platform for the B2Core sessions whose tokens
// Config.Bearer returns. It is safe for concurrent use if Config.Bearer is.
type Client struct {
	config Config
	peer   httpx.Peer
	hosts  []origin // which answers may name
}

// New returns a Client. Its error joins every problem of the Config, each a
// *tokenapi.FieldError. New makes no request.
func New(config Config) (*Client, error) {
	config.PlatformID = cmp.Or(config.PlatformID, "1")
	config.DefaultLifetime = cmp.Or(config.DefaultLifetime, time.Minute)
	p := checkconfig.Problems{Package: system}
	peer := httpx.ParsePeer(&p, config.URL, config.HTTP)
	if config.PlatformID == "." || config.PlatformID == ".." {
		p.Add("PlatformID", "must not be a dot-segment (RFC 3986 section 3.3)")
	}
	p.Missing("Bearer", config.Bearer == nil)
	p.Check("CountryCode", checkHeader(config.CountryCode))
	p.Check("CountryName", checkHeader(config.CountryName))
	hosts := parseHosts(&p, config.Hosts)
	p.Negative("DefaultLifetime", config.DefaultLifetime < 0)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return &Client{config: config, peer: peer, hosts: append(hosts, originOf(peer.Base))}, nil
}

// Format prints B2Core's URL and no other part of the Client.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.Client(%s)", system, c.peer.Base)
}

// checkHeader accepts a value that can stand in a header as it is (RFC 9110
// section 5.5). The name of a country need not be ASCII.
func checkHeader(value string) error {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if !utf8.ValidString(value) || strings.ContainsFunc(value, unprintable) || strings.TrimSpace(value) != value {
		return errors.New("cannot stand in a header")
	}
	return nil
}

// country returns the headers of SignIn.
func (config Config) country() http.Header {
	h := http.Header{}
	for name, value := range map[string]string{"Geo-Country-Code": config.CountryCode, "Geo-Country-Name": config.CountryName} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

// endpoint returns the URL of an action, which is auth or refresh.
func (c *Client) endpoint(action string) string {
	return c.peer.URL("/api/v2/my/platforms/" + url.PathEscape(c.config.PlatformID) + "/" + action)
}
