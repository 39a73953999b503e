package identitytest

import (
	"net/http"
	"strings"
)

// The cookies have the stock names; the platform's own names are not
// documented.
const (
	cookieTicket       = "idsrv"         // the IdentityServer session, HttpOnly
	cookieSessionID    = "idsrv.session" // its sid, readable by scripts
	cookieSecondFactor = "Identity.TwoFactorUserId"
)

// requestCookies parses the Cookie headers as ASP.NET Core does: commas
// separate cookies as semicolons do, text without a name=value pair is skipped,
// and the last of several cookies of one name counts. It therefore finds the
// cookies in the text of Set-Cookie headers joined by commas, which the npm
// package sends.
func requestCookies(header http.Header) map[string]string {
	cookies := make(map[string]string)
	for _, line := range header["Cookie"] {
		for pair := range strings.FieldsFuncSeq(line, isCookieSeparator) {
			if name, value, ok := parseCookiePair(pair); ok {
				cookies[name] = value
			}
		}
	}
	return cookies
}

func isCookieSeparator(r rune) bool { return r == ';' || r == ',' }

// parseCookiePair returns the name=value at the end of s.
func parseCookiePair(s string) (name, value string, ok bool) {
	s = strings.Trim(s, " \t\r\n")
	s = s[strings.LastIndexAny(s, " \t\r\n")+1:]
	name, value, ok = strings.Cut(s, "=")
	if !ok {
		return "", "", false
	}
	start := len(name)
	for start > 0 && !isNotToken(rune(name[start-1])) {
		start--
	}
	name = name[start:]
	if quoted := len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"'; quoted {
		value = value[1 : len(value)-1]
	}
	if name == "" || strings.ContainsFunc(value, isNotCookieOctet) {
		return "", "", false
	}
	return name, value, true
}

// isNotToken is the complement of RFC 9110 section 5.6.2, tchar.
func isNotToken(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// isNotCookieOctet is the complement of RFC 6265 section 4.1.1, cookie-octet.
func isNotCookieOctet(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("\",;\\", r)
}

// setCookie adds a cookie for the IdentityServer's path, in the form of ASP.NET
// Core. An empty value deletes it.
func (x *exchange) setCookie(name, value string) {
	text := name + "=" + value
	if value == "" {
		text += "; expires=Thu, 01 Jan 1970 00:00:00 GMT"
	}
	text += "; path=" + basePath
	if x.TLS != nil {
		text += "; secure"
	}
	if name != cookieSessionID {
		text += "; samesite=lax; httponly"
	}
	x.Answer().Header().Add("Set-Cookie", text)
}
