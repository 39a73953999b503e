package b2core

import (
	"cmp"
	"encoding/json"
	"fmt"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/internal/strictjson"
	"b2trader.identity.auth/identity/tokenapi"
)

// A sessionAnswer is the body of an answer to a sign-in, a code or a refresh.
// The tokens are in data. One public client reads those of a refresh from the
// body itself.
type sessionAnswer struct {
	Code     any        `json:"code"` // 200: another step follows; 202: the last one
	UUID     httpx.Text `json:"uuid"`
	Workflow any        `json:"workflow"`

	Data         httpx.Optional[sessionTokens] `json:"data"`
	AccessToken  httpx.Optional[sessionToken]  `json:"accessToken"`
	RefreshToken httpx.Optional[sessionToken]  `json:"refreshToken"`
}

type sessionTokens struct {
	AccessToken  httpx.Optional[sessionToken]      `json:"accessToken"`
	RefreshToken httpx.Optional[sessionToken]      `json:"refreshToken"`
	TFAProviders httpx.Optional[[]json.RawMessage] `json:"tfaProviders"`
}

type sessionToken struct {
	Token     httpx.Text `json:"token"`
	CreatedAt any        `json:"createdAt"`
	ExpiresAt any        `json:"expiresAt"`
}

// tokens returns the tokens of the answer. Each may be empty.
func (a sessionAnswer) tokens() (access, refresh sessionToken) {
	if data := a.Data.Value; data.AccessToken.Value.Token != "" {
		return data.AccessToken.Value, data.RefreshToken.Value
	}
	return a.AccessToken.Value, a.RefreshToken.Value
}

// providers returns the names of the second factors that the answer offers. It
// skips those that cannot be part of a path.
func (a sessionAnswer) providers() []string {
	var names []string
	for _, raw := range a.Data.Value.TFAProviders.Value {
		var p struct {
			Name     string `json:"name"`
			Type     string `json:"type"`
			Provider string `json:"provider"`
		}
		var name string
		if json.Unmarshal(raw, &name) != nil {
			_ = strictjson.Unmarshal(raw, &p) // what it can read is enough
			name = cmp.Or(p.Provider, p.Type, p.Name)
		}
		if validProvider(name) {
			names = append(names, name)
		}
	}
	return names
}

// advance takes over the answer of a step: the tokens, or the second factor that
// comes next.
func (s *SignIn) advance(call *httpx.Call) error {
	var a sessionAnswer
	if err := call.Decode(&a, "the JSON of a sign-in"); err != nil {
		return err
	}
	if access, _ := a.tokens(); access.Token != "" {
		token, err := s.client.token(call, a, nil)
		if err != nil {
			return err
		}
		s.token, s.SecondFactor = token, nil
		return nil
	}
	providers := a.providers()
	if another := fmt.Sprint(a.Code) == "200"; len(providers) == 0 && another && s.client.config.DefaultProvider != "" {
		providers = []string{s.client.config.DefaultProvider}
	}
	if len(providers) == 0 {
		return call.Unusable(fmt.Sprintf("the answer has neither tokens nor a second factor: code %v, workflow %q", a.Code, a.Workflow))
	}
	if a.UUID != "" {
		s.uuid = tokenapi.NewSecret(string(a.UUID))
	}
	s.SecondFactor = &SecondFactor{Providers: providers}
	if len(providers) == 1 {
		s.SecondFactor.Provider = providers[0]
	}
	return nil
}

// token makes a token of the last answer. If that has no refresh token, the
// token keeps that of old, which may be nil.
//
// The server's time is when it made the access token, so its clock and zone do
// not matter.
func (c *SessionClient) token(call *httpx.Call, a sessionAnswer, old *oauth2.Token) (*oauth2.Token, error) {
	access, refresh := a.tokens()
	now := call.ServerTime(access.CreatedAt)
	t := httpx.Tokens{Access: string(access.Token), Lifetime: cmp.Or(httpx.LifeUntil(access.ExpiresAt, now), c.config.DefaultLifetime)}
	switch {
	case refresh.Token != "":
		t.Refresh, t.RefreshLifetime = string(refresh.Token), httpx.LifeUntil(refresh.ExpiresAt, now)
	case old != nil:
		t.Refresh, t.Extra = old.RefreshToken, map[string]any{tokenapi.RefreshExpiry: old.Extra(tokenapi.RefreshExpiry)}
	}
	return call.Token(t)
}
