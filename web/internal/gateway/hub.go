package gateway

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// A hub is a SignalR server of an API, outside of the API's own base:
// /ws/frontoffice/v4/account is <url>/ws/v4/account. ASP.NET Core reads the
// token of a hub's websocket from this parameter of the query, because scripts
// cannot set a websocket's headers ("Authentication and authorization in ASP.NET
// Core SignalR", "Built-in JWT authentication").
const tokenParameter = "access_token"

// notWebSocket refuses a call for a hub that is no websocket.
func notWebSocket(w http.ResponseWriter) error {
	w.Header().Set("Upgrade", "websocket") // RFC 9110 section 15.5.22
	return &answer.Error{Status: http.StatusUpgradeRequired, Code: "websocket_required"}
}

// setHubTarget directs out to the API's hub, with the token in the query.
func (c *call) setHubTarget(out *http.Request) {
	base := c.api.base
	decoded, _ := url.PathUnescape(c.rest) // plainPath has decoded it already
	out.URL = &url.URL{
		Scheme: base.Scheme, Host: base.Host,
		Path: base.Path + request.HubPrefix + decoded, RawPath: base.EscapedPath() + request.HubPrefix + c.rest,
		RawQuery: hubQuery(c.asked.URL.RawQuery, c.token.AccessToken),
	}
	out.Host = ""
}

// hubQuery returns the session's token and the browser's query, byte for byte,
// without what names a token. Some servers end a parameter at ";".
func hubQuery(asked, token string) string {
	var kept strings.Builder
	for rest := "&" + asked; rest != ""; {
		part := rest
		if next := strings.IndexAny(rest[1:], "&;"); next >= 0 {
			part = rest[:1+next]
		}
		rest = rest[len(part):]
		if len(part) > 1 && !namesToken(part) {
			kept.WriteString(part)
		}
	}
	query := tokenParameter + "=" + url.QueryEscape(token)
	if kept.Len() > 0 {
		query += "&" + kept.String()[1:]
	}
	return query
}

// maxDecoding is how often a segment of a path and a part of a query are
// decoded.
const maxDecoding = 4

// namesToken reports whether a part of a query has the name of the token in it,
// in whatever case, and however often it is percent-encoded, in its name or its
// value: a server that decodes the value first sees another parameter there. It
// also reports true for a part that is encoded more often than any page needs.
func namesToken(part string) bool {
	for range maxDecoding {
		if strings.Contains(strings.ToLower(strings.ToUpper(part)), tokenParameter) { // both: some letters have two lower cases
			return true
		}
		decoded := decodeLeniently(part)
		if decoded == part {
			return false
		}
		part = decoded
	}
	return true
}

// decodeLeniently decodes the valid percent-encodings in s, and leaves the rest
// as it is, as ASP.NET Core does.
func decodeLeniently(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// hubAnswerHeaders are the headers of a hub's handshake that are passed on. In
// others the hub may repeat the URL.
var hubAnswerHeaders = []string{
	"Connection", "Upgrade", "Sec-Websocket-Accept", "Sec-Websocket-Extensions", "Sec-Websocket-Protocol",
}

// adoptHub makes the hub's answer an answer of this site. Any other answer than
// a websocket is not passed on, since its text may repeat the URL.
func (c *call) adoptHub(resp *http.Response) error {
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return &answer.Error{
			Status: http.StatusBadGateway, Code: "upstream_unavailable",
			Err: fmt.Errorf("the hub answers the handshake with status %d", resp.StatusCode),
		}
	}
	for name := range resp.Header {
		if !slices.Contains(hubAnswerHeaders, name) {
			delete(resp.Header, name)
		}
	}
	return c.becomeStream(resp)
}

// withoutToken hides the call's token in the text of err, which may repeat the
// URL of a hub or what its server sent.
func (c *call) withoutToken(err error) error {
	if !c.hub {
		return err
	}
	token := c.token.AccessToken
	text := strings.NewReplacer(token, "[token]", url.QueryEscape(token), "[token]").Replace(err.Error())
	if text == err.Error() {
		return err
	}
	return hiddenToken{err, text}
}

// hiddenToken is an error with another text.
type hiddenToken struct {
	error
	text string
}

// Error implements error.
func (e hiddenToken) Error() string { return e.text }

// Unwrap returns the error itself, by which its kind is known.
func (e hiddenToken) Unwrap() error { return e.error }
