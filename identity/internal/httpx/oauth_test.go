package httpx

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"b2trader.identity.auth/identity/tokenapi"
)

// grants are requests of x/oauth2 to a token endpoint, which keep different
// parts of the answer.
var grants = map[string]func(*Call, *testing.T, string) func() (*oauth2.Token, error){
	"client_credentials": func(c *Call, t *testing.T, url string) func() (*oauth2.Token, error) {
		config := clientcredentials.Config{ClientID: "id", ClientSecret: "s3cret", TokenURL: url, AuthStyle: oauth2.AuthStyleInParams}
		return func() (*oauth2.Token, error) { return config.Token(c.Context(t.Context())) }
	},
	"refresh_token": func(c *Call, t *testing.T, url string) func() (*oauth2.Token, error) {
		config := oauth2.Config{ClientID: "id", ClientSecret: "s3cret", Endpoint: oauth2.Endpoint{TokenURL: url, AuthStyle: oauth2.AuthStyleInHeader}}
		return func() (*oauth2.Token, error) {
			return config.TokenSource(c.Context(t.Context()), &oauth2.Token{RefreshToken: "r3fresh"}).Token()
		}
	},
}

// retrieve calls Retrieve at a token endpoint with that answer. A token without
// expires_in lives 7 seconds.
func retrieve(t *testing.T, grant string, v Verdict, status int, mediaType, body string) (*Call, *oauth2.Token, error) {
	t.Helper()
	var asked atomic.Int32
	p := peer(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	c := p.Call("test", "s3cret", "r3fresh")
	token, err := c.Retrieve(v, 7*time.Second, grants[grant](c, t, p.URL("/token")))
	if n := asked.Load(); n != 1 {
		t.Errorf("the token endpoint received %d requests, want 1", n)
	}
	return c, token, err
}

const mediaJSON = "application/json"

func TestRetrieve(t *testing.T) {
	for grant := range grants {
		for _, c := range []struct {
			name, fields string
			life         time.Duration
		}{
			{"a number", `"expires_in":3600`, time.Hour},
			{"a string", `"expires_in":"3600"`, time.Hour},
			{"none", `"scope":"s"`, 7 * time.Second},
			{"null", `"expires_in":null`, 7 * time.Second},
			{"no life", `"expires_in":0`, 0},
			{"no life, as a string", `"expires_in":"0"`, 0},
			// field 8: a life of 0 or less is over.
			{"less than no life", `"expires_in":-1`, 0},
			{"less than 32 bits hold", `"expires_in":-4294963696`, 0}, // the lower half of which is 3600
			// field 5: a lifetime that cannot be read costs no token.
			{"more than any token lives", `"expires_in":99999999999`, 7 * time.Second},
			{"beyond 64 bits", `"expires_in":1e300`, 7 * time.Second},
			{"a word", `"expires_in":"soon"`, 7 * time.Second},
			{"an object", `"expires_in":{}`, 7 * time.Second},
			{"with a fraction", `"expires_in":60.0`, time.Minute},
			{"with a fraction, as a string", `"expires_in":"60.0"`, time.Minute},
			{"with an exponent", `"expires_in":6e1`, time.Minute},
			{"in another case beside it", `"EXPIRES_IN":1,"expires_in":60`, time.Minute},
			{"an id_token and a scope of odd types", `"id_token":7,"scope":["s"]`, 7 * time.Second},
		} {
			x, token, err := retrieve(t, grant, OAuth, 200, mediaJSON, `{"access_token":"a","token_type":"bearer",`+c.fields+`}`)
			if err != nil {
				t.Errorf("Retrieve(%s, %s) = %v, want a token", grant, c.name, err)
				continue
			}
			if token.AccessToken != "a" || !token.Expiry.Equal(x.Sent.Add(c.life)) {
				t.Errorf("%s, %s: %q lives %v, want %v", grant, c.name, token.AccessToken, token.Expiry.Sub(x.Sent), c.life)
			}
		}
	}
}

// Successful answers that are not a token response (RFC 6749 section 5.1).
func TestRetrieveUnusable(t *testing.T) {
	for grant := range grants {
		for _, c := range []struct {
			name      string
			status    int
			mediaType string
			body      string
			says      string
		}{
			{"token_type is another", 200, mediaJSON, `{"access_token":"a","token_type":"mac"}`, "token_type is not Bearer"},
			{"no token_type", 200, mediaJSON, `{"access_token":"a"}`, "token_type is not Bearer"},
			{"no access_token", 200, mediaJSON, `{"token_type":"Bearer"}`, "not a token response"},
			{"access_token a number", 200, mediaJSON, `{"access_token":7,"token_type":"Bearer"}`, "not a token response"},
			{"access_token breaks the line", 200, mediaJSON, `{"access_token":"a\r\nX: y","token_type":"Bearer"}`, "characters that a token cannot have"},
			{"refresh_token breaks the line", 200, mediaJSON, `{"access_token":"a","refresh_token":"r\n","token_type":"Bearer"}`, "characters that a token cannot have"},
			{"ACCESS_TOKEN alone", 200, mediaJSON, `{"ACCESS_TOKEN":"a","token_type":"Bearer"}`, "not a token response"}, // field 54
			{"access_token twice", 200, mediaJSON, `{"access_token":"a","access_token":"b","token_type":"Bearer"}`, "not a token response"},
			{"an array", 200, mediaJSON, `[]`, "not a token response"},
			{"nothing", 204, mediaJSON, ``, "not a token response"},
			{"HTML", 200, "text/html", `<html>`, "not a token response"},
			{"a form", 200, "application/x-www-form-urlencoded", `access_token=a&token_type=Bearer`, "not a token response"},
			{"plain text", 200, "text/plain", `access_token=a&token_type=Bearer`, "not a token response"},
			{"a redirect", 307, mediaJSON, ``, ""},
			{"too long", 200, mediaJSON, strings.Repeat(" ", MaxAnswer) + `{"access_token":"a","token_type":"Bearer"}`, "longer than"},
		} {
			_, token, err := retrieve(t, grant, OAuth, c.status, c.mediaType, c.body)
			e, ok := errors.AsType[*tokenapi.Error](err)
			if !ok || token != nil || !errors.Is(e, tokenapi.ErrUnusableAnswer) || !strings.Contains(e.Description, c.says) || !e.Sent {
				t.Errorf("Retrieve(%s, %s) = %v, %#v, want ErrUnusableAnswer with %q", grant, c.name, token, err, c.says)
			}
		}
	}
}

// Every code of OAuth with the statuses 200, 400 and 401, and the statuses
// without a known code.
func TestOAuth(t *testing.T) {
	codes := map[string]error{
		"invalid_grant":             tokenapi.ErrGrantRefused,
		"invalid_request":           tokenapi.ErrMisconfigured,
		"invalid_client":            tokenapi.ErrMisconfigured,
		"unauthorized_client":       tokenapi.ErrMisconfigured,
		"invalid_scope":             tokenapi.ErrMisconfigured,
		"unsupported_grant_type":    tokenapi.ErrMisconfigured,
		"unsupported_response_type": tokenapi.ErrMisconfigured,
		"temporarily_unavailable":   tokenapi.ErrUnavailable,
		"server_error":              tokenapi.ErrUnavailable,
	}
	if len(OAuth.Codes) != len(codes) {
		t.Errorf("OAuth has %d codes, want the %d of this test", len(OAuth.Codes), len(codes))
	}
	refused := func(name string, status int, mediaType, body, code string, want error) {
		t.Helper()
		_, token, err := retrieve(t, "refresh_token", OAuth, status, mediaType, body)
		e, ok := errors.AsType[*tokenapi.Error](err)
		if !ok || token != nil || !errors.Is(e, want) || e.Code != code || e.StatusCode != status || !e.Sent {
			t.Errorf("%s: got %v, %#v, want %v", name, token, err, want)
		}
	}
	for code, want := range codes {
		for _, status := range []int{200, 400, 401} {
			refused(code, status, mediaJSON, `{"error":"`+code+`"}`, code, want)
		}
	}
	const problem = "application/problem+json"
	refused("an unknown code", 400, mediaJSON, `{"error":"odd"}`, "odd", tokenapi.ErrUnusableAnswer)
	refused("401 with an unknown code", 401, mediaJSON, `{"error":"odd"}`, "odd", tokenapi.ErrGrantRefused)
	refused("401 with problem details", 401, problem, `{"title":"Unauthorized","status":401}`, "", tokenapi.ErrGrantRefused)
	refused("401 without a body", 401, mediaJSON, ``, "", tokenapi.ErrUnusableAnswer)
	refused("401 without a word", 401, mediaJSON, `{}`, "", tokenapi.ErrUnusableAnswer)
	refused("401 of a proxy", 401, "text/html", `<html>`, "", tokenapi.ErrUnavailable) // field 9
	refused("400 without a body", 400, mediaJSON, ``, "", tokenapi.ErrUnusableAnswer)
	refused("404", 404, "text/html", `<html>`, "", tokenapi.ErrMisconfigured)
	refused("429", 429, mediaJSON, ``, "", tokenapi.ErrUnavailable)
	refused("503", 503, "text/html", `<html>`, "", tokenapi.ErrUnavailable)
	refused("500 that is the client's fault", 500, mediaJSON, `{"error":"invalid_client"}`, "invalid_client", tokenapi.ErrMisconfigured)
}

// Retrieve applies another API's Verdict.
func TestRetrieveByAnotherVerdict(t *testing.T) {
	v := Verdict{Codes: map[string]error{"invalid_client": tokenapi.ErrBadCredentials}, Status: map[int]error{401: tokenapi.ErrBadCredentials}}
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"its code":       {400, `{"error":"invalid_client"}`, tokenapi.ErrBadCredentials},
		"its status":     {401, ``, tokenapi.ErrBadCredentials},
		"OAuth's code":   {400, `{"error":"invalid_grant"}`, tokenapi.ErrUnusableAnswer},
		"anybody's 503":  {503, ``, tokenapi.ErrUnavailable},
		"its code, 200":  {200, `{"error":"invalid_client"}`, tokenapi.ErrBadCredentials},
		"its code, 503":  {503, `{"error":"invalid_client"}`, tokenapi.ErrBadCredentials},
		"a token or two": {200, `[{"access_token":"a"}]`, tokenapi.ErrUnusableAnswer},
	} {
		_, token, err := retrieve(t, "client_credentials", v, c.status, mediaJSON, c.body)
		if token != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, %v, want %v", name, token, err, c.want)
		}
	}
}

// A request without an answer is not a refusal. An error does not repeat
// secrets.
func TestRetrieveFails(t *testing.T) {
	p := peer(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for grant, request := range grants {
		c := p.Call("test")
		token, err := c.Retrieve(OAuth, time.Hour, request(c, t, p.URL("/token")))
		e, ok := errors.AsType[*tokenapi.Error](err)
		if !ok || token != nil || !errors.Is(e, tokenapi.ErrUnavailable) || e.Outcome().Kind != tokenapi.Unanswered {
			t.Errorf("Retrieve(%s) = %v, %#v, want it unanswered", grant, token, err)
		}
	}
	for grant := range grants {
		body := `{"error":"odd s3cret","error_description":"for s3cret and r3fresh","traceId":"r3fresh"}`
		_, _, err := retrieve(t, grant, OAuth, 400, mediaJSON, body)
		if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "r3fresh") {
			t.Errorf("Retrieve(%s) = %v, want an error without the secrets", grant, err)
		}
	}
}
