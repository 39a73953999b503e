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
	"slices"
	"strings"
	"sync"
	"testing"
)

// secrets collects each secret of a test, each answer that a browser received,
// and the logs of the processes. It is safe for concurrent use.
type secrets struct {
	mu      sync.Mutex
	known   map[string]secret
	cookies map[string]bool    // values of the site's own session cookies
	answers map[string]capture // by content, because tests poll
	logs    []*logBuffer
}

// secret is one value and the spellings of it that count as a leak.
type secret struct {
	kind      string
	spellings map[string][]byte
}

// capture is one answer as bytes.
type capture struct {
	what          string
	all           []byte // status line, headers, body
	withoutCookie []byte // the same without Set-Cookie
}

// newSecrets returns an empty collection. When the test ends, the answers and
// the logs are searched for each secret that was learned until then. req 96, 123
func newSecrets(t *testing.T) *secrets {
	t.Helper()
	s := &secrets{}
	t.Cleanup(func() {
		for _, leak := range s.leaks() {
			t.Error(leak)
		}
		if t.Failed() {
			for _, l := range s.logs {
				lines := strings.Split(l.String(), "\n")
				t.Logf("the end of the log of a demo:\n%s", strings.Join(lines[max(0, len(lines)-100):], "\n"))
			}
		}
	})
	return s
}

// newLog returns a log to search.
func (s *secrets) newLog() *logBuffer {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &logBuffer{}
	s.logs = append(s.logs, l)
	return l
}

// minSecret is the length in bytes below which a value occurs by chance.
const minSecret = 6

// learn adds a secret, and of a JWT also the claims and the signature alone.
func (s *secrets) learn(kind, value string) {
	if len(value) < minSecret {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = make(map[string]secret)
	}
	s.known[value] = secret{kind, spellings(value)}
	for i, part := range strings.Split(value, ".") {
		if i > 0 && len(part) >= minSecret {
			s.known[part] = secret{fmt.Sprintf("part %d of a %s", i, kind), spellings(part)}
		}
	}
}

// learnRequest finds the secrets in a request to the IdentityServer or an API.
func (s *secrets) learnRequest(r *http.Request, body []byte) {
	query := r.URL.Query()
	s.learn("state", query.Get("state"))
	s.learn("nonce", query.Get("nonce"))
	form, _ := url.ParseQuery(string(body)) // a JSON body has none of the names below
	for _, name := range []string{"password", "code", "code_verifier", "refresh_token", "client_secret", "token"} {
		s.learn(name, form.Get(name))
	}
	s.learnMembers(body, "password", "verificationCode", "refresh_token")
	if id, password, ok := r.BasicAuth(); ok {
		s.learn("client secret", password)
		s.learn("Basic credentials", base64.StdEncoding.EncodeToString([]byte(id+":"+password)))
	} else if _, bearer, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		s.learn("bearer", bearer)
	}
	for _, c := range r.Cookies() {
		s.learn("IdentityServer cookie", c.Value)
	}
}

// learnResponse finds the secrets in an answer of the IdentityServer.
func (s *secrets) learnResponse(resp *http.Response, body []byte) {
	for _, c := range resp.Cookies() {
		s.learn("IdentityServer cookie", c.Value)
	}
	if to, err := url.Parse(resp.Header.Get("Location")); err == nil {
		s.learn("code", to.Query().Get("code"))
	}
	s.learnMembers(body, "access_token", "refresh_token", "id_token")
}

// learnMembers learns the members of those names in a JSON document, at any
// depth. It ignores a body that is not JSON.
func (s *secrets) learnMembers(document []byte, names ...string) {
	var all any
	if json.Unmarshal(document, &all) == nil {
		s.learnIn(all, names)
	}
}

func (s *secrets) learnIn(document any, names []string) {
	switch d := document.(type) {
	case map[string]any:
		for name, value := range d {
			if text, ok := value.(string); ok && slices.Contains(names, name) {
				s.learn(name, text)
			}
			s.learnIn(value, names)
		}
	case []any:
		for _, value := range d {
			s.learnIn(value, names)
		}
	}
}

