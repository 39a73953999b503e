package b2core_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// The secrets of the suite's requests.
const sentPassword, sentCode, sentUUID = "canary-password-5ecret/+=", "canary-code-5ecret", "canary-uuid-5ecret"

// earlier answers the steps before the one under test, and sends the others on.
type earlier struct {
	answers map[string]string // the bodies, by the end of the path
	next    http.RoundTripper
}

func (e earlier) RoundTrip(r *http.Request) (*http.Response, error) {
	for end, body := range e.answers {
		if strings.HasSuffix(r.URL.Path, end) {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		}
	}
	return e.next.RoundTrip(r)
}

// after returns a constructor of SessionClients for which the answers to earlier
// steps are given. Observers do not see them.
func after(answers map[string]string) func(testing.TB, tokenapi.HTTP, string) *b2core.SessionClient {
	return func(t testing.TB, h tokenapi.HTTP, url string) *b2core.SessionClient {
		t.Helper()
		h.Transport = earlier{answers, h.WithDefaults().Transport}
		if observe := h.Observe; observe != nil {
			h.Observe = func(ctx context.Context, x tokenapi.Exchange) {
				for end := range answers {
					if strings.HasSuffix(x.URL, end) {
						return
					}
				}
				observe(ctx, x)
			}
		}
		return clienttest.New(t, b2core.NewSessionClient, b2core.SessionConfig{URL: url, HTTP: h})
	}
}

const wizardSays = `{"code":202,"data":{"recaptcha":{"enabled":false}},"done":true,"uuid":"` + sentUUID + `","workflow":"login"}`

// token returns the token of a session.
func token(s *b2core.Session, err error) (*oauth2.Token, error) {
	if err != nil {
		return nil, err
	}
	return s.Token, nil
}

// sessionSubjects are the three operations that return a token. Each has its
// own earlier steps.
func sessionSubjects() map[string]clienttest.Subject[*b2core.SessionClient] {
	type operation = clienttest.Operation[*b2core.SessionClient]
	subjects := map[string]clienttest.Subject[*b2core.SessionClient]{}
	for _, c := range []struct {
		earlier map[string]string
		op      operation
	}{
		{map[string]string{"/wizard": wizardSays}, operation{
			Name: "sign in", Path: "/api/v2/my/signin", Secrets: []string{sentPassword, sentUUID},
			Call: func(ctx context.Context, _ testing.TB, c *b2core.SessionClient) (*oauth2.Token, error) {
				return token(c.Login(ctx, "user@example.com", sentPassword))
			},
		}},
		{map[string]string{"/wizard": wizardSays, "/signin": `{"code":200,"data":{"tfaProviders":["google"]},"uuid":"` + sentUUID + `"}`}, operation{
			Name: "verify second factor", Path: "/api/v2/my/2fa/google", Secrets: []string{sentCode, sentUUID},
			Call: func(ctx context.Context, t testing.TB, c *b2core.SessionClient) (*oauth2.Token, error) {
				t.Helper()
				s, err := c.SignIn(ctx, "user@example.com", sentPassword)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.VerifySecondFactor(ctx, sentCode); err != nil {
					return nil, err
				}
				return token(s.Session())
			},
		}},
		{nil, operation{
			Name: "refresh token", Path: "/api/v2/my/refresh", Secrets: []string{sentRefresh},
			Call: func(ctx context.Context, _ testing.TB, c *b2core.SessionClient) (*oauth2.Token, error) {
				return c.Refresh(ctx, &oauth2.Token{RefreshToken: sentRefresh})
			},
		}},
	} {
		subjects[c.op.Name] = clienttest.Subject[*b2core.SessionClient]{
			System: "b2core", Life: 20 * time.Minute, New: after(c.earlier), Operations: []operation{c.op}, Own: tokenapi.ErrSecondFactorRefused,
			Body: func(access, refresh string) string {
				return `{"code":202,"data":{"accessToken":{"token":` + access + `},"refreshToken":{"token":` + refresh + `}}}`
			},
		}
	}
	return subjects
}

