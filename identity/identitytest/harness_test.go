package identitytest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

// The verifier of every sign-in in these tests, and its challenge.
var (
	verifier  = strings.Repeat("abcdefghij", 6)
	challenge = s256(verifier)
)

func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// browser is a user agent with a cookie jar that shows redirects instead of
// following them.
type browser struct {
	t      *testing.T
	server *identitytest.Server
	base   string
	http   *http.Client
}

// response is an answer, read to its end.
type response struct {
	status int
	header http.Header
	body   string
}

// start runs a server on a socket and returns a browser for it.
func start(t *testing.T, cfg identitytest.Config) *browser {
	t.Helper()
	server := identitytest.Start(t, cfg)
	return newBrowser(t, server, server.URL(), &http.Transport{DisableKeepAlives: true})
}

// inMemory returns a browser for a server without sockets, for synctest
// bubbles.
func inMemory(t *testing.T, cfg identitytest.Config) *browser {
	t.Helper()
	server, err := identitytest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return newBrowser(t, server, "http://identity.example", server.Transport())
}

func newBrowser(t *testing.T, server *identitytest.Server, base string, transport http.RoundTripper) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, server: server, base: base, http: &http.Client{
		Transport:     transport,
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// another returns a browser for the same server with no cookies.
func (b *browser) another() *browser {
	return newBrowser(b.t, b.server, b.base, b.http.Transport)
}

// send makes a request; headers are name, value pairs.
func (b *browser) send(method, path, body string, headers ...string) response {
	b.t.Helper()
	got, err := b.try(method, path, body, headers...)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func (b *browser) try(method, path, body string, headers ...string) (response, error) {
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(body))
	if err != nil {
		return response{}, err
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := b.http.Do(r)
	if err != nil {
		return response{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	read, err := io.ReadAll(answer.Body)
	return response{answer.StatusCode, answer.Header, string(read)}, err
}

func (b *browser) get(path string, headers ...string) response {
	b.t.Helper()
	return b.send(http.MethodGet, path, "", headers...)
}

func (b *browser) postJSON(path, body string, headers ...string) response {
	b.t.Helper()
	return b.send(http.MethodPost, path, body, append([]string{"Content-Type", "application/json"}, headers...)...)
}

func (b *browser) postForm(path string, form url.Values, headers ...string) response {
	b.t.Helper()
	return b.send(http.MethodPost, path, form.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, headers...)...)
}

// signIn enters the address and the sample password.
func (b *browser) signIn(email string) {
	b.t.Helper()
	name, _, _ := strings.Cut(email, "@")
	got := b.postJSON("/identity/sign-in", `{"email":"`+email+`","password":"`+name+`-password"}`)
	if got.status != http.StatusOK {
		b.t.Fatalf("sign-in of %s: %d %s", email, got.status, got.body)
	}
}

// npmScope returns the scopes that the npm package requests.
func npmScope(client string) string {
	switch client {
	case "spa_admin":
		return "openid offline_access FrontOffice BackOffice"
	case "core_ib":
		return "openid offline_access BackOffice"
	}
	return "openid offline_access FrontOffice"
}

// authorizeParams are those of the npm package.
func (b *browser) authorizeParams(client string) url.Values {
	return url.Values{
		"client_id": {client}, "response_type": {"code"},
		"redirect_uri":   {b.base + "/identity/sign-in-done"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
		"scope": {npmScope(client)}, "state": {"state12345"}, "nonce": {"nonce12345"},
	}
}

// authorize returns the target of the redirect.
func (b *browser) authorize(params url.Values) *url.URL {
	b.t.Helper()
	got := b.get("/identity/connect/authorize?" + params.Encode())
	if got.status != http.StatusFound {
		b.t.Fatalf("authorize: %d %s", got.status, got.body)
	}
	location, err := url.Parse(got.header.Get("Location"))
	if err != nil {
		b.t.Fatal(err)
	}
	return location
}

// code returns a code for the signed-in user.
func (b *browser) code(client string) string {
	b.t.Helper()
	location := b.authorize(b.authorizeParams(client))
	code := location.Query().Get("code")
	if code == "" {
		b.t.Fatalf("no code in %s", location.Path)
	}
	return code
}

// basic is the Authorization header of a client with its sample secret.
func basic(client string) []string {
	secret := client + "-secret"
	if client == "spa" {
		secret = ""
	}
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(client+":"+secret))}
}

func (b *browser) codeForm(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier},
		"redirect_uri": {b.base + "/identity/sign-in-done"},
	}
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

// tokens is a token answer.
type tokens struct {
	IDToken      string `json:"id_token"`
	AccessToken  string `json:"access_token"`
	ExpiresIn    int    `json:"expires_in"`
	TokenType    string `json:"token_type"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
}

// token makes a token request that must succeed.
func (b *browser) token(form url.Values, headers ...string) tokens {
	b.t.Helper()
	got := b.postForm("/identity/connect/token", form, headers...)
	if got.status != http.StatusOK {
		b.t.Fatalf("token request: %d %s", got.status, got.body)
	}
	return decode[tokens](b.t, got.body)
}

// login runs the whole flow.
func (b *browser) login(email, client string) tokens {
	b.t.Helper()
	b.signIn(email)
	return b.token(b.codeForm(b.code(client)), basic(client)...)
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

// jwtPart returns the decoded header (0) or payload (1) of a token.
func jwtPart(t *testing.T, token string, part int) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a token of %d parts", len(parts))
	}
	decoded, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err != nil {
		t.Fatal(err)
	}
	return string(decoded)
}

func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	return decode[map[string]any](t, jwtPart(t, token, 1))
}

// names returns the member names of a JSON object, in order.
func names(t *testing.T, text string) []string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	if _, err := decoder.Token(); err != nil {
		t.Fatal(err)
	}
	var found []string
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, name.(string))
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

func wantNames(t *testing.T, text string, want ...string) {
	t.Helper()
	if got := names(t, text); !slices.Equal(got, want) {
		t.Errorf("members are %q, want %q", got, want)
	}
}

// with returns a copy of v with the pairs set; an empty value deletes.
func with(v url.Values, pairs ...string) url.Values {
	changed := maps.Clone(v)
	for i := 0; i < len(pairs); i += 2 {
		changed.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			changed.Del(pairs[i])
		}
	}
	return changed
}

func wantEqual[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// authorizeProblem returns the Problem of the last authorize request.
func (b *browser) authorizeProblem() string {
	b.t.Helper()
	requests := b.server.Requests(identitytest.EndpointAuthorize)
	if len(requests) == 0 {
		b.t.Fatal("no authorize request")
	}
	return requests[len(requests)-1].Problem
}
