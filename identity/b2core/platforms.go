package b2core

import (
	"context"
	"encoding/json"
	"net/http"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/internal/strictjson"
	"b2trader.identity.auth/identity/tokenapi"
)

// A Platform is a trading platform of B2Core. The page "Platforms" names no
// field; these are those of the platform of an account.
type Platform struct {
	ID      string // for Config.PlatformID
	Name    string // as the Back Office has it
	Caption string // as users see it; may be empty
	Type    string // such as B2Trader or MetaTrader5; may be empty
}

type wirePlatform struct {
	ID      platformID `json:"id"`
	Name    string     `json:"name"`
	Caption string     `json:"caption"`
	Type    string     `json:"type"`
}

// A platformID is a number or a string in JSON.
type platformID string

// UnmarshalJSON implements json.Unmarshaler.
func (id *platformID) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, (*string)(id)) != nil {
		*id = platformID(raw)
	}
	return nil
}

// Platforms lists the platforms of the user whose access token it shows: GET
// …/platforms. The page shows an array; one in the member data works, too.
//
// Errors: ErrNotSignedIn if B2Core does not accept the access token, or without
// a request if it is empty; ErrMisconfigured; ErrUnavailable; ErrUnusableAnswer.
func (c *SessionClient) Platforms(ctx context.Context, accessToken string) ([]Platform, error) {
	call, err := c.show(ctx, "list platforms", httpx.Request{Method: http.MethodGet, URL: c.peer.URL(c.config.PlatformsPath)}, accessToken)
	if err != nil {
		return nil, err
	}
	var list []wirePlatform
	if strictjson.Unmarshal(call.Last.Body, &list) != nil {
		wrapped := struct {
			Data *[]wirePlatform `json:"data"`
		}{&list}
		if err := call.Decode(&wrapped, "a list of platforms"); err != nil {
			return nil, err
		}
	}
	if list == nil {
		return nil, call.Unusable("the answer is not a list of platforms")
	}
	platforms := make([]Platform, 0, len(list))
	for _, p := range list {
		platforms = append(platforms, Platform{ID: string(p.ID), Name: p.Name, Caption: p.Caption, Type: p.Type})
	}
	return platforms, nil
}

// show sends r with an access token of B2Core and returns the call with its
// answer, a 2xx.
func (c *SessionClient) show(ctx context.Context, op string, r httpx.Request, accessToken string) (*httpx.Call, error) {
	call := c.peer.Call(op, accessToken)
	if accessToken == "" || !httpx.HeaderSafe(accessToken) {
		return nil, call.Fail(tokenapi.ErrNotSignedIn, "the access token is empty or cannot stand in a header")
	}
	r.Header = http.Header{"Authorization": {"Bearer " + accessToken}}
	return call, call.Ask(ctx, r, verdict(tokenapi.ErrNotSignedIn, http.StatusUnauthorized, http.StatusForbidden))
}
