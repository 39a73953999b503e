package b2binpay

import (
	"net/http"
	"time"

	"b2trader.identity.auth/identity/internal/httpx"
)

// confirmed is the name of a token's extra that repeats the answer's member.
const confirmed = "is_2fa_confirmed"

// An answer is what both endpoints answer; meta comes with a sign-in alone. Its id, which has been seen as null, a string
// and a number, says nothing. A member of type any may be of another type than the article shows without
// costing the tokens.
type answer struct {
	Data struct {
		Attributes struct {
			Refresh          string `json:"refresh"`
			Access           string `json:"access"`
			AccessExpiredAt  any    `json:"access_expired_at"`
			RefreshExpiredAt any    `json:"refresh_expired_at"`
			Confirmed        any    `json:"is_2fa_confirmed"`
		} `json:"attributes"`
	} `json:"data"`
	Meta struct {
		Time any `json:"time"`
		Sign any `json:"sign"`
	} `json:"meta"`
}

func readAnswer(call *httpx.Call) (answer, error) {
	var a answer
	err := call.Decode(&a, "a JSON:API document of type auth-token")
	return a, err
}

// tokens reckons how long the tokens of an answer live.
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

// serverTime is what the server's clock said when it answered: meta.time; or else the Date header, which leaves out fractions, so that a
// second is added in order not to be early; or else what our own clock said.
func serverTime(call *httpx.Call, metaTime any) time.Time {
	if t, ok := parseTime(metaTime); ok {
		return t
	}
	if t, err := http.ParseTime(call.Last.Header.Get("Date")); err == nil {
		return t.Add(time.Second)
	}
	return call.Sent
}

// maxLife is a hundred years, more than any token lives.
const maxLife = 100 * 365 * 24 * time.Hour

// life is the time from now to expiredAt. It is 0 if that cannot be told, or cannot be: a token that has just been issued
// has neither expired nor lives for ever.
func life(expiredAt any, now time.Time) time.Duration {
	expiry, _ := parseTime(expiredAt) // or else the zero time, which is long over
	d := expiry.Sub(now)
	if d <= 0 || d > maxLife {
		return 0
	}
	return d
}

// parseTime reads a time as RFC 3339 writes it, with any number of decimals. One without a zone is taken for UTC, which
// the vendor's samples are in.
func parseTime(v any) (time.Time, bool) {
	text, _ := v.(string)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
