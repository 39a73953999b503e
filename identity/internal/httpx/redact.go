package httpx

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"b2trader.identity.auth/identity/tokenapi"
)

// emailAddress finds addresses also as URLs, HTML and JSON spell them. It
// matches too much rather than too little.
var emailAddress = regexp.MustCompile(`(?i)[^\s"'<>()\[\]{},;:=/\\|?&]+(?:[@＠﹫]|%(?:25)*40|&(?:amp;)?(?:#0*64|#x0*40|commat);|\\u0040|\\x40)[^\s"'<>()\[\]{},;=/\\|?&]*`)

// Redact makes a peer's text safe for an error or a log. It removes control
// characters, replaces e-mail addresses and the given secrets (also as forms,
// HTML, JSON, base64 and hexadecimal spell them), and cuts the text to 200
// bytes. It replaces all of a text that has a secret in another spelling, or
// the start of one.
func Redact(text string, secrets ...string) string {
	text = withoutSecrets(printable(text), secrets)
	if reveals(text, secrets) {
		return tokenapi.Redacted
	}
	text = emailAddress.ReplaceAllString(text, tokenapi.Redacted)
	const limit = 200
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}

// withoutSecrets replaces all secrets in one pass, the longest first: a secret
// may be a part of another, or of the text that replaces it.
func withoutSecrets(text string, secrets []string) string {
	var all []string
	for _, secret := range secrets {
		for _, encoded := range spellings(secret) {
			if encoded = printable(encoded); encoded != "" {
				all = append(all, encoded)
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(all))
	for _, secret := range all {
		pairs = append(pairs, secret, tokenapi.Redacted)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// spellings returns how a request or an echo of it may spell a secret.
func spellings(secret string) []string {
	raw := []byte(secret)
	return []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), inJSON(secret), html.EscapeString(secret),
		base64.StdEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(raw),
		base64.URLEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw), hex.EncodeToString(raw),
	}
}

// BasicCredentials returns what the scheme Basic encodes for id and secret, raw
// and form-encoded (RFC 6749 section 2.3.1): it is a secret too, which a server
// may repeat.
func BasicCredentials(id, secret string) []string {
	if secret == "" {
		return nil
	}
	return []string{id + ":" + secret, url.QueryEscape(id) + ":" + url.QueryEscape(secret)}
}

// sentSecrets returns the secrets in the headers of a request: what follows the
// scheme in Authorization, and the values of cookies unless they are short, such
// as a language.
func sentSecrets(req *http.Request) []string {
	var all []string
	if _, credentials, _ := strings.Cut(req.Header.Get("Authorization"), " "); credentials != "" {
		all = append(all, credentials)
	}
	for _, c := range req.Cookies() {
		if len(c.Value) >= 8 {
			all = append(all, c.Value)
		}
	}
	return all
}

// printable removes the characters that unicode.IsPrint does not accept.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}

// inJSON returns s as json.Marshal encodes it, without the quotation marks.
func inJSON(s string) string {
	raw, _ := json.Marshal(s) // never fails for a string
	return string(raw[1 : len(raw)-1])
}

// WithoutQuery returns u without user info, query and fragment, the parts that
// may contain secrets.
func WithoutQuery(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// describe returns the last exchange for an observer, without secrets.
func (t *Transport) describe(req *http.Request, err error) tokenapi.Exchange {
	x := tokenapi.Exchange{
		Op:         t.Op,
		Method:     req.Method,
		URL:        WithoutQuery(req.URL),
		Parameters: parameters(req),
		StatusCode: t.Last.StatusCode,
		Started:    t.Sent,
		Duration:   t.Now().Sub(t.Sent),
		Err:        t.redactError(err),
	}
	if l, err := req.URL.Parse(t.Last.Header.Get("Location")); err == nil && t.Last.StatusCode/100 == 3 {
		x.Redirect = Redact(WithoutQuery(l), t.Secrets...)
	}
	return x
}

// redactError returns err without secrets: net/http repeats malformed input,
// which may be what was sent. The new error wraps the end of a context, if err
// does, and no other error.
func (t *Transport) redactError(err error) error {
	if err == nil {
		return nil
	}
	text := Redact(err.Error(), t.Secrets...)
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			return fmt.Errorf("%s: %w", text, end)
		}
	}
	return errors.New(text)
}

// publicParameters are the parameters whose values are not secret.
var publicParameters = map[string]bool{
	"client_id": true, "code_challenge_method": true, "grant_type": true, "provider": true,
	"redirect_uri": true, "response_type": true, "scope": true,
}

// parameters returns the parameters of the request's query and body. It redacts
// all values but those of publicParameters.
func parameters(req *http.Request) url.Values {
	sent := req.URL.Query()
	if req.GetBody != nil {
		if body, err := req.GetBody(); err == nil {
			raw, _ := io.ReadAll(body)
			addBody(sent, req.Header.Get("Content-Type"), raw)
		}
	}
	for name := range sent {
		if !publicParameters[name] {
			sent[name] = []string{tokenapi.Redacted}
		}
	}
	return sent
}

// addBody adds the parameters of a body in JSON or as a form. It adds nothing
// for other media types, in which names cannot be told from secrets.
func addBody(sent url.Values, contentType string, raw []byte) {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	switch {
	case mediaType == "application/json", strings.HasSuffix(mediaType, "+json"):
		var fields map[string]any
		_ = json.Unmarshal(raw, &fields) // no fields if it is not an object
		for name, v := range fields {
			s, _ := v.(string)
			sent.Set(name, s)
		}
	case mediaType == "application/x-www-form-urlencoded":
		form, _ := url.ParseQuery(string(raw))
		maps.Copy(sent, form)
	}
}
