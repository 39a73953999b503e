package identitytest

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"b2trader.identity.auth/identity/apitest"
)

// credentials are the id and secret that a client sent.
type credentials struct {
	id     string
	secret string // empty: none was sent
}

// authenticateClient returns the client of a request to the token or revocation
// endpoint.
func (s *Server) authenticateClient(x *exchange) (Client, *protocolError) {
	sent, ok := clientCredentials(x.Header, x.Form)
	if !ok {
		return Client{}, &protocolError{code: "invalid_client", reason: "no client identified"}
	}
	client, known := s.clients[sent.id]
	switch {
	case !known:
		return Client{}, &protocolError{code: "invalid_client", reason: "unknown client"}
	case client.Secret == "": // public: its secret is ignored
		return client, nil
	case sent.secret == "" && client.usesCodesOnly() && !s.config.RequireClientSecret:
		return client, nil
	case !apitest.SameSecret(client.Secret, sent.secret):
		return Client{}, &protocolError{code: "invalid_client", reason: "wrong secret or none"}
	}
	return client, nil
}

// clientCredentials reads the Authorization header first, then the form. It
// prefers credentials with a secret to an id alone.
func clientCredentials(header http.Header, form url.Values) (credentials, bool) {
	basic, found := parseBasic(header.Get("Authorization"))
	if found && basic.secret != "" {
		return basic, true
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if isMissing(id) || tooLong(id, 100) || tooLong(secret, 100) {
		return basic, found
	}
	if isMissing(secret) {
		secret = ""
	}
	return credentials{id: id, secret: secret}, true
}

// parseBasic parses a Basic header as IdentityServer4 does: strict base64, cut
// at the first colon, both parts at most 100 characters and then form-decoded
// (RFC 6749 section 2.3.1). It ignores a malformed header.
func parseBasic(header string) (credentials, bool) {
	const scheme = "Basic "
	if len(header) < len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return credentials{}, false
	}
	decoded, err := base64.StdEncoding.DecodeString(withoutSpace.Replace(header[len(scheme):]))
	if err != nil {
		return credentials{}, false
	}
	id, secret, ok := strings.Cut(strings.ToValidUTF8(string(decoded), "\uFFFD"), ":")
	if !ok || isMissing(id) || tooLong(id, 100) {
		return credentials{}, false
	}
	if isMissing(secret) {
		return credentials{id: formDecode(id)}, true
	}
	if tooLong(secret, 100) {
		return credentials{}, false
	}
	return credentials{id: formDecode(id), secret: formDecode(secret)}, true
}

// withoutSpace removes the characters that .NET's Convert.FromBase64String
// ignores.
var withoutSpace = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "")

var percentEncoded = regexp.MustCompile("(?:%[0-9A-Fa-f]{2})+")

// formDecode reads + as a space and %XX as a byte, and leaves a stray % alone,
// as .NET's Uri.UnescapeDataString does.
func formDecode(s string) string {
	return percentEncoded.ReplaceAllStringFunc(strings.ReplaceAll(s, "+", " "), func(run string) string {
		decoded, err := url.PathUnescape(run)
		if err != nil {
			return run
		}
		return decoded
	})
}
