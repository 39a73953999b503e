package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// guard knows every secret that came up in a test, and every byte that reached
// a browser.
type guard struct {
	mu      sync.Mutex
	secrets map[string]string // value to what it is
	cookies map[string]bool   // values of the site's own session cookies
	answers []capture
}

// capture is one answer, as bytes.
type capture struct {
	what  string
	all   []byte // status line, headers, body
	noJar []byte // without the Set-Cookie headers
}

// minSecret is the length from which a value can be told from chance.
const minSecret = 6

func (g *guard) learn(kind, value string) {
	if len(value) < minSecret {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.secrets == nil {
		g.secrets = make(map[string]string)
	}
	g.secrets[value] = kind
	for i, part := range strings.Split(value, ".") { // of a JWT, neither claims nor signature
		if i > 0 && len(part) >= minSecret {
			g.secrets[part] = fmt.Sprintf("part %d of a %s", i, kind)
		}
	}
}

// learnRequest finds the secrets in a request to the IdentityServer or an API.
func (g *guard) learnRequest(r *http.Request, body []byte) {
	query := r.URL.Query()
	g.learn("state", query.Get("state"))
	g.learn("nonce", query.Get("nonce"))
	form, _ := url.ParseQuery(string(body)) // JSON yields nothing of these names
	for _, name := range []string{"password", "code", "code_verifier", "refresh_token", "client_secret", "token"} {
		g.learn(name, form.Get(name))
	}
	var fields map[string]any
	if json.Unmarshal(body, &fields) == nil {
		for _, name := range []string{"password", "verificationCode", "refresh_token"} {
			text, _ := fields[name].(string)
			g.learn(name, text)
		}
	}
	if id, secret, ok := r.BasicAuth(); ok {
		g.learn("client secret", secret)
		g.learn("Basic credentials", base64.StdEncoding.EncodeToString([]byte(id+":"+secret)))
	} else if _, bearer, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		g.learn("bearer", bearer)
	}
	for _, c := range r.Cookies() {
		g.learn("IdentityServer cookie", c.Value)
	}
}

// learnResponse finds the secrets in an answer of the IdentityServer.
func (g *guard) learnResponse(resp *http.Response, body []byte) {
	for _, c := range resp.Cookies() {
		g.learn("IdentityServer cookie", c.Value)
	}
	if to, err := url.Parse(resp.Header.Get("Location")); err == nil {
		g.learn("code", to.Query().Get("code"))
	}
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		return
	}
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		text, _ := fields[name].(string)
		g.learn(name, text)
	}
}

// received notes an answer that reached a browser.
func (g *guard) received(what string, resp *http.Response, body []byte) {
	var all, noJar bytes.Buffer
	for _, b := range []*bytes.Buffer{&all, &noJar} {
		fmt.Fprintf(b, "%s %s\r\n", resp.Proto, resp.Status)
	}
	_ = resp.Header.Write(&all) // a buffer takes all
	_ = resp.Header.WriteSubset(&noJar, map[string]bool{"Set-Cookie": true})
	for _, b := range []*bytes.Buffer{&all, &noJar} {
		b.WriteString("\r\n")
		b.Write(body)
		_ = resp.Trailer.Write(b)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cookies == nil {
		g.cookies = make(map[string]bool)
	}
	for _, c := range resp.Cookies() {
		if len(c.Value) >= minSecret {
			g.cookies[c.Value] = true
		}
	}
	g.answers = append(g.answers, capture{what: what, all: all.Bytes(), noJar: noJar.Bytes()})
}

// leaks says where a secret reached a browser, and where the session cookie's
// value is anywhere but in Set-Cookie. req 66, 96
func (g *guard) leaks() []string {
	g.mu.Lock()
	answers := g.answers
	g.mu.Unlock()
	var found []string
	for _, a := range answers {
		found = append(found, g.leaksIn(a.what, a.all)...)
		g.mu.Lock()
		for value := range g.cookies {
			if bytes.Contains(a.noJar, []byte(value)) {
				found = append(found, "the session cookie is in "+a.what+", outside of Set-Cookie")
			}
		}
		g.mu.Unlock()
	}
	return found
}

// leaksIn says which secrets are in text, in whatever spelling. It does not repeat them.
func (g *guard) leaksIn(what string, text []byte) []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var found []string
	for value, kind := range g.secrets {
		for spelling, pattern := range spellings(value) {
			if bytes.Contains(text, []byte(pattern)) {
				found = append(found, fmt.Sprintf("a %s, %s, is in %s", kind, spelling, what))
				break
			}
		}
	}
	return found
}

// knows counts the secrets of a kind.
func (g *guard) knows(kind string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, k := range g.secrets {
		if k == kind {
			n++
		}
	}
	return n
}

// spellings are the ways in which value may lie in text.
func spellings(value string) map[string]string {
	marshalled, _ := json.Marshal(value) // a string always can be
	quoted := inner(string(marshalled))
	all := map[string]string{
		"plain":           value,
		"query-escaped":   url.QueryEscape(value),
		"path-escaped":    url.PathEscape(value),
		"HTML-escaped":    html.EscapeString(value),
		"JSON-escaped":    quoted,
		"Go-quoted":       inner(fmt.Sprintf("%q", value)),
		"hex":             hex.EncodeToString([]byte(value)),
		"upper-case hex":  strings.ToUpper(hex.EncodeToString([]byte(value))),
		"ASCII-quoted":    inner(fmt.Sprintf("%+q", value)),
		"escaped twice":   url.QueryEscape(url.QueryEscape(value)),
		"in a JSON query": url.QueryEscape(quoted),
	}
	for before := range 3 {
		all[fmt.Sprintf("base64 at %d", before)] = withinBase64(base64.RawStdEncoding, value, before)
		all[fmt.Sprintf("base64url at %d", before)] = withinBase64(base64.RawURLEncoding, value, before)
	}
	for name, pattern := range all {
		if len(pattern) < minSecret {
			delete(all, name)
		}
	}
	return all
}

// withinBase64 is what of the base64 of a text depends on value alone, if
// value begins that many bytes after a multiple of three.
func withinBase64(encoding *base64.Encoding, value string, before int) string {
	encoded := encoding.EncodeToString(append(make([]byte, before), value...))
	if (before+len(value))%3 != 0 {
		encoded = encoded[:len(encoded)-1]
	}
	return encoded[(before*8+5)/6:]
}

// inner drops the quotes around s.
func inner(s string) string { return s[1 : len(s)-1] }