func TestSessionExchanges(t *testing.T) {
	for _, s := range sessionSubjects() {
		clienttest.Exchanges(t, s)
	}
}

// sessionAnswers are the refusals, which mean something else to each operation.
func sessionAnswers(refusal error) []clienttest.Answer {
	const why = `{"error":{"message":"why","details":[{"issue":"i"}]}}`
	rows := []clienttest.Answer{
		{Body: `{"accessToken":{"token":"a"},"refreshToken":{"token":"r"}}`, Want: clienttest.All(nil)}, // as one public client reads a refresh
		{Body: `{"data":{"accessToken":{"token":"a"},"refreshToken":null},"code":"202"}`, Want: clienttest.All(nil)},
		// field 5: a member of an odd type, such as PHP's empty array for an object
		{Body: `{"data":[],"accessToken":{"token":"a"},"refreshToken":{"token":"r"}}`, Want: clienttest.All(nil)},
		{Body: `{"data":{"accessToken":{"token":"a"},"refreshToken":[],"tfaProviders":{}},"uuid":7,"workflow":[]}`, Want: clienttest.All(nil)},
		{Body: `{"data":{"accessToken":"a"}}`, Want: clienttest.All(tokenapi.ErrUnusableAnswer)},
		{Body: `{"code":200,"data":null,"workflow":"password_reset"}`, Want: clienttest.All(tokenapi.ErrUnusableAnswer)},
		{Body: `{"code":200,"data":{"tfaProviders":["..",7,{},null,""]}}`, Want: clienttest.All(tokenapi.ErrUnusableAnswer)},
		{Status: 418, Body: why, Want: clienttest.All(tokenapi.ErrUnusableAnswer), Says: "why: i"},
	}
	for _, status := range []int{400, 401, 403, 422} {
		rows = append(rows,
			clienttest.Answer{Status: status, Body: why, Want: clienttest.All(refusal), Says: "why: i"},
			clienttest.Answer{Status: status, Type: "text/html", Body: "<html>", Want: clienttest.All(tokenapi.ErrUnavailable)}, // a gateway
			clienttest.Answer{Status: status, Type: "text/plain", Body: "denied", Want: clienttest.All(tokenapi.ErrUnavailable)},
		)
	}
	return rows
}

func TestSessionAnswers(t *testing.T) {
	for op, s := range sessionSubjects() {
		refusal := map[string]error{
			"sign in": tokenapi.ErrBadCredentials, "verify second factor": tokenapi.ErrSecondFactorRefused, "refresh token": tokenapi.ErrGrantRefused,
		}[op]
		clienttest.Answers(t, s, sessionAnswers(refusal)...)
	}
}

// A life is the difference of two times of the server, whatever their zone.
func TestSessionLifetimes(t *testing.T) {
	times := func(created, expires, refreshExpires string) string {
		return `{"data":{"accessToken":{"token":"a","createdAt":` + created + `,"expiresAt":` + expires + `},"refreshToken":{"token":"r","expiresAt":` + refreshExpires + `}}}`
	}
	var lives []clienttest.Life
	for _, c := range []struct {
		created, expires, refreshExpires string
		access, refresh                  time.Duration
	}{
		{`"2024-06-12T18:00:00Z"`, `"2024-06-12T18:10:00Z"`, `"2024-06-13T18:00:00Z"`, 10 * time.Minute, 24 * time.Hour},
		{`"2024-06-12T18:00:00.5+0200"`, `"2024-06-12T18:10:00.5+0200"`, `null`, 10 * time.Minute, 0},
		{`"2024-06-12 18:00:00"`, `"2024-06-12 18:10:00"`, `"2024-06-12 19:00:00"`, 10 * time.Minute, time.Hour},
		{`null`, `"2000-01-01T00:10:00Z"`, `7`, 10 * time.Minute, 0}, // by our clock: the test server sends no Date
		{`"2024-06-12T18:00:00Z"`, `"2024-06-12T17:00:00Z"`, `"soon"`, 20 * time.Minute, 0},
		{`7`, `{}`, `[]`, 20 * time.Minute, 0},
	} {
		lives = append(lives, clienttest.Life{Body: times(c.created, c.expires, c.refreshExpires), Access: c.access, Refresh: c.refresh})
	}
	for _, s := range sessionSubjects() {
		clienttest.Lifetimes(t, s, lives...)
	}
}

