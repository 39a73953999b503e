package b2core_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// newSessionClient returns a client that signs in to server.
func newSessionClient(t testing.TB, server *b2coretest.Server, changes ...func(*b2core.SessionConfig)) *b2core.SessionClient {
	t.Helper()
	config := b2core.SessionConfig{URL: broker, HTTP: tokenapi.HTTP{Transport: server.Transport()}}
	return clienttest.New(t, b2core.NewSessionClient, config, changes...)
}

// login returns the session of the sample user.
func login(t testing.TB, client *b2core.SessionClient) *b2core.Session {
	t.Helper()
	session, err := client.Login(t.Context(), b2coretest.SampleEmail, b2coretest.SamplePassword)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// bears reports whether B2Core accepts an access token of a session.
func bears(t testing.TB, client *b2core.SessionClient, token *oauth2.Token) bool {
	t.Helper()
	_, err := client.Platforms(t.Context(), token.AccessToken)
	if err != nil {
		wantError(t, err, tokenapi.ErrNotSignedIn)
	}
	return err == nil
}

func TestLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, b2coretest.Config{RequireCookies: true, Now: func() time.Time { return time.Now().Add(5 * time.Hour) }})
		client := newSessionClient(t, server)
		session := login(t, client)
		if access, refresh := clienttest.Lives(session.Token); access != 10*time.Minute || refresh != 24*time.Hour || !bears(t, client, session.Token) {
			t.Errorf("the tokens live %v and %v, want 10 minutes and a day, accepted", access, refresh)
		}
		entry := vault.NewEntry("b2core", session)
		if entry.Owner != broker+" "+b2coretest.SampleEmail || entry.Token != session.Token || entry.State != nil {
			t.Errorf("got the entry %v, want one of the user without a state", entry)
		}
		sent := server.Requests(b2coretest.EndpointSignIn)[0]
		for _, member := range []string{`"uuid":"`, `"device_fingerprint":"`, `"email":"` + b2coretest.SampleEmail + `"`} {
			if !strings.Contains(string(sent.Body), member) {
				t.Errorf("sent %s, want the member %s", sent.Body, member)
			}
		}
		<-time.After(10 * time.Minute)
		if bears(t, client, session.Token) {
			t.Error("the access token is accepted after its life, want it refused")
		}
	})
}

// A wrong password, and one that is empty.
func TestLoginIsRefused(t *testing.T) {
	server := newServer(t, b2coretest.Config{SignInsPerMinute: 2})
	client := newSessionClient(t, server)
	_, err := client.Login(t.Context(), b2coretest.SampleEmail, "")
	if e := wantError(t, err, tokenapi.ErrBadCredentials); e.Sent || server.Count(b2coretest.EndpointWizard) != 0 {
		t.Errorf("got %#v after %d requests, want none sent", e, server.Count(b2coretest.EndpointWizard))
	}
	for range 2 {
		_, err = client.Login(t.Context(), b2coretest.SampleEmail, sentPassword)
		if e := wantError(t, err, tokenapi.ErrBadCredentials); e.StatusCode != http.StatusUnprocessableEntity || e.Description == "" {
			t.Errorf("got %#v, want 422 with B2Core's words", e)
		}
		clienttest.Hides(t, err, sentPassword, b2coretest.SampleEmail)
	}
	_, err = client.Login(t.Context(), b2coretest.SampleEmail, b2coretest.SamplePassword)
	wantError(t, err, tokenapi.ErrUnavailable) // too many sign-ins, which is not about the password
}

