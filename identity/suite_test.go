package identity_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// The secrets of the suite's requests.
const sentSecret, sentPassword, sentRefresh = "canary-client+5ecret/%41=", "canary-password-5ecret/+=", "canary-refresh-5ecret/+="

// subject has the operations that send one token request.
var subject = clienttest.Subject[*identity.Client]{
	System: "identity",
	Life:   30 * time.Second,
	New: func(t testing.TB, http tokenapi.HTTP, url string) *identity.Client {
		return clienttest.New(t, identity.New, identity.Config{URL: url, ClientID: identity.ClientLK, ClientSecret: tokenapi.NewSecret(sentSecret), HTTP: http})
	},
	Body: func(access, refresh string) string {
		return `{"access_token":` + access + `,"refresh_token":` + refresh + `,"token_type":"Bearer"}`
	},
	Operations: []clienttest.Operation[*identity.Client]{
		{Name: "machine-to-machine sign in", Path: "/identity/connect/token", Secrets: []string{sentSecret, sentPassword},
			Call: func(ctx context.Context, _ testing.TB, c *identity.Client) (*oauth2.Token, error) {
				return c.MachineToMachineSignIn(ctx, "machine@example.com", sentPassword)
			}},
		{Name: "refresh token", Path: "/identity/connect/token", Secrets: []string{sentSecret, sentRefresh},
			Call: func(ctx context.Context, _ testing.TB, c *identity.Client) (*oauth2.Token, error) {
				return c.RefreshToken(ctx, sentRefresh)
			}},
	},
}

func TestExchanges(t *testing.T) { clienttest.Exchanges(t, subject) }

// answers returns the refusals of RFC 6749, B2Trader's own (req 54, 55, 57), and
// odd members (req 20, 21).
func answers() []clienttest.Answer {
	grant := []error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused}
	misconfigured, unavailable, unusable := clienttest.All(tokenapi.ErrMisconfigured), clienttest.All(tokenapi.ErrUnavailable), clienttest.All(tokenapi.ErrUnusableAnswer)
	with := func(member string, want []error) clienttest.Answer {
		return clienttest.Answer{Body: `{"access_token":"a","refresh_token":"r",` + member + `}`, Want: want}
	}
	rows := []clienttest.Answer{
		{Status: 401, Type: "application/problem+json", Body: `{"title":"Unauthorized","status":401,"traceId":"00-f62-00"}`, Want: grant, Says: "Unauthorized"}, // npm README
		{Status: 401, Body: `{"error":"odd"}`, Code: "odd", Want: grant},
		{Status: 401, Want: unusable}, {Status: 401, Body: `{}`, Want: unusable}, {Status: 400, Want: unusable},
		{Status: 401, Type: "text/html", Body: "<html>", Want: unavailable}, // field 9
		{Status: 403, Type: "text/html", Body: "<html>", Want: unavailable},
		{Status: 400, Body: `{"error":"odd"}`, Code: "odd", Want: unusable},
		{Status: 400, Body: `{"errors":[{"code":"Odd","message":"no"}]}`, Code: "Odd", Says: "no", Want: unusable},
		{Status: 500, Body: `{"error":"invalid_client"}`, Code: "invalid_client", Want: misconfigured},
		with(`"token_type":"bearer"`, clienttest.All(nil)), with(`"token_type":"mac"`, unusable), with(`"token_type":7`, unusable), with(`"scope":"s"`, unusable),
		with(`"token_type":"Bearer","id_token":7,"scope":["s"],"expires_in":{}`, clienttest.All(nil)), // field 5
		with(`"token_type":"Bearer","expires_in":"soon"`, clienttest.All(nil)),
	}
	for code, want := range map[string][]error{
		"invalid_grant": grant, "invalid_client": misconfigured, "unauthorized_client": misconfigured, "invalid_request": misconfigured,
		"invalid_scope": misconfigured, "unsupported_grant_type": misconfigured, "unsupported_response_type": misconfigured,
		"temporarily_unavailable": unavailable, "server_error": unavailable,
	} {
		for _, status := range []int{200, 400, 401} {
			rows = append(rows, clienttest.Answer{Status: status, Body: `{"error":"` + code + `"}`, Code: code, Want: want})
		}
	}
	return rows
}

func TestAnswers(t *testing.T) { clienttest.Answers(t, subject, answers()...) }

func FuzzAnswers(f *testing.F) { clienttest.FuzzAnswers(f, subject, answers()...) }

func TestLifetimes(t *testing.T) {
	var lives []clienttest.Life
	for expiresIn, life := range map[string]time.Duration{
		`60`: time.Minute, `"60"`: time.Minute, `60.0`: time.Minute, `6e1`: time.Minute, `null`: 30 * time.Second, `0`: 0, `"0"`: 0,
		`-1`: 0, `-4294963696`: 0, // field 8: a life of 0 or less is over
		`99999999999`: 30 * time.Second, `1e300`: 30 * time.Second, // field 5: one that cannot be read is the Config's
	} {
		lives = append(lives, clienttest.Life{Body: strings.Replace(subject.Body(`"a"`, `"r"`), "{", `{"EXPIRES_IN":1,"expires_in":`+expiresIn+`,`, 1), Access: life})
	}
	clienttest.Lifetimes(t, subject, lives...)
}
