package b2coretest_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/tokenapi"
)

// broker is the server's URL where there is no socket, and platforms where its platforms are.
const (
	broker    = "https://my.broker.example"
	platforms = broker + "/api/v2/my/platforms/"
	account   = broker + "/frontoffice/api/v3/account"
)

func newServer(t *testing.T, config b2coretest.Config) *b2coretest.Server {
	t.Helper()
	server, err := b2coretest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// bearer is the session's.
func bearer(t *testing.T, server *b2coretest.Server, refused *oauth2.Token) *oauth2.Token {
	t.Helper()
	token, err := server.Bearer(t.Context(), refused)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// send sends a request with a bearer and returns status, header and body of the answer.
func send(t *testing.T, server *b2coretest.Server, method, url, bearer, body string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := server.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(raw)
}

// pair is a pair of tokens.
type pair struct{ Token, RefreshToken string }

// tokens asks an endpoint for a pair, and fails the test if there is none.
func tokens(t *testing.T, server *b2coretest.Server, url, body string) pair {
	t.Helper()
	status, _, answer := send(t, server, http.MethodPost, url, bearer(t, server, nil).AccessToken, body)
	var p pair
	if status != http.StatusOK || json.Unmarshal([]byte(answer), &p) != nil || p.Token == "" || p.RefreshToken == "" {
		t.Fatalf("answered %d %s", status, answer)
	}
	return p
}

// refused checks that an endpoint says no, in B2Core's shape.
func refused(t *testing.T, server *b2coretest.Server, url, bearer, body string, want int) {
	t.Helper()
	status, header, answer := send(t, server, http.MethodPost, url, bearer, body)
	if status != want || header.Get("Content-Type") != "application/json" || !regexp.MustCompile(`^\{"error":\{"message":"[^"]+"\}\}$`).MatchString(answer) {
		t.Errorf("%s: answered %d %s, want %d", url, status, answer, want)
	}
}

// accepted reports whether the API takes a token.
func accepted(t *testing.T, server *b2coretest.Server, token string) bool {
	t.Helper()
	status, header, answer := send(t, server, http.MethodGet, account, token, "")
	if status != http.StatusOK && (status != http.StatusUnauthorized || header.Get("WWW-Authenticate") == "") {
		t.Errorf("the API answers %d %s", status, answer)
	}
	return status == http.StatusOK
}

func again(p pair) string { return `{"refreshToken":"` + p.RefreshToken + `"}` }

// member is the name of a JSON object's member, and a quotation mark if its value is a string.
var member = regexp.MustCompile(`"(\w+)": ?("?)`)

// The answers have the members of the page's samples, in their order and of their types, and tokens with the same claims.
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
		status, header, answer := send(t, server, http.MethodPost, c.url, bearer(t, server, nil).AccessToken, c.body)
		if status != http.StatusOK || header.Get("Content-Type") != "application/json" {
			t.Errorf("answered %d %s", status, header.Get("Content-Type"))
		}
		got, want := members(answer), members(string(sample))
		if !slices.Equal(got, want) || len(want) != 5 {
			t.Errorf("%s: got the members %q, want %q", file, got, want)
		}
		var ours, theirs pair
		if json.Unmarshal([]byte(answer), &ours) != nil || json.Unmarshal(sample, &theirs) != nil {
			t.Fatal("not JSON")
		}
		for i, same := range []string{`{"typ":"JWT","alg":"RS256"}`, `"iss":"https://ap.vendor.com"`} {
			if !strings.Contains(part(t, ours.Token, i), same) || !strings.Contains(part(t, theirs.Token, i), same) {
				t.Errorf("%s: %s and %s, want %s in both", file, part(t, ours.Token, i), part(t, theirs.Token, i), same)
			}
		}
		if got, want := members(claims(t, ours.Token)), members(claims(t, theirs.Token)); !slices.Equal(got, want) || len(want) != 4 {
			t.Errorf("%s: got the claims %q, want %q", file, got, want)
		}
	}
}

// members returns the names of a JSON object's members, in order, with the sort of their values.
func members(text string) []string {
	var found []string
	for _, m := range member.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1]+m[2])
	}
	return found
}

// claims returns the payload of a token.
func claims(t *testing.T, token string) string {
	t.Helper()
	return part(t, token, 1)
}

// part returns a part of a token: 0 is its header. A slash is not escaped.
func part(t *testing.T, token string, i int) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(raw), `\/`, "/")
}

