package tradevest_test

import (
	"errors"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// An answer is what a token endpoint may say.
type answer struct {
	status          int
	mediaType, body string
}

// answers are those that the page and the guide have, and others that might come.
func answers(t testing.TB) []answer {
	t.Helper()
	const mediaJSON = "application/json"
	seeds := []answer{
		{200, mediaJSON, string(clienttest.Sample(t, "token.response.json"))},
		{200, mediaJSON, `{"access_token": "eyJhbGciOiJIUzI1Ni...", "token_type": "Bearer", "expires_in": 3600}`},
		{200, mediaJSON, `{"access_token":"a","expires_in":"3600","token_type":"bearer","scope":"tradevest.api","refresh_token":"r"}`},
		{200, mediaJSON, `{"access_token":"a","expires_in":-4294963696,"token_type":"Bearer"}`},
		{200, mediaJSON, `{"access_token":"a","expires_in":99999999999,"token_type":"Bearer","scope":7}`},
		{200, mediaJSON, `{"access_token":"a\r\nX: y","expires_in":null,"token_type":"Bearer"}`},
		{200, "text/plain", `access_token=a&token_type=Bearer&expires_in=3600`},
		{200, "application/x-www-form-urlencoded", `error=invalid_client`},
		{200, mediaJSON, `{"error":"invalid_client"}`},
		{400, "application/problem+json", `{"title":"for ` + odd + `","traceId":"00-1","status":400}`},
		{400, mediaJSON, `{"errors":[{"code":` + "\"" + odd + "\"" + `,"message":["` + odd + `"]}]}`},
		{401, "", ``},
		{307, "text/html", `<html>`},
		{503, mediaJSON, `[]`},
	}
	for _, code := range []string{"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"} {
		seeds = append(seeds, answer{400, mediaJSON, `{"error":"` + code + `"}`})
	}
	return seeds
}

// Whatever comes back, SignIn returns a usable token, or an error of its own that holds no secret.
func FuzzTokenAnswer(f *testing.F) {
	seeds := answers(f)
	if len(seeds) < 19 {
		f.Fatalf("only %d seeds", len(seeds))
	}
	for _, s := range seeds {
		f.Add(s.status, s.mediaType, s.body)
	}
	server := newServer(f, tradevesttest.Config{})
	sent := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	client := newClient(f, server, func(c *tradevest.Config) {
		c.ClientSecret, c.HTTP.Now = tokenapi.Fixed(odd), func() time.Time { return sent }
	})
	f.Fuzz(func(t *testing.T, status int, mediaType, body string) {
		if status < 200 || status > 999 {
			return // no status of an answer
		}
		server.Inject(tradevesttest.EndpointToken, apitest.Fault{Status: status, ContentType: mediaType, Body: []byte(body)})
		token, err := client.SignIn(t.Context())
		if clienttest.OnlyOne(t, token != nil, err) != nil {
			clienttest.Refused(t, err, "tradevest", odd)
			if e, ok := errors.AsType[*tokenapi.Error](err); ok && e.StatusCode != status {
				t.Errorf("status %d, got %#v", status, e)
			}
			return
		}
		clienttest.Usable(t, token, sent)
		if status/100 != 2 || token.RefreshToken != "" {
			t.Errorf("status %d, got %+v", status, token)
		}
	})
}