// What each request sends, and no more: the bearer and the cookies go only where
// they belong.
func TestSessionRequests(t *testing.T) {
	server := newServer(t, second)
	client := newSessionClient(t, server, func(c *b2core.SessionConfig) { c.DeviceFingerprint = "mine" })
	s, err := client.SignIn(t.Context(), "both@example.com", "p")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.ChooseSecondFactor(t.Context(), "google"), s.VerifySecondFactor(t.Context(), b2coretest.SampleCode)); err != nil {
		t.Fatal(err)
	}
	session, err := s.Session()
	if err != nil {
		t.Fatal(err)
	}
	next, err := client.Refresh(t.Context(), session.Token)
	if err != nil || !bears(t, client, next) || client.SignOut(t.Context(), next.AccessToken) != nil {
		t.Fatalf("Refresh = %v, want a token that B2Core accepts", err)
	}
	_, uuid, _ := strings.Cut(server.Requests(b2coretest.EndpointSignIn)[0].Header.Get("Cookie"), "=")
	const json = "\nContent-Type: application/json"
	cookie, bearer := "\nCookie: b2core_session="+uuid, "\nAuthorization: Bearer "+next.AccessToken
	for endpoint, want := range map[apitest.Endpoint]string{
		b2coretest.EndpointWizard:         "GET /api/v2/my/signin/wizard\n\n",
		b2coretest.EndpointSignIn:         "POST /api/v2/my/signin" + json + cookie + "\n\n" + `{"uuid":"` + uuid + `","email":"both@example.com","password":"p","device_fingerprint":"mine"}`,
		b2coretest.EndpointChoose:         "POST /api/v2/my/signin/2fa" + json + cookie + "\n\n" + `{"provider":"google","uuid":"` + uuid + `"}`,
		b2coretest.EndpointCode:           "POST /api/v2/my/2fa/google" + json + cookie + "\n\n" + `{"code":"123456","uuid":"` + uuid + `"}`,
		b2coretest.EndpointSessionRefresh: "POST /api/v2/my/refresh" + json + "\n\n" + `{"deviceFingerprint":"mine","refreshToken":"` + session.RefreshToken + `"}`,
		b2coretest.EndpointPlatforms:      "GET /api/v2/my/platforms" + bearer + "\n\n",
		b2coretest.EndpointSignOut:        "POST /api/v2/my/signout" + bearer + "\n\n",
	} {
		if got := server.Requests(endpoint)[0].Wire("Content-Type", "Cookie", "Authorization"); got != want {
			t.Errorf("%s: sent\n%s\nwant\n%s", endpoint, got, want)
		}
	}
}

// A reCAPTCHA stops the sign-in before the password is sent, and the error says
// what helps.
func TestRecaptcha(t *testing.T) {
	server := newServer(t, b2coretest.Config{Recaptcha: true})
	ignore := func(c *b2core.SessionConfig) { c.IgnoreRecaptcha = true }
	for sent, client := range []*b2core.SessionClient{newSessionClient(t, server), newSessionClient(t, server, ignore)} {
		_, err := client.Login(t.Context(), b2coretest.SampleEmail, b2coretest.SamplePassword)
		e := wantError(t, err, b2core.ErrRecaptcha)
		if !errors.Is(err, tokenapi.ErrMisconfigured) || e.Outcome().Kind != tokenapi.Misconfigured || !strings.Contains(e.Advice, "Config.Bearer") {
			t.Errorf("got %#v, want ErrMisconfigured with an advice", e)
		}
		if n := server.Count(b2coretest.EndpointSignIn); n != sent {
			t.Errorf("sent the password %d times, want %d", n, sent)
		}
	}
	for enabled, want := range map[string]error{
		`true`: b2core.ErrRecaptcha, `1`: b2core.ErrRecaptcha, `"true"`: b2core.ErrRecaptcha, `{}`: b2core.ErrRecaptcha,
		`false`: nil, `0`: nil, `"0"`: nil, `""`: nil, `null`: nil, `"false"`: nil,
	} {
		client := after(map[string]string{
			"/wizard": strings.Replace(wizardSays, "false", enabled, 1), "/signin": `{"data":{"accessToken":{"token":"a"}}}`,
		})(t, tokenapi.HTTP{}, broker)
		if _, err := client.Login(t.Context(), "a@example.com", "b"); !errors.Is(err, want) {
			t.Errorf("recaptcha.enabled = %s: got %v, want %v", enabled, err, want)
		}
	}
}

