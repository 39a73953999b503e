package b2binpay

import (
	"net/http"
	"time"

	"b2trader.identity.auth/identity/internal/httpx"
)

// confirmed names the extra that repeats the answer's member.
const confirmed = "is_2fa_confirmed"

// An answer is the body of an answer of the token endpoints. Only a sign-in of
// version 2 has meta, and only version 3 has expires_in and token_type.
// An unexpected type in a member of type any costs no token. The id, seen as
// null, a string and a number, means nothing.
type answer struct {
	Data struct {
		Attributes struct {
			Refresh          string `json:"refresh"`
			Access           string `json:"access"`
			AccessExpiredAt  any    `json:"access_expired_at"`
			RefreshExpiredAt any    `json:"refresh_expired_at"`
			Confirmed        any    `json:"is_2fa_confirmed"`

			ExpiresIn httpx.Seconds `json:"expires_in"`
			TokenType any           `json:"token_type"`
		} `json:"attributes"`
	} `json:"data"`
	Meta struct {
		Time any `json:"time"`
		Sign any `json:"sign"`
	} `json:"meta"`
}

func readAnswer(call *httpx.Call) (answer, error) {
	var a answer
	a.Data.Attributes.ExpiresIn = httpx.UnknownLifetime
	err := call.Decode(&a, "a JSON:API document of type auth-token")
	return a, err
}

// tokens returns the tokens of an answer and their lives.
func (c *Client) tokens(call *httpx.Call, a answer) httpx.Tokens {
	attributes := a.Data.Attributes
	now := serverTime(call, a.Meta.Time)
	t := httpx.Tokens{
		Access: attributes.Access, Refresh: attributes.Refresh,
		Lifetime:        life(attributes.AccessExpiredAt, now),
		RefreshLifetime: life(attributes.RefreshExpiredAt, now),
		Extra:           map[string]any{},
	}
	if t.Lifetime == 0 {
		t.Lifetime = c.config.DefaultLifetime
	}
	if yes, told := attributes.Confirmed.(bool); told {
		t.Extra[confirmed] = yes
	}
	return t
}

// serverTime returns the time of the answer by the server's clock: meta.time, or
// the Date header plus the second whose fraction it drops. Without either it
// returns the time of sending by our clock.
func serverTime(call *httpx.Call, metaTime any) time.Time {
	if t, ok := parseTime(metaTime); ok {
		return t
	}
	if t, err := http.ParseTime(call.Last.Header.Get("Date")); err == nil {
		return t.Add(time.Second)
	}
	return call.Sent
}

// maxLife is a hundred years, longer than any token lives.
const maxLife = 100 * 365 * 24 * time.Hour

// life returns the time from now to expiredAt, or 0 if that is missing or
// impossible: a new token has neither expired nor lives for ever.
func life(expiredAt any, now time.Time) time.Duration {
	expiry, _ := parseTime(expiredAt) // the zero time if that fails: in the past
	d := expiry.Sub(now)
	if d <= 0 || d > maxLife {
		return 0
	}
	return d
}

// parseTime parses a time of RFC 3339, with any number of decimals. Without a
// zone it is UTC, as in the vendor's samples.
func parseTime(v any) (time.Time, bool) {
	text, _ := v.(string)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
