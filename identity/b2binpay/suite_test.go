package b2binpay_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// The secrets of the suite's requests.
const (
	sentPassword = "pa55word/+=\"<&>\\"
	sentRefresh  = "eyJ0eXAi.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.sample/+="
)

// subject allows unsigned answers, so that the suite's answers need no
// signature.
var subject = clienttest.Subject[*b2binpay.Client]{
	System: "b2binpay",
	Life:   time.Minute,
	New: func(t testing.TB, http tokenapi.HTTP, url string) *b2binpay.Client {
		return newClient(t, url, func(c *b2binpay.Config) { c.HTTP, c.AllowUnsigned = http, true })
	},
	Body: func(access, refresh string) string {
		return `{"data":{"attributes":{"access":` + access + `,"refresh":` + refresh + `}}}`
	},
	Operations: []clienttest.Operation[*b2binpay.Client]{
		{Name: "sign in", Path: "/token/", Secrets: []string{sentPassword},
			Call: func(ctx context.Context, _ testing.TB, c *b2binpay.Client) (*oauth2.Token, error) {
				return c.SignIn(ctx, login, sentPassword)
			}},
		{Name: "refresh token", Path: "/token/refresh/", Secrets: []string{sentRefresh},
			Call: func(ctx context.Context, _ testing.TB, c *b2binpay.Client) (*oauth2.Token, error) {
				return c.Refresh(ctx, &oauth2.Token{RefreshToken: sentRefresh})
			}},
	},
}

func TestExchanges(t *testing.T) { clienttest.Exchanges(t, subject) }

func TestAnswers(t *testing.T) { clienttest.Answers(t, subject, answers()...) }

func FuzzAnswers(f *testing.F) {
	more := append(answers(), clienttest.Answer{Body: string(clienttest.Sample(f, "signin.response.json"))}, clienttest.Answer{Body: string(signedSample(f))})
	clienttest.FuzzAnswers(f, subject, more...)
}

// answers returns the rows of the package doc, and odd members.
func answers() []clienttest.Answer {
	credentials := []error{tokenapi.ErrBadCredentials, tokenapi.ErrGrantRefused}
	misconfigured, unavailable, unusable := clienttest.All(tokenapi.ErrMisconfigured), clienttest.All(tokenapi.ErrUnavailable), clienttest.All(tokenapi.ErrUnusableAnswer)
	refusal := func(status int, code string, want []error) clienttest.Answer {
		return clienttest.Answer{
			Status: status, Type: "application/vnd.api+json", Want: want, Code: strings.Trim(code, `"`), Says: "d",
			Body: `{"errors":[{"status":"400","code":` + code + `,"title":"t","detail":"d","source":{"pointer":"/data"}}]}`,
		}
	}
	return []clienttest.Answer{
		refusal(400, `"2006"`, credentials),
		refusal(422, `2006`, credentials),
		refusal(401, `"2007"`, credentials),
		refusal(403, `2007`, []error{tokenapi.ErrMisconfigured, tokenapi.ErrGrantRefused}),
		refusal(400, `"throttled"`, unavailable),
		refusal(429, `"throttled"`, unavailable),
		refusal(400, `"invalid"`, credentials),
		refusal(403, `"permission_denied"`, misconfigured),
		refusal(500, `"error"`, unavailable),
		refusal(415, `"unsupported_media_type"`, unusable),
		{Status: 400, Want: credentials},
		{Status: 401, Body: `{"detail":"d"}`, Says: "d", Want: credentials},
		{Status: 401, Type: "text/html", Body: "<html>", Want: unavailable}, // a gateway
		{Status: 405, Body: `{"errors":[]}`, Want: misconfigured},
		{Status: 418, Body: `{}`, Want: unusable},
		{Body: `{"errors":[{"code":"2006"}]}`, Want: unusable},
		{Body: `{"data":[]}`, Want: unusable},
		{Body: `{"data":{"type":"auth-token"}}`, Want: unusable},
		{Body: `{"data":{"attributes":{"access":"a"}},"meta":7}`, Want: clienttest.All(nil)}, // field 5
		{Body: `{"data":{"attributes":{"access":"a","refresh":[]}},"meta":[]}`, Want: clienttest.All(nil)},
		{Body: `{"data":{"attributes":{"access":"a"}},"meta":null}`, Want: clienttest.All(nil)},
		{Body: `{"data":{"type":7,"id":[],"attributes":{"access":"a","access_expired_at":7,"refresh_expired_at":{},"is_2fa_confirmed":"no"}},"meta":{"time":[]}}`, Want: clienttest.All(nil)},
	}
}