func TestWizard(t *testing.T) {
	for name, c := range map[string]struct {
		fault apitest.Fault
		want  error
	}{
		"no uuid":      {apitest.Fault{Body: []byte(`{"code":202,"data":null}`)}, tokenapi.ErrUnusableAnswer},
		"no JSON":      {apitest.Fault{Body: []byte(`<html>`)}, tokenapi.ErrUnusableAnswer},
		"another path": {apitest.Fault{Status: http.StatusNotFound}, tokenapi.ErrMisconfigured},
		"outage":       {apitest.Fault{Status: http.StatusBadGateway}, tokenapi.ErrUnavailable},
		"lost":         {apitest.Fault{LoseAnswer: true}, tokenapi.ErrUnavailable},
	} {
		server := newServer(t, b2coretest.Config{})
		server.Inject(b2coretest.EndpointWizard, c.fault)
		_, err := newSessionClient(t, server).Login(t.Context(), b2coretest.SampleEmail, b2coretest.SamplePassword)
		if wantError(t, err, c.want); server.Count(b2coretest.EndpointWizard) != 1 || server.Count(b2coretest.EndpointSignIn) != 0 {
			t.Errorf("%s: the sign-in went on, want it stopped after one request", name)
		}
	}

	server := newServer(t, b2coretest.Config{WizardMethod: http.MethodPost})
	_, err := newSessionClient(t, server).Login(t.Context(), b2coretest.SampleEmail, b2coretest.SamplePassword)
	if e := wantError(t, err, tokenapi.ErrMisconfigured); !strings.Contains(e.Description, "WizardMethod") {
		t.Errorf("got %v, want the field to change", e)
	}
	login(t, newSessionClient(t, server, func(c *b2core.SessionConfig) { c.WizardMethod = http.MethodPost }))
}

// second is a user with several second factors, and one with a single one.
var second = b2coretest.Config{RequireCookies: true, Users: []b2coretest.User{
	{Email: "both@example.com", Password: "p", SecondFactors: []string{"google", "sms"}},
	{Email: "one@example.com", Password: "p", SecondFactors: []string{"sms"}},
}}

func TestSecondFactor(t *testing.T) {
	server := newServer(t, second)
	client := newSessionClient(t, server)
	for email, choice := range map[string]string{"both@example.com": "google", "one@example.com": ""} {
		_, err := client.Login(t.Context(), email, "p")
		wantError(t, err, tokenapi.ErrSecondFactorRequired)
		e, ok := errors.AsType[*b2core.SecondFactorError](err)
		if !ok {
			t.Fatalf("Login = %v, want a SecondFactorError", err)
		}
		s := e.SignIn
		if choice != "" {
			for _, err := range []error{s.VerifySecondFactor(t.Context(), b2coretest.SampleCode), s.ChooseSecondFactor(t.Context(), "../ signout")} {
				if e := wantError(t, err, tokenapi.ErrSecondFactorRefused); e.Sent {
					t.Errorf("got %#v, want nothing sent", e)
				}
			}
			wantError(t, s.ChooseSecondFactor(t.Context(), "email"), tokenapi.ErrSecondFactorRefused) // not the user's
			if err := s.ChooseSecondFactor(t.Context(), choice); err != nil {
				t.Fatal(err)
			}
		}
		err = s.VerifySecondFactor(t.Context(), sentCode)
		clienttest.Hides(t, wantError(t, err, tokenapi.ErrSecondFactorRefused), sentCode)
		if _, err := s.Session(); !errors.Is(err, tokenapi.ErrSecondFactorRequired) {
			t.Errorf("Session after a wrong code = %v, want tokenapi.ErrSecondFactorRequired", err)
		}
		if err := s.VerifySecondFactor(t.Context(), b2coretest.SampleCode); err != nil || s.SecondFactor != nil {
			t.Fatalf("%s: got %v and %v, want the code accepted", email, err, s.SecondFactor)
		}
		session, err := s.Session()
		if err != nil || session.Email != email || !bears(t, client, session.Token) {
			t.Errorf("%s: got %v, want an accepted session", email, err)
		}
		wantError(t, s.VerifySecondFactor(t.Context(), b2coretest.SampleCode), tokenapi.ErrSecondFactorRefused)
	}
	if n := server.Count(b2coretest.EndpointSignIn); n != 2 {
		t.Errorf("sent the password %d times, want once for each user", n)
	}
}

// How an answer names the second factors is not documented.
func TestProviders(t *testing.T) {
	for data, want := range map[string][]string{
		`{"tfaProviders":["google"]}`:                                          {"google"},
		`{"tfaProviders":[{"name":"google"},{"type":"sms"}]}`:                  {"google", "sms"},
		`{"tfaProviders":[{"provider":"email","name":"E-mail"}, "..", "a b"]}`: {"email"},
		`{"tfaProviders":[]}`:                                                  {"google"}, `null`: {"google"}, `[]`: {"google"}, // the DefaultProvider
	} {
		client := newSessionClient(t, newServer(t, b2coretest.Config{}), func(c *b2core.SessionConfig) {
			c.DefaultProvider = "google"
			c.HTTP.Transport = earlier{map[string]string{"/wizard": wizardSays, "/signin": `{"code":200,"data":` + data + `}`}, nil}
		})
		s, err := client.SignIn(t.Context(), "user@example.com", "p")
		if err != nil || !slices.Equal(s.SecondFactor.Providers, want) {
			t.Errorf("%s: got %v, want %q", data, err, want)
		}
	}
}

