package b2coretest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/clienttest"
)

const (
	broker    = "https://my.broker.example"
	platforms = broker + "/api/v2/my/platforms/"
	account   = broker + "/frontoffice/api/v3/account"
)

func newServer(t *testing.T, config b2coretest.Config) *b2coretest.Server {
	t.Helper()
	return clienttest.New(t, b2coretest.New, config)
}

// bearer returns the session's bearer.
func bearer(t *testing.T, server *b2coretest.Server) string {
	t.Helper()
	token, err := server.Bearer(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}

// send sends a request with a bearer.
func send(t *testing.T, server *b2coretest.Server, method, url, bearer, body string) clienttest.Reply {
	t.Helper()
	return clienttest.Send(t, server.Server, method, url, body, "Authorization", "Bearer "+bearer)
}

// A pair is an access token and a refresh token.
type pair struct{ Token, RefreshToken string }

// tokens returns the tokens of an endpoint's answer.
func tokens(t *testing.T, server *b2coretest.Server, url, body string) pair {
	t.Helper()
	r := send(t, server, http.MethodPost, url, bearer(t, server), body)
	var p pair
	if r.Status != http.StatusOK || json.Unmarshal([]byte(r.Body), &p) != nil || p.Token == "" || p.RefreshToken == "" {
		t.Fatalf("got %d %s, want two tokens", r.Status, r.Body)
	}
	return p
}

// refused checks that an endpoint refuses a request, in B2Core's shape.
func refused(t *testing.T, server *b2coretest.Server, url, bearer, body string, want int) {
	t.Helper()
	r := send(t, server, http.MethodPost, url, bearer, body)
	if r.Status != want || r.Header.Get("Content-Type") != "application/json" || !regexp.MustCompile(`^\{"error":\{"message":"[^"]+"\}\}$`).MatchString(r.Body) {
		t.Errorf("%s: got %d %s, want %d with a message", url, r.Status, r.Body, want)
	}
}

// accepted reports whether the API accepts a token.
func accepted(t *testing.T, server *b2coretest.Server, token string) bool {
	t.Helper()
	r := send(t, server, http.MethodGet, account, token, "")
	if r.Status != http.StatusOK && (r.Status != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") == "") {
		t.Errorf("the API answers %d %s, want 200, or 401 with a challenge", r.Status, r.Body)
	}
	return r.Status == http.StatusOK
}

func again(p pair) string { return `{"refreshToken":"` + p.RefreshToken + `"}` }

// member matches a member's name, and a quotation mark if its value is a string.
var member = regexp.MustCompile(`"(\w+)": ?("?)`)

// Answers have the members of the page's samples, in their order and of their
// types, and tokens their claims.
func TestAnswersAreThePages(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	first := tokens(t, server, platforms+"1/auth", "")
	for file, c := range map[string]struct{ url, body string }{
		"auth.response.json":    {platforms + "1/auth", ""},
		"refresh.response.json": {platforms + "1/refresh", again(first)},
	} {
		sample, err := os.ReadFile("../testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		r := send(t, server, http.MethodPost, c.url, bearer(t, server), c.body)
		if r.Status != http.StatusOK || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %d %s, want 200 and JSON", r.Status, r.Header.Get("Content-Type"))
		}
		got, want := members(r.Body), members(string(sample))
		if !slices.Equal(got, want) || len(want) != 5 {
			t.Errorf("%s: got the members %q, want %q", file, got, want)
		}
		var ours, theirs pair
		if json.Unmarshal([]byte(r.Body), &ours) != nil || json.Unmarshal(sample, &theirs) != nil {
			t.Fatal("not JSON")
		}
		for i, same := range []string{`{"typ":"JWT","alg":"RS256"}`, `"iss":"https://ap.vendor.com"`} {
			if !strings.Contains(part(t, ours.Token, i), same) || !strings.Contains(part(t, theirs.Token, i), same) {
				t.Errorf("%s: %s and %s, want %s in both", file, part(t, ours.Token, i), part(t, theirs.Token, i), same)
			}
		}
		payload := part(t, ours.Token, 1)
		if got, want := members(payload), members(part(t, theirs.Token, 1)); !slices.Equal(got, want) || len(want) != 4 {
			t.Errorf("%s: got the claims %q, want %q", file, got, want)
		}
		var c struct{ Iat, Exp int64 }
		if json.Unmarshal([]byte(payload), &c) != nil || c.Exp-c.Iat != 36000 {
			t.Errorf("%s: got the claims %s, want ten hours", file, payload)
		}
	}
}

// members returns the names of a JSON object's members in order, each with a
// quotation mark if its value is a string.
func members(text string) []string {
	var found []string
	for _, m := range member.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1]+m[2])
	}
	return found
}