func TestLifetimes(t *testing.T) {
	const life, none = 15 * time.Minute, time.Minute
	var lives []clienttest.Life
	for expiry, want := range map[string][2]time.Duration{
		`"2000-01-01T00:15:00.405243Z"`: {life + 405243*time.Microsecond, life + 405243*time.Microsecond},
		`"2000-01-01T00:15:00Z"`:        {life, life}, `"2000-01-01T00:15:00+00:00"`: {life, life}, `"2000-01-01T00:15:00"`: {life, life},
		`"2000-01-01T03:15:00.5+03:00"`: {life + time.Second/2, life + time.Second/2},
		`"2000-01-01T00:15:00.000001"`:  {life + time.Microsecond, life + time.Microsecond},
		`"2000-01-01T00:00:00.000001Z"`: {time.Microsecond, time.Microsecond},
		`"2000-01-01T00:00:00Z"`:        {none}, `"1999-12-31T23:59:59Z"`: {none}, `"0001-01-01T00:00:00Z"`: {none}, `"9999-12-31T23:59:59Z"`: {none},
		`"2000-01-01"`: {none}, `"tomorrow"`: {none}, `""`: {none}, `null`: {none}, `946685700`: {none}, `{}`: {none},
	} {
		body := `{"data":{"attributes":{"access":"a","refresh":"r","access_expired_at":` + expiry + `,"refresh_expired_at":` + expiry + `}}}`
		lives = append(lives, clienttest.Life{Body: body, Access: want[0], Refresh: want[1]})
	}
	clienttest.Lifetimes(t, subject, lives...)
}

func TestConfig(t *testing.T) {
	clienttest.Configs(t, clienttest.ConfigSubject[b2binpay.Config, *b2binpay.Client]{
		System: "b2binpay", New: b2binpay.New,
		Common: func(c *b2binpay.Config) (*string, *tokenapi.HTTP) { return &c.URL, &c.HTTP },
	}, clienttest.Wrong("TokenPath RefreshPath DefaultLifetime", func(c *b2binpay.Config) {
		*c = b2binpay.Config{TokenPath: "token/", RefreshPath: "refresh/", DefaultLifetime: -1}
	}))
	_, err := newClient(t, "").Keeper(tokenapi.Account{})
	_, callbacks := b2binpay.NewCallbacks(b2binpay.CallbackConfig{MaxAge: -time.Second})
	for want, err := range map[string]error{"Account.Login Account.Password": err, "CallbackConfig.Login CallbackConfig.Password CallbackConfig.MaxAge": callbacks} {
		if got := strings.Join(clienttest.WrongFields(err), " "); got != want {
			t.Errorf("got %v, want an error about %s", err, want)
		}
	}
}

func TestMaxUses(t *testing.T) {
	for configured, want := range map[int]int{0: 30, 7: 7, -1: 0} {
		client := newClient(t, "", func(c *b2binpay.Config) { c.MaxUses = configured })
		keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
		if err != nil || client.MaxUses() != want || keeper.MaxUses() != want {
			t.Errorf("MaxUses %d: got %d, %v, want %d", configured, client.MaxUses(), err, want)
		}
	}
}

// req 17, 123: no exported value shows a secret, however it is printed.
func TestExportedTypesHideSecrets(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{})
	token := signIn(t, client)
	keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
	if err != nil {
		t.Fatal(err)
	}
	callbacks := newCallbacks(t)
	cb, err := callbacks.Verify(t.Context(), server.Callback("2", "1", ""))
	if err != nil {
		t.Fatal(err)
	}
	_, forged := newCallbacks(t, account(login, "another-5ecret")).Verify(t.Context(), cb.Raw)
	config := b2binpay.CallbackConfig{Login: login, Password: tokenapi.Fixed(password)}
	for _, v := range []any{client, keeper, config, callbacks, cb, forged} {
		clienttest.Hides(t, v, password, "another-5ecret", token.AccessToken, token.RefreshToken)
	}
	// An answer with a wrong signature is hidden too.
	server.Inject(b2binpaytest.EndpointToken, apitest.Fault{Body: json.RawMessage(`{"data":{"attributes":{"access":"acce55","refresh":"refre5h"}},"meta":{"time":"t1me","sign":"5ign"}}`)})
	_, err = client.SignIn(t.Context(), login, password)
	clienttest.Hides(t, wantError(t, err, tokenapi.ErrUnusableAnswer), "acce55", "refre5h", "t1me", "5ign")
}