// Paths and bodies that no document shows are fields of the Config.
func TestSessionFields(t *testing.T) {
	server := newServer(t, second)
	client := newSessionClient(t, server, func(c *b2core.SessionConfig) {
		c.CodePaths = map[string]string{"google": "/api/v2/my/2fa/totp"}
		c.ProviderBody = func(provider, uuid string) any { return map[string]string{"chosen": provider, "uuid": uuid} }
		c.RefreshBody = func(token, fingerprint string) any { return map[string]string{"token": token, "print": fingerprint} }
		c.DeviceFingerprint = "mine"
	})
	s, err := client.SignIn(t.Context(), "both@example.com", "p")
	if err != nil {
		t.Fatal(err)
	}
	server.Inject(b2coretest.EndpointChoose, apitest.Fault{Body: []byte("{}")})
	if err := s.ChooseSecondFactor(t.Context(), "google"); err != nil {
		t.Fatal(err)
	}
	_ = s.VerifySecondFactor(t.Context(), "1")
	_, _ = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: "r"})
	for endpoint, want := range map[apitest.Endpoint]string{
		b2coretest.EndpointSignIn: `"device_fingerprint":"mine"`, b2coretest.EndpointChoose: `"chosen":"google"`, b2coretest.EndpointSessionRefresh: `{"print":"mine","token":"r"}`,
	} {
		if got := string(server.Requests(endpoint)[0].Body); !strings.Contains(got, want) {
			t.Errorf("%s: sent %s, want %s", endpoint, got, want)
		}
	}
	if got := server.Requests(b2coretest.EndpointCode)[0].Path; got != "/api/v2/my/2fa/totp" {
		t.Errorf("sent the code to %s, want the path of the Config", got)
	}
}

// A refresh token that works once is replaced; a null one keeps the old one and
// its life.
func TestSessionRefresh(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, b2coretest.Config{KeepSessionRefreshToken: keeps})
			client := newSessionClient(t, server)
			first := login(t, client).Token
			<-time.After(time.Hour)
			next, err := client.Refresh(t.Context(), first)
			if err != nil {
				t.Fatal(err)
			}
			want := 24 * time.Hour
			if keeps {
				want = 23 * time.Hour
			}
			access, refresh := clienttest.Lives(next)
			if (next.RefreshToken == first.RefreshToken) != keeps || refresh != want || access != 10*time.Minute || !bears(t, client, next) {
				t.Errorf("keeps %t: the tokens live %v and %v, want the refresh token for %v", keeps, access, refresh, want)
			}
			if _, err := client.Refresh(t.Context(), first); (err == nil) != keeps {
				t.Errorf("keeps %t: the old refresh token: %v", keeps, err)
			} else if err != nil {
				wantError(t, err, tokenapi.ErrGrantRefused)
			}
		})
	}
	for _, old := range []*oauth2.Token{nil, {}, {RefreshToken: "a\nb"}} {
		_, err := newSessionClient(t, newServer(t, b2coretest.Config{})).Refresh(t.Context(), old)
		if e := wantError(t, err, tokenapi.ErrGrantRefused); e.Sent {
			t.Errorf("got %#v, want nothing sent", e)
		}
	}
}

// A sign-out ends the tokens of its session, and of no other one.
func TestSessionSignOut(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	client := newSessionClient(t, server)
	mine, other := login(t, client), login(t, client)
	if err := client.SignOut(t.Context(), mine.AccessToken); err != nil {
		t.Fatal(err)
	}
	_, err := client.Refresh(t.Context(), mine.Token)
	wantError(t, err, tokenapi.ErrGrantRefused)
	if bears(t, client, mine.Token) || !bears(t, client, other.Token) {
		t.Error("the sign-out ended the wrong session")
	}
	for _, token := range []string{mine.AccessToken, "", "a\nb"} {
		if e := wantError(t, client.SignOut(t.Context(), token), tokenapi.ErrNotSignedIn); e.Sent != (token == mine.AccessToken) {
			t.Errorf("SignOut(%q) = %#v, want only the whole token sent", token, e)
		}
	}
	server.Inject(b2coretest.EndpointSignOut, apitest.Fault{Status: http.StatusBadGateway})
	wantError(t, client.SignOut(t.Context(), other.AccessToken), tokenapi.ErrUnavailable)
}