// part returns a decoded part of a token, 0 for its header, without escaped slashes.
func part(t *testing.T, token string, i int) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(raw), `\/`, "/")
}

func TestConfig(t *testing.T) {
	server := newServer(t, b2coretest.Config{NumericTTL: true, AccessTokenLifetime: 90 * time.Second, Host: "http://elsewhere.example"})
	if r := send(t, server, http.MethodPost, platforms+"1/auth", bearer(t, server), ""); !strings.Contains(r.Body, `"ttl":90,"host":"http://elsewhere.example"`) {
		t.Errorf("got %s, want the Config's ttl and host", r.Body)
	}
	for _, origin := range []string{"http://127.0.0.1:8080", "https://h"} {
		server = newServer(t, b2coretest.Config{})
		if r := send(t, server, http.MethodPost, origin+"/api/v2/my/platforms/1/auth", bearer(t, server), ""); !strings.Contains(r.Body, `"ttl":"60","host":"`+origin+`"`) {
			t.Errorf("got %s, want a ttl of 60 and the host %s", r.Body, origin)
		}
	}
	_, err := b2coretest.New(b2coretest.Config{
		AccessTokenLifetime: -1, RefreshTokenLifetime: -time.Second, BearerLifetime: time.Millisecond,
		Platforms: []string{"", "a", "a"}, RefreshFailureStatus: 200, SessionRefreshTokenLifetime: -time.Second, WizardMethod: "PUT",
		Users: []b2coretest.User{{Email: "a"}, {Email: "b", Password: "p"}, {Email: "b", Password: "p"}}, SignInFailureStatus: 200, SignInsPerMinute: -1,
	})
	if got, want := strings.Join(clienttest.WrongFields(err), " "), "AccessTokenLifetime AccessTokenLifetime RefreshTokenLifetime BearerLifetime SessionRefreshTokenLifetime Users Users "+
		"Platforms Platforms WizardMethod RefreshFailureStatus SignInFailureStatus SignInsPerMinute"; got != want {
		t.Errorf("New = %v, want an error about %s", err, want)
	}
}

func TestServer(t *testing.T) {
	clienttest.Servers(t, "b2coretest", b2coretest.Start(t, b2coretest.Config{}), map[apitest.Endpoint]string{
		b2coretest.EndpointAuth: "/api/v2/my/platforms/1/auth", b2coretest.EndpointRefresh: "/api/v2/my/platforms/1/refresh",
		b2coretest.EndpointWizard: "/api/v2/my/signin/wizard", b2coretest.EndpointSignIn: "/api/v2/my/signin", b2coretest.EndpointChoose: "/api/v2/my/signin/2fa",
		b2coretest.EndpointCode: "/api/v2/my/2fa/google", b2coretest.EndpointSessionRefresh: "/api/v2/my/refresh", b2coretest.EndpointSignOut: "/api/v2/my/signout",
		b2coretest.EndpointPlatforms: "/api/v2/my/platforms",
		b2coretest.EndpointUnknown:   "/api/v2/my/platforms/9/auth", b2coretest.EndpointAPI: b2coretest.APIPath,
	})
}

