package b2core_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/clienttest"
)

var (
	curlURL    = regexp.MustCompile(`--request (\w+) 'https://host\.name([^']+)'`)
	curlHeader = regexp.MustCompile(`--header '([^:]+): ([^']+)'`)
	curlData   = regexp.MustCompile(`--data-raw '([^']+)'`)
)

// documented reads a curl command of the page in the form of Request.Wire, with
// its JSON compacted, and the names of its headers.
func documented(t *testing.T, file string) (wire string, headers []string) {
	t.Helper()
	command := string(clienttest.Sample(t, file))
	line := curlURL.FindStringSubmatch(command)
	if line == nil {
		t.Fatalf("%s: got no command", file)
	}
	var b strings.Builder
	b.WriteString(line[1] + " " + line[2] + "\n")
	for _, h := range curlHeader.FindAllStringSubmatch(command, -1) {
		headers = append(headers, h[1])
		b.WriteString(h[1] + ": " + h[2] + "\n")
	}
	b.WriteString("\n")
	if data := curlData.FindStringSubmatch(command); data != nil {
		var body bytes.Buffer
		if err := json.Compact(&body, []byte(data[1])); err != nil {
			t.Fatal(err)
		}
		b.Write(body.Bytes())
	}
	return b.String(), headers
}

// documentedAnswer reads a RESPONSE EXAMPLE of the page.
func documentedAnswer(t *testing.T, file string) (raw []byte, fields map[string]string) {
	t.Helper()
	raw = clienttest.Sample(t, file)
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	return raw, fields
}

// The requests are the page's byte for byte, with the deviations of the package
// doc.
func TestDocumentedExchanges(t *testing.T) {
	for name, c := range map[string]struct {
		request, response string
		deviations        http.Header
	}{
		"sign in": {"auth.curl", "auth.response.json", http.Header{
			"Accept": {"application/json"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"Go-http-client/1.1"},
		}},
		"refresh token": {"refresh.curl", "refresh.response.json", http.Header{
			"Accept": {"application/json"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"Go-http-client/1.1"}, "Content-Type": {"application/json"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := b2coretest.Start(t, b2coretest.Config{})
			client := newClient(t, server, func(c *b2core.Config) {
				c.URL, c.HTTP.Transport = server.URL(), nil
				c.Bearer, c.Hosts = b2core.StaticBearer("<token>"), []string{"http://example.com"}
				c.CountryCode, c.CountryName = "+995", "Georgia"
			})
			raw, fields := documentedAnswer(t, c.response)
			op := calls[name]
			server.Inject(op.endpoint, apitest.Fault{Body: raw})
			token, err := op.call(t.Context(), client, &oauth2.Token{RefreshToken: fields["refreshToken"]})
			if err != nil {
				t.Fatal(err)
			}
			if token.AccessToken != fields["token"] || token.RefreshToken != fields["refreshToken"] || token.AccessToken == "" || token.Extra("host") != "http://example.com" {
				t.Errorf("got %+v for the host %v, want the tokens of %s", token, token.Extra("host"), c.response)
			}
			if life := time.Until(token.Expiry); life <= 0 || life > time.Minute { // the ttl, whatever the claims of the tokens say
				t.Errorf("the token lives %v, want a minute", life)
			}
			got := server.Requests(op.endpoint)[0]
			wire, headers := documented(t, c.request)
			if got := got.Wire(headers...); got != wire {
				t.Errorf("sent\n%s\nwant\n%s", got, wire)
			}
			for _, h := range headers {
				got.Header.Del(h)
			}
			_, body, _ := strings.Cut(wire, "\n\n")
			c.deviations.Set("Content-Length", strconv.Itoa(len(body)))
			if !maps.EqualFunc(got.Header, c.deviations, slices.Equal) {
				t.Errorf("sent the headers %v besides the page's, want %v", got.Header, c.deviations)
			}
		})
	}
}

// Without a country its headers are absent. A platformId is one segment of the
// path.
func TestRequestFollowsConfig(t *testing.T) {
	server := newServer(t, b2coretest.Config{Platforms: []string{"b2/trader 2"}})
	client := newClient(t, server, func(c *b2core.Config) { c.URL, c.PlatformID = broker+"/", "b2/trader 2" })
	token := signIn(t, server, client)
	if _, err := client.Refresh(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	asked(t, server, 1, 1)
	bearer := server.Requests(b2coretest.EndpointAuth)[0].Header.Get("Authorization")
	wire := server.Requests(b2coretest.EndpointAuth)[0].Wire("Authorization", "Geo-Country-Code", "Geo-Country-Name", "Content-Type")
	if want := "POST /api/v2/my/platforms/b2%2Ftrader%202/auth\nAuthorization: " + bearer + "\n\n"; wire != want {
		t.Errorf("sent\n%s\nwant\n%s", wire, want)
	}
	refresh := server.Requests(b2coretest.EndpointRefresh)[0]
	want := "POST /api/v2/my/platforms/b2%2Ftrader%202/refresh\nAuthorization: " + bearer + "\n\n" + `{"refreshToken":"` + token.RefreshToken + `"}`
	if got := refresh.Wire("Authorization"); got != want {
		t.Errorf("sent\n%s\nwant\n%s", got, want)
	}
}

// Only a sign-in sends the country, also one after a refused refresh.
func TestCountryIsForSigningIn(t *testing.T) {
	server, client := open(t, func(c *b2core.Config) { c.CountryCode, c.CountryName = "+90", "Türkiye" })
	token := signIn(t, server, client)
	server.RevokeRefreshTokens()
	if _, err := client.Refresh(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	for _, r := range server.Requests(b2coretest.EndpointAuth) {
		if r.Header.Get("Geo-Country-Code") != "+90" || r.Header.Get("Geo-Country-Name") != "Türkiye" {
			t.Errorf("auth got %v, want the country", r.Header)
		}
	}
	for _, r := range server.Requests(b2coretest.EndpointRefresh) {
		if r.Header.Get("Geo-Country-Code") != "" || r.Header.Get("Geo-Country-Name") != "" {
			t.Errorf("refresh got %v, want no country", r.Header)
		}
	}
	asked(t, server, 2, 1)
}