func TestPlatforms(t *testing.T) {
	one := []b2core.Platform{{ID: "7", Name: "n", Caption: "c", Type: "B2Trader"}}
	for body, want := range map[string][]b2core.Platform{
		`[{"id":7,"name":"n","caption":"c","type":"B2Trader","extra":{}}]`:           one,
		`{"total":1,"data":[{"id":"7","name":"n","caption":"c","type":"B2Trader"}]}`: one,
		`[]`: {}, `[{"id":null}]`: {{}}, `null`: nil, `{}`: nil, `{"data":null}`: nil, `"a"`: nil, ``: nil,
	} {
		server := newServer(t, b2coretest.Config{})
		server.Inject(b2coretest.EndpointPlatforms, apitest.Fault{Body: []byte(body)})
		got, err := newSessionClient(t, server).Platforms(t.Context(), "t")
		if want == nil {
			wantError(t, err, tokenapi.ErrUnusableAnswer)
		} else if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", body, got, err, want)
		}
	}
}

// An account with a second factor cannot sign in without a person, and is not
// tried every few seconds: each try may send its user a message. A blocked one
// is not either.
func TestKeeperPauses(t *testing.T) {
	for email, c := range map[string]struct {
		want  error
		fault apitest.Fault
	}{
		"one@example.com":  {tokenapi.ErrSecondFactorRequired, apitest.Fault{}},
		"both@example.com": {tokenapi.ErrUnavailable, apitest.Fault{Status: http.StatusTooManyRequests}},
	} {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, second)
			server.Inject(b2coretest.EndpointSignIn, c.fault)
			keeper := clienttest.New(t, newSessionClient(t, server).Keeper, tokenapi.Account{Login: email, Password: tokenapi.Fixed("p")})
			for began := time.Now(); time.Since(began) < 5*time.Minute; <-time.After(5 * time.Second) {
				_, err := keeper.Refresh(t.Context(), keeper.FirstToken())
				if !errors.Is(err, c.want) || errors.Is(err, tokenapi.ErrSecondFactorRequired) != errors.Is(err, tokenapi.ErrMisconfigured) {
					t.Fatalf("Refresh = %v, want %v", err, c.want)
				}
			}
			if n := server.Count(b2coretest.EndpointSignIn); n != 1 {
				t.Errorf("%s: got %d sign-ins in five minutes, want 1", email, n)
			}
		})
	}
}

// A Keeper stays below B2Core's limit, beyond which an account is blocked.
func TestKeeperStaysBelowTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, b2coretest.Config{})
		keeper := clienttest.New(t, newSessionClient(t, server).Keeper, tokenapi.Account{Login: b2coretest.SampleEmail, Password: tokenapi.Fixed(b2coretest.SamplePassword)})
		for range 600 {
			_, err := keeper.Refresh(t.Context(), keeper.FirstToken())
			if e, ok := errors.AsType[*tokenapi.Error](err); ok {
				t.Fatalf("Refresh = %v, want at most a pause", e)
			}
			<-time.After(time.Second)
		}
	})
}

// req 17, 123: no exported value shows a secret, however it is printed. The
// table in e2e has Session, whose embedded token others can print.
func TestExportedSessionTypesHideSecrets(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	var seen []tokenapi.Exchange
	client := newSessionClient(t, server, func(c *b2core.SessionConfig) {
		c.HTTP.Observe = func(_ context.Context, x tokenapi.Exchange) { seen = append(seen, x) }
	})
	s, err := client.SignIn(t.Context(), b2coretest.SampleEmail, b2coretest.SamplePassword)
	if err != nil {
		t.Fatal(err)
	}
	session, err := s.Session()
	if err != nil {
		t.Fatal(err)
	}
	cookie := server.Requests(b2coretest.EndpointSignIn)[0].Header.Get("Cookie")
	_, uuid, _ := strings.Cut(cookie, "=")
	for _, v := range []any{client, s, &b2core.SecondFactorError{SignIn: s, Err: errors.New("e")}, seen} {
		clienttest.Hides(t, v, b2coretest.SamplePassword, uuid, session.AccessToken, session.RefreshToken)
	}
}