// received adds an answer that reached a browser.
func (s *secrets) received(what string, resp *http.Response, body []byte) {
	var all, withoutCookie bytes.Buffer
	for _, b := range []*bytes.Buffer{&all, &withoutCookie} {
		fmt.Fprintf(b, "%s %s\r\n", resp.Proto, resp.Status)
	}
	_ = resp.Header.Write(&all)
	_ = resp.Header.WriteSubset(&withoutCookie, map[string]bool{"Set-Cookie": true})
	for _, b := range []*bytes.Buffer{&all, &withoutCookie} {
		b.WriteString("\r\n")
		b.Write(body)
		_ = resp.Trailer.Write(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers == nil {
		s.cookies, s.answers = make(map[string]bool), make(map[string]capture)
	}
	for _, c := range resp.Cookies() {
		if len(c.Value) >= minSecret {
			s.cookies[c.Value] = true
		}
	}
	s.answers[what+string(body)+fmt.Sprint(resp.Header)] = capture{what, all.Bytes(), withoutCookie.Bytes()}
}

// leaks reports each secret in an answer or a log, and each session cookie
// outside of Set-Cookie. It does not repeat the secrets. req 66, 96
func (s *secrets) leaks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for _, a := range s.answers {
		found = append(found, s.leaksIn(a.what, a.all)...)
		for value := range s.cookies {
			if bytes.Contains(a.withoutCookie, []byte(value)) {
				found = append(found, "the session cookie is in "+a.what+", outside of Set-Cookie")
			}
		}
	}
	for _, l := range s.logs {
		found = append(found, s.leaksIn("a log", []byte(l.String()))...)
	}
	return found
}

// leaksIn reports the secrets in text. The caller holds s.mu.
func (s *secrets) leaksIn(what string, text []byte) []string {
	var found []string
	for _, known := range s.known {
		for spelling, pattern := range known.spellings {
			if bytes.Contains(text, pattern) {
				found = append(found, fmt.Sprintf("a %s, %s, is in %s", known.kind, spelling, what))
				break
			}
		}
	}
	return found
}

// knows counts the secrets of a kind.
func (s *secrets) knows(kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, known := range s.known {
		if known.kind == kind {
			n++
		}
	}
	return n
}

// spellings are the ways in which a text can contain value.
func spellings(value string) map[string][]byte {
	marshalled, _ := json.Marshal(value) // a string cannot fail
	quoted := unquoted(string(marshalled))
	all := map[string]string{
		"plain":           value,
		"query-escaped":   url.QueryEscape(value),
		"path-escaped":    url.PathEscape(value),
		"HTML-escaped":    html.EscapeString(value),
		"JSON-escaped":    quoted,
		"Go-quoted":       unquoted(fmt.Sprintf("%q", value)),
		"hex":             hex.EncodeToString([]byte(value)),
		"upper-case hex":  strings.ToUpper(hex.EncodeToString([]byte(value))),
		"ASCII-quoted":    unquoted(fmt.Sprintf("%+q", value)),
		"escaped twice":   url.QueryEscape(url.QueryEscape(value)),
		"in a JSON query": url.QueryEscape(quoted),
	}
	for before := range 3 {
		all[fmt.Sprintf("base64 at %d", before)] = withinBase64(base64.RawStdEncoding, value, before)
		all[fmt.Sprintf("base64url at %d", before)] = withinBase64(base64.RawURLEncoding, value, before)
	}
	patterns := make(map[string][]byte)
	seen := make(map[string]bool)
	for name, pattern := range all {
		if len(pattern) >= minSecret && !seen[pattern] {
			seen[pattern] = true
			patterns[name] = []byte(pattern)
		}
	}
	return patterns
}

// withinBase64 returns the part of an encoded text that depends on value alone,
// if value begins that many bytes after a multiple of three.
func withinBase64(encoding *base64.Encoding, value string, before int) string {
	encoded := encoding.EncodeToString(append(make([]byte, before), value...))
	if (before+len(value))%3 != 0 {
		encoded = encoded[:len(encoded)-1]
	}
	return encoded[(before*8+5)/6:]
}

func unquoted(s string) string { return s[1 : len(s)-1] }