func FuzzSessionAnswers(f *testing.F) {
	clienttest.FuzzAnswers(f, sessionSubjects()["refresh token"], sessionAnswers(tokenapi.ErrGrantRefused)...)
}

func TestSessionConfig(t *testing.T) {
	wrong := clienttest.Wrong[b2core.SessionConfig]
	clienttest.Configs(t, clienttest.ConfigSubject[b2core.SessionConfig, *b2core.SessionClient]{
		System: "b2core", Version: "Session", New: b2core.NewSessionClient, Good: b2core.SessionConfig{URL: broker},
		Common: func(c *b2core.SessionConfig) (*string, *tokenapi.HTTP) { return &c.URL, &c.HTTP },
	},
		wrong("URL WizardPath SignInPath SecondFactorPath RefreshPath SignOutPath PlatformsPath CodePaths WizardMethod DefaultProvider DefaultLifetime", func(c *b2core.SessionConfig) {
			*c = b2core.SessionConfig{
				WizardPath: "w", SignInPath: "s", SecondFactorPath: "2", RefreshPath: "r", SignOutPath: "o", PlatformsPath: "p",
				CodePaths: map[string]string{"google": "g"}, WizardMethod: "PUT", DefaultProvider: "..", DefaultLifetime: -1,
			}
		}),
		wrong("", func(c *b2core.SessionConfig) { c.WizardMethod, c.DefaultProvider = http.MethodPost, "google" }),
	)
}

// sessionPlatform has the account's Keeper as "main", and one with a wrong
// password.
func sessionPlatform(t *testing.T) vaulttest.Platform {
	t.Helper()
	server := newServer(t, b2coretest.Config{})
	client := newSessionClient(t, server)
	keeper := func(password string) vault.Refresher {
		account := tokenapi.Account{Login: b2coretest.SampleEmail, Password: tokenapi.Fixed(password)}
		return clienttest.New(t, client.Keeper, account)
	}
	return vaulttest.Platform{
		Server: server.Server, SignIn: b2coretest.EndpointSignIn, Renew: b2coretest.EndpointSessionRefresh,
		Refreshers: map[string]vault.Refresher{"main": keeper(b2coretest.SamplePassword), "wrong": keeper("wrong")},
	}
}

func TestSessionInAVault(t *testing.T) {
	fails := func(f apitest.Fault) vaulttest.Recovery { return vaulttest.Recovery{Fault: f, SignIns: 1, Renewals: 2} }
	vaulttest.Suite{Open: sessionPlatform, Life: 10 * time.Minute, Renewals: 24*60*60/400 - 1, Faults: map[string]vaulttest.Recovery{
		"lost request": fails(apitest.Fault{LoseRequest: true}),
		"lost answer":  {Fault: apitest.Fault{LoseAnswer: true}, SignIns: 2, Renewals: 2}, // the refresh token is spent: a retry, then a sign-in
		"503":          fails(apitest.Fault{Status: http.StatusServiceUnavailable, RetryAfter: "4"}),
		"429":          fails(apitest.Fault{Status: http.StatusTooManyRequests}),
		"HTML":         fails(apitest.Fault{Status: http.StatusForbidden, Body: []byte("<html>"), ContentType: "text/html"}),
		"unusable":     {Fault: apitest.Fault{Body: []byte("{}")}, SignIns: 2, Renewals: 1},
		"refused":      {Fault: apitest.Fault{Status: http.StatusUnauthorized, Body: []byte("{}")}, SignIns: 2, Renewals: 1},
	}}.Run(t)
	vaulttest.RefreshTokenExpires(t, 24*time.Hour, sessionPlatform)
}
