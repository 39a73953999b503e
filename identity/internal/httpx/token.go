package httpx

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// Tokens are the values of a token API's answer.
type Tokens struct {
	Access, Refresh string
	Lifetime        time.Duration // of the access token
	RefreshLifetime time.Duration // of the refresh token; 0: unknown
	Extra           map[string]any
}

// Token returns t as an oauth2.Token. Its Expiry counts from the moment the
// request was sent, by this process's clock, so a wrong clock at the server
// does no harm.
//
// Errors: ErrUnusableAnswer if there is no access token, or a token cannot be
// sent in a header.
func (c *Call) Token(t Tokens) (*oauth2.Token, error) {
	switch {
	case t.Access == "":
		return nil, c.Unusable("the answer has no access token")
	case !HeaderSafe(t.Access), !HeaderSafe(t.Refresh):
		return nil, c.Unusable("a token contains characters that a token cannot have")
	}
	extra := t.Extra
	if t.RefreshLifetime > 0 {
		if extra == nil {
			extra = map[string]any{}
		}
		extra[tokenapi.RefreshExpiry] = c.Sent.Add(t.RefreshLifetime)
	}
	token := &oauth2.Token{AccessToken: t.Access, RefreshToken: t.Refresh, TokenType: "Bearer", Expiry: c.Sent.Add(t.Lifetime)}
	return token.WithExtra(extra), nil
}

// HeaderSafe reports whether a token can be sent in a header: "1*( %x20-7E )"
// (RFC 6749 appendix A.12), without the space.
func HeaderSafe(token string) bool {
	return strings.IndexFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// Seconds is a duration that JSON gives in seconds, as a number or as a string.
// A negative number is 0: the token has expired. Any other value leaves it
// unchanged: a token of unknown lifetime is still usable, and the refresh token
// that it was exchanged for is used up.
type Seconds time.Duration

// UnknownLifetime is the value of Seconds before they are decoded.
const UnknownLifetime Seconds = -1

// Or returns the duration, or the default if it is UnknownLifetime.
func (s Seconds) Or(lifetime time.Duration) time.Duration {
	if s == UnknownLifetime {
		return lifetime
	}
	return time.Duration(s)
}

// maxSeconds is a hundred years, longer than the life of any token.
const maxSeconds = 100 * 365 * 24 * 60 * 60

// UnmarshalJSON implements json.Unmarshaler.
func (s *Seconds) UnmarshalJSON(raw []byte) error {
	text := string(raw)
	_ = json.Unmarshal(raw, &text) // if it is a string
	if n, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil && !math.IsInf(n, 0) && n <= maxSeconds {
		*s = Seconds(max(0, n) * float64(time.Second))
	}
	return nil
}