// What Config changes of the answers.
func TestConfig(t *testing.T) {
	server := newServer(t, b2coretest.Config{NumericTTL: true, AccessTokenLifetime: 90 * time.Second, Host: "http://elsewhere.example"})
	_, _, answer := send(t, server, http.MethodPost, platforms+"1/auth", bearer(t, server, nil).AccessToken, "")
	if !strings.Contains(answer, `"ttl":90,"host":"http://elsewhere.example"`) {
		t.Errorf("got %s", answer)
	}
	server = b2coretest.Start(t, b2coretest.Config{})
	_, _, answer = send(t, server, http.MethodPost, server.URL()+"/api/v2/my/platforms/1/auth", bearer(t, server, nil).AccessToken, "")
	if !strings.Contains(answer, `"ttl":"60","host":"`+server.URL()+`"`) {
		t.Errorf("got %s", answer)
	}
}

func TestNewReportsEveryProblem(t *testing.T) {
	_, err := b2coretest.New(b2coretest.Config{
		AccessTokenLifetime: -1, RefreshTokenLifetime: -time.Second, BearerLifetime: time.Millisecond,
		Platforms: []string{"", "a", "a"}, RefreshFailureStatus: 200,
	})
	const want = `b2coretest: Config.AccessTokenLifetime is negative
b2coretest: Config.AccessTokenLifetime is not in whole seconds
b2coretest: Config.RefreshTokenLifetime is negative
b2coretest: Config.BearerLifetime is not in whole seconds
b2coretest: Config.Platforms has "", which is empty or there twice
b2coretest: Config.Platforms has "a", which is empty or there twice
b2coretest: Config.RefreshFailureStatus is 200, which is no failure`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// However it is printed, a server shows its name and no token.
func TestFormat(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	if got := fmt.Sprintf("%v %+v %#v", server, server, server); got != "b2coretest.Server b2coretest.Server b2coretest.Server" {
		t.Errorf("printed %s", got)
	}
}

// Each kind of token lives as long as Config says, by the server's clock.
func TestLifetimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, b2coretest.Config{})
		shown := bearer(t, server, nil)
		if want := time.Now().Add(10 * time.Minute); !shown.Expiry.Equal(want) || shown.Type() != "Bearer" {
			t.Errorf("the bearer is %+v", shown)
		}
		p := tokens(t, server, platforms+"1/auth", "")
		var c struct{ Iat, Exp int64 }
		if json.Unmarshal([]byte(claims(t, p.Token)), &c) != nil || c.Exp-c.Iat != 36000 || c.Iat != time.Now().Unix() {
			t.Errorf("the claims are %+v, want those of the sample: ten hours", c)
		}
		<-time.After(time.Minute - 1)
		if !accepted(t, server, p.Token) {
			t.Error("the access token died early")
		}
		<-time.After(1)
		if accepted(t, server, p.Token) {
			t.Error("the access token lives too long")
		}
		<-time.After(9*time.Minute - 1)
		if bearer(t, server, nil).AccessToken != shown.AccessToken {
			t.Error("another bearer while the old one lives")
		}
		<-time.After(1)
		if bearer(t, server, nil).AccessToken == shown.AccessToken {
			t.Error("the same bearer though it has expired")
		}
		refused(t, server, platforms+"1/auth", shown.AccessToken, "", http.StatusUnauthorized)
		<-time.After(10*time.Hour - 10*time.Minute)
		refused(t, server, platforms+"1/refresh", bearer(t, server, nil).AccessToken, again(p), http.StatusUnauthorized)
	})
}

// A refresh token works once, on its platform; or more often, if Config says so.
func TestRefreshTokens(t *testing.T) {
	server := newServer(t, b2coretest.Config{Platforms: []string{"1", "2"}, RefreshFailureStatus: http.StatusUnprocessableEntity})
	first := tokens(t, server, platforms+"1/auth", "")
	shown := bearer(t, server, nil).AccessToken
	refused(t, server, platforms+"2/refresh", shown, again(first), http.StatusUnprocessableEntity)
	second := tokens(t, server, platforms+"1/refresh", again(first))
	if second == first || !accepted(t, server, first.Token) || !accepted(t, server, second.Token) {
		t.Error("the second pair is the first, or ended it")
	}
	refused(t, server, platforms+"1/refresh", shown, again(first), http.StatusUnprocessableEntity)
	refused(t, server, platforms+"1/refresh", shown, "", http.StatusBadRequest)
	refused(t, server, platforms+"1/refresh", shown, `{"refreshToken":""}`, http.StatusBadRequest)
	if r := server.Requests(b2coretest.EndpointRefresh); len(r) != 5 || r[2].Problem == "" || r[1].Problem != "" {
		t.Errorf("recorded %d requests", len(r))
	}

	tokens(t, server, platforms+"2/refresh", again(tokens(t, server, platforms+"2/auth", "")))

	server = newServer(t, b2coretest.Config{ReuseRefreshTokens: true})
	first = tokens(t, server, platforms+"1/auth", "")
	for range 3 {
		tokens(t, server, platforms+"1/refresh", again(first))
	}
}

