package httpx

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// Tokens are what an answer of a token API says, whatever the API calls it.
type Tokens struct {
	Access, Refresh string
	Lifetime        time.Duration // of the access token
	RefreshLifetime time.Duration // of the refresh token; 0: not told
	Extra           map[string]any
}

// Token makes a token of them. Its Expiry is reckoned from the moment that the request was sent, by our own clock, so that a
// server whose clock is wrong does no harm.
//
// Errors: unusable, if the access token is missing, or a token cannot stand in a header.
func (c *Call) Token(t Tokens) (*oauth2.Token, error) {
	switch {
	case t.Access == "":
		return nil, c.Unusable("it has no access token")
	case !HeaderSafe(t.Access), !HeaderSafe(t.Refresh):
		return nil, c.Unusable("a token holds characters that no token may hold")
	case t.Lifetime < 0, t.RefreshLifetime < 0:
		return nil, c.Unusable("a token's life is negative")
	}
	extra := maps.Clone(t.Extra)
	if t.RefreshLifetime > 0 {
		if extra == nil {
			extra = map[string]any{}
		}
		extra[tokenapi.RefreshExpiry] = c.Sent.Add(t.RefreshLifetime)
	}
	token := &oauth2.Token{AccessToken: t.Access, RefreshToken: t.Refresh, TokenType: "Bearer", Expiry: c.Sent.Add(t.Lifetime)}
	return token.WithExtra(extra), nil
}

// HeaderSafe reports whether a token can stand in a header: "1*( %x20-7E )" without the space (RFC 6749 appendix A.12).
func HeaderSafe(token string) bool {
	return strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// Seconds is a duration that JSON holds in seconds, as a number or as a string. What is neither leaves it as it is, as if it had not
// been told: a token whose life cannot be read is a token all the same, and the one that paid for it is spent.
type Seconds time.Duration

// maxSeconds is a hundred years, more than any token lives.
const maxSeconds = 100 * 365 * 24 * 60 * 60

// UnmarshalJSON implements json.Unmarshaler.
func (s *Seconds) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	_ = json.Unmarshal(raw, &text) // if it is a string
	if n, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil && n >= 0 && n <= maxSeconds {
		*s = Seconds(n * float64(time.Second))
	}
	return nil
}
