package oauth2refresher_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/oauth2refresher"
	"b2trader.identity.auth/identity/tokenapi"
)

const (
	clientID = "app"
	secret   = "s+cret/%41=\"<&>"
	sent     = "r3fresh/+=<&>"
	tokenURL = "https://provider.example/token"
)

// refresher returns a Refresher of a client with a secret.
func refresher(t testing.TB, h tokenapi.HTTP, url string, changes ...func(*oauth2refresher.Config)) *oauth2refresher.Refresher {
	t.Helper()
	config := oauth2refresher.Config{HTTP: h, OAuth2: &oauth2.Config{ClientID: clientID, ClientSecret: secret, Endpoint: oauth2.Endpoint{TokenURL: url}}}
	for _, change := range changes {
		change(&config)
	}
	r, err := oauth2refresher.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var subject = clienttest.Subject[*oauth2refresher.Refresher]{
	System: "oauth2refresher",
	Life:   5 * time.Minute,
	New: func(t testing.TB, h tokenapi.HTTP, url string) *oauth2refresher.Refresher {
		return refresher(t, h, strings.TrimRight(url, "/")+"/token", func(c *oauth2refresher.Config) { c.DefaultLifetime = 5 * time.Minute })
	},
	Body: func(access, refresh string) string {
		return `{"access_token":` + access + `,"refresh_token":` + refresh + `}` // no token_type
	},
	Operations: []clienttest.Operation[*oauth2refresher.Refresher]{
		{Name: "refresh token", Path: "/token", Secrets: []string{sent, secret},
			Call: func(ctx context.Context, _ testing.TB, r *oauth2refresher.Refresher) (*oauth2.Token, error) {
				return r.Refresh(ctx, &oauth2.Token{RefreshToken: sent})
			}},
	},
}

func TestExchanges(t *testing.T) { clienttest.Exchanges(t, subject) }

// refusals are answers with a code of RFC 6749, of a vendor, or without one.
func refusals() []clienttest.Answer {
	answers := []clienttest.Answer{
		{Status: 401, Want: clienttest.All(tokenapi.ErrMisconfigured)},
		{Status: 401, Body: `{"title":"Unauthorized"}`, Want: clienttest.All(tokenapi.ErrMisconfigured), Says: "Unauthorized"},
		{Status: 403, Body: `{"message":"rate limit"}`, Want: clienttest.All(tokenapi.ErrUnusableAnswer)},
		{Body: `{"access_token":"a","token_type":"DPoP"}`, Want: clienttest.All(tokenapi.ErrUnusableAnswer), Says: "token_type"},
	}
	for want, codes := range map[error]string{
		tokenapi.ErrGrantRefused:   "invalid_grant bad_refresh_token invalid_refresh_token",
		tokenapi.ErrMisconfigured:  "invalid_client unauthorized_client invalid_request invalid_scope unsupported_grant_type",
		tokenapi.ErrUnavailable:    "temporarily_unavailable server_error",
		tokenapi.ErrUnusableAnswer: "interaction_required",
	} {
		for _, code := range strings.Fields(codes) {
			for _, status := range []int{200, 400, 401} {
				want := want
				if status == 401 && want == tokenapi.ErrUnusableAnswer { //nolint:errorlint // a key of the map
					want = tokenapi.ErrMisconfigured
				}
				answers = append(answers, clienttest.Answer{Status: status, Body: `{"error":"` + code + `"}`, Code: code, Want: clienttest.All(want)})
			}
		}
	}
	return answers
}

func TestAnswers(t *testing.T) { clienttest.Answers(t, subject, refusals()...) }

func FuzzAnswers(f *testing.F) { clienttest.FuzzAnswers(f, subject, refusals()...) }

func TestRefusedCodes(t *testing.T) {
	server := apitest.New(apitest.Config{Name: "provider"})
	server.Handle("/token", "token", func(x *apitest.Exchange) {
		x.JSON(http.StatusBadRequest, "application/json", map[string]string{"error": "login_required"})
	})
	for _, codes := range [][]string{nil, {"login_required"}} {
		r := refresher(t, tokenapi.HTTP{Transport: server.Transport()}, tokenURL, func(c *oauth2refresher.Config) { c.RefusedCodes = codes })
		_, err := r.Refresh(t.Context(), &oauth2.Token{RefreshToken: sent})
		if got := tokenapi.OutcomeOf(err).Kind; (got == tokenapi.Refused) != (codes != nil) {
			t.Errorf("RefusedCodes %q: Refresh = %v of the kind %v, want it refused if the code is listed", codes, err, got)
		}
	}
}

func TestLifetimes(t *testing.T) {
	var lives []clienttest.Life
	for member, want := range map[string]time.Duration{
		`"expires_in":3600`: time.Hour, `"expires_in":"60"`: time.Minute, `"expires_in":0`: 5 * time.Minute,
		`"expires_in":-1`: 5 * time.Minute, `"expires_in":null`: 5 * time.Minute, `"expires_in":"soon"`: 5 * time.Minute,
	} {
		lives = append(lives, clienttest.Life{Body: `{"access_token":"a","refresh_token":"r","token_type":"bearer",` + member + `}`, Access: want})
	}
	clienttest.Lifetimes(t, subject, lives...)
}

func TestConfig(t *testing.T) {
	endpoint := func(url string) *oauth2.Config {
		return &oauth2.Config{ClientID: clientID, Endpoint: oauth2.Endpoint{TokenURL: url}}
	}
	for _, c := range []struct {
		config oauth2refresher.Config
		wrong  []string
	}{
		{oauth2refresher.Config{}, []string{"OAuth2"}},
		{oauth2refresher.Config{OAuth2: &oauth2.Config{}, DefaultLifetime: -1, HTTP: tokenapi.HTTP{Timeout: -1}},
			[]string{"DefaultLifetime", "HTTP.Timeout", "OAuth2.ClientID", "OAuth2.Endpoint.TokenURL"}},
		{oauth2refresher.Config{OAuth2: endpoint("http://provider.example/token")}, []string{"OAuth2.Endpoint.TokenURL"}},
		{oauth2refresher.Config{OAuth2: endpoint("http://provider.example/token"), HTTP: tokenapi.HTTP{InsecureAllowHTTP: true}}, nil},
		{oauth2refresher.Config{OAuth2: endpoint("http://127.0.0.1/token")}, nil},
		{oauth2refresher.Config{OAuth2: endpoint("https://provider.example/token?tenant=1")}, nil},
		{oauth2refresher.Config{OAuth2: endpoint("/token")}, []string{"OAuth2.Endpoint.TokenURL"}},
	} {
		if _, err := oauth2refresher.New(c.config); !slices.Equal(clienttest.WrongFields(err), c.wrong) {
			t.Errorf("New(%+v) = %v, want an error about %q", c.config, err, c.wrong)
		}
	}
	clienttest.Hides(t, refresher(t, tokenapi.HTTP{}, tokenURL), secret)
}