// Who may ask what.
func TestGuards(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	shown := bearer(t, server, nil).AccessToken
	p := tokens(t, server, platforms+"1/auth", "")
	for _, b := range []string{"", "of-nobody", p.Token, p.RefreshToken} {
		refused(t, server, platforms+"1/auth", b, "", http.StatusUnauthorized)
		refused(t, server, platforms+"1/refresh", b, again(p), http.StatusUnauthorized)
		refused(t, server, platforms+"9/auth", b, "", http.StatusUnauthorized)
	}
	for _, b := range []string{"", "of-nobody", shown, p.RefreshToken} {
		if accepted(t, server, b) {
			t.Errorf("the API accepts %q", b)
		}
	}
	refused(t, server, platforms+"9/auth", shown, "", http.StatusNotFound)
	refused(t, server, platforms+"9/refresh", shown, again(p), http.StatusNotFound)
	refused(t, server, platforms+"1/other", shown, "", http.StatusNotFound)
	if n := server.Count(b2coretest.EndpointUnknown); n != 7 {
		t.Errorf("%d requests to unknown platforms", n)
	}
	for url, method := range map[string]string{platforms + "1/auth": http.MethodGet, platforms + "1/refresh": http.MethodPut, account: http.MethodPost} {
		if status, _, _ := send(t, server, method, url, shown, ""); status != http.StatusMethodNotAllowed {
			t.Errorf("%s %s: answered %d", method, url, status)
		}
	}
	tokens(t, server, platforms+"1/refresh", again(p)) // none of it has spent the refresh token
}

// The commands end what they say, and nothing else.
func TestCommands(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	p := tokens(t, server, platforms+"1/auth", "")
	server.ExpireTokens()
	if accepted(t, server, p.Token) {
		t.Error("ExpireTokens: the token lives")
	}
	p = tokens(t, server, platforms+"1/refresh", again(p))
	server.RevokeRefreshTokens()
	shown := bearer(t, server, nil)
	refused(t, server, platforms+"1/refresh", shown.AccessToken, again(p), http.StatusUnauthorized)
	if !accepted(t, server, p.Token) {
		t.Error("RevokeRefreshTokens: the access token died too")
	}

	server.ExpireBearers()
	refused(t, server, platforms+"1/auth", shown.AccessToken, "", http.StatusUnauthorized)
	if bearer(t, server, nil).AccessToken != shown.AccessToken {
		t.Error("ExpireBearers: the holder was told")
	}
	next := bearer(t, server, shown)
	if next.AccessToken == shown.AccessToken || bearer(t, server, shown).AccessToken != next.AccessToken {
		t.Error("a refused bearer is replaced once")
	}
	p = tokens(t, server, platforms+"1/auth", "")

	server.EndSession()
	refused(t, server, platforms+"1/refresh", next.AccessToken, again(p), http.StatusUnauthorized)
	for _, old := range []*oauth2.Token{nil, next} {
		token, err := server.Bearer(t.Context(), old)
		if token != nil || !errors.Is(err, b2coretest.ErrSessionEnded) || tokenapi.OutcomeOf(err).Kind != tokenapi.Refused {
			t.Errorf("EndSession: got %+v, %v", token, err)
		}
	}
	if !accepted(t, server, p.Token) {
		t.Error("EndSession: the access token died too")
	}
}

// A caller who has gone gets no bearer.
func TestBearerKeepsToTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if token, err := newServer(t, b2coretest.Config{}).Bearer(ctx, nil); token != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %+v, %v", token, err)
	}
}

// The server can be made to fail, as every test server here.
func TestFaults(t *testing.T) {
	server := newServer(t, b2coretest.Config{})
	server.Inject(b2coretest.EndpointAuth, apitest.Fault{Status: http.StatusServiceUnavailable})
	shown := bearer(t, server, nil).AccessToken
	if status, _, _ := send(t, server, http.MethodPost, platforms+"1/auth", shown, ""); status != http.StatusServiceUnavailable {
		t.Errorf("answered %d", status)
	}
	tokens(t, server, platforms+"1/auth", "")
}