// Only the right kind of token is accepted.
func TestGuards(t *testing.T) {
	server := newServer(t, b2coretest.Config{Platforms: []string{"1", "2"}})
	shown := bearer(t, server)
	p := tokens(t, server, platforms+"1/auth", "")
	refused(t, server, platforms+"2/refresh", shown, again(p), http.StatusUnauthorized) // another platform's
	refused(t, server, platforms+"1/refresh", shown, "", http.StatusBadRequest)
	for _, b := range []string{"", "unknown", p.Token, p.RefreshToken} {
		refused(t, server, platforms+"1/auth", b, "", http.StatusUnauthorized)
		refused(t, server, platforms+"1/refresh", b, again(p), http.StatusUnauthorized)
		refused(t, server, platforms+"9/auth", b, "", http.StatusUnauthorized)
	}
	for _, b := range []string{"", "unknown", shown, p.RefreshToken} {
		if accepted(t, server, b) {
			t.Errorf("the API accepts %q, want 401", b)
		}
	}
	refused(t, server, platforms+"9/auth", shown, "", http.StatusNotFound)
	refused(t, server, platforms+"9/refresh", shown, again(p), http.StatusNotFound)
	refused(t, server, platforms+"1/other", shown, "", http.StatusNotFound)
	if n := server.Count(b2coretest.EndpointUnknown); n != 7 {
		t.Errorf("got %d requests for unknown platforms, want 7", n)
	}
	for url, method := range map[string]string{platforms + "1/auth": http.MethodGet, platforms + "1/refresh": http.MethodPut, account: http.MethodPost} {
		if r := send(t, server, method, url, shown, ""); r.Status != http.StatusMethodNotAllowed {
			t.Errorf("%s %s: got %d, want 405", method, url, r.Status)
		}
	}
	tokens(t, server, platforms+"1/refresh", again(p)) // no refusal spent the refresh token
}

// Bearer returns the error of a canceled context.
func TestBearerKeepsToTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if token, err := newServer(t, b2coretest.Config{}).Bearer(ctx, nil); token != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("Bearer = %+v, %v, want context.Canceled", token, err)
	}
}

// Sign-ins are refused without the wizard's uuid or its cookie, with a uuid that
// was used, and for ten minutes after too many.
func TestSignInsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, b2coretest.Config{RequireCookies: true, SignInFailureStatus: http.StatusForbidden})
		const my = broker + "/api/v2/my/"
		signIn := func(uuid, cookie string, want int) {
			t.Helper()
			body := `{"uuid":"` + uuid + `","email":"` + b2coretest.SampleEmail + `","password":"` + b2coretest.SamplePassword + `"}`
			if r := clienttest.Send(t, server.Server, http.MethodPost, my+"signin", body, "Cookie", cookie); r.Status != want {
				t.Errorf("after %d sign-ins: got %d %s, want %d", server.Count(b2coretest.EndpointSignIn), r.Status, r.Body, want)
			}
		}
		start := func() (uuid, cookie string) {
			t.Helper()
			r := clienttest.Send(t, server.Server, http.MethodGet, my+"signin/wizard", "")
			cookie, _, _ = strings.Cut(r.Header.Get("Set-Cookie"), ";")
			return r.Fields()["uuid"].(string), cookie
		}
		uuid, cookie := start()
		signIn("unknown", cookie, http.StatusForbidden)
		signIn(uuid, "", http.StatusForbidden)
		signIn(uuid, cookie, http.StatusOK)
		signIn(uuid, cookie, http.StatusForbidden) // the attempt is over
		signIn("", "", http.StatusForbidden)
		uuid, cookie = start()
		signIn(uuid, cookie, http.StatusTooManyRequests) // the sixth
		<-time.After(10*time.Minute - 1)
		signIn(uuid, cookie, http.StatusTooManyRequests)
		<-time.After(1)
		signIn(uuid, cookie, http.StatusOK)
	})
}
