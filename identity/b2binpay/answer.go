package b2binpay

import "b2trader.identity.auth/identity/internal/httpx"

// confirmed names the extra that repeats the answer's member.
const confirmed = "is_2fa_confirmed"

// An answer is the body of an answer of the token endpoints. Only a sign-in of
// version 2 has meta, and only version 3 has expires_in and token_type. A member
// of an unexpected type costs no token. The id, seen as null, a string and a
// number, means nothing.
type answer struct {
	Data struct {
		Attributes struct {
			Refresh          httpx.Text `json:"refresh"`
			Access           httpx.Text `json:"access"`
			AccessExpiredAt  any        `json:"access_expired_at"`
			RefreshExpiredAt any        `json:"refresh_expired_at"`
			Confirmed        any        `json:"is_2fa_confirmed"`

			ExpiresIn httpx.Seconds `json:"expires_in"`
			TokenType any           `json:"token_type"`
		} `json:"attributes"`
	} `json:"data"`
	Meta httpx.Optional[meta] `json:"meta"`
}

type meta struct {
	Time any `json:"time"`
	Sign any `json:"sign"`
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
	now := call.ServerTime(a.Meta.Value.Time)
	t := httpx.Tokens{
		Access: string(attributes.Access), Refresh: string(attributes.Refresh),
		Lifetime:        httpx.LifeUntil(attributes.AccessExpiredAt, now),
		RefreshLifetime: httpx.LifeUntil(attributes.RefreshExpiredAt, now),
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
