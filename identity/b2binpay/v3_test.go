package b2binpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

func newV3Client(t testing.TB, changes ...func(*b2binpay.V3Config)) *b2binpay.V3Client {
	t.Helper()
	config := b2binpay.V3Config{URL: bubbleURL, ClientID: b2binpaytest.SampleClientID, ClientSecret: tokenapi.Fixed(b2binpaytest.SampleClientSecret)}
	return clienttest.New(t, b2binpay.NewV3Client, config, changes...)
}

// at connects a client of version 3 to a server without a socket.
func at(server *b2binpaytest.Server) func(*b2binpay.V3Config) {
	return func(c *b2binpay.V3Config) { c.HTTP.Transport = server.Transport() }
}

// v3Server returns a server of version 3 without a socket, and its client.
func v3Server(t testing.TB, changes ...func(*b2binpay.V3Config)) (*b2binpaytest.Server, *b2binpay.V3Client) {
	t.Helper()
	server := clienttest.New(t, b2binpaytest.New, b2binpaytest.Config{Version: 3})
	return server, newV3Client(t, append([]func(*b2binpay.V3Config){at(server)}, changes...)...)
}

var v3Subject = clienttest.Subject[*b2binpay.V3Client]{
	System: "b2binpay",
	Life:   3599 * time.Second,
	New: func(t testing.TB, http tokenapi.HTTP, url string) *b2binpay.V3Client {
		return newV3Client(t, func(c *b2binpay.V3Config) { c.HTTP, c.URL, c.ClientSecret = http, url, tokenapi.Fixed(sentPassword) })
	},
	Body: subject.Body,
	Operations: []clienttest.Operation[*b2binpay.V3Client]{
		{Name: "sign in", Path: "/token/", Secrets: []string{sentPassword},
			Call: func(ctx context.Context, _ testing.TB, c *b2binpay.V3Client) (*oauth2.Token, error) {
				return c.SignIn(ctx)
			}},
		{Name: "sign in", Path: "/token/", Secrets: []string{sentPassword},
			Call: func(ctx context.Context, _ testing.TB, c *b2binpay.V3Client) (*oauth2.Token, error) {
				return c.Refresh(ctx, nil)
			}},
	},
}

func TestV3Exchanges(t *testing.T) { clienttest.Exchanges(t, v3Subject) }

// The answers of version 2 mean the same, but a meta of another type is never
// read, and a token of another type is refused.
func TestV3Answers(t *testing.T) {
	clienttest.Answers(t, v3Subject, append(v3Answers(),
		clienttest.Answer{Body: `{"data":{"attributes":{"access":"a","token_type":"mac"}}}`, Want: clienttest.All(tokenapi.ErrUnusableAnswer)},
		clienttest.Answer{Body: `{"data":{"attributes":{"access":"a","token_type":"bearer"}}}`, Want: clienttest.All(nil)},
		clienttest.Answer{Body: `{"data":{"attributes":{"access":"a","token_type":7,"expires_in":[]}}}`, Want: clienttest.All(nil)},
	)...)
}

// v3Answers returns the answers of version 2 as a sign-in reads them.
func v3Answers() []clienttest.Answer {
	all := answers()
	for i := range all {
		all[i].Want = all[i].Want[:1]
	}
	return all
}

func FuzzV3Answers(f *testing.F) {
	clienttest.FuzzAnswers(f, v3Subject, append(v3Answers(), clienttest.Answer{
		Body: `{"data":{"type":"auth-token","id":"0","attributes":{"access":"a","expires_in":3599,"token_type":"Bearer"}}}`,
	})...)
}

func TestV3Lifetimes(t *testing.T) {
	var lives []clienttest.Life
	for told, want := range map[string]time.Duration{
		`3599`: 3599 * time.Second, `"60"`: time.Minute, `0`: 0, `"-1"`: 0 /* field 8 */, `null`: v3Subject.Life, `{}`: v3Subject.Life, `1e99`: v3Subject.Life,
	} {
		lives = append(lives, clienttest.Life{Body: `{"data":{"attributes":{"access":"a","expires_in":` + told + `}}}`, Access: want})
	}
	clienttest.Lifetimes(t, v3Subject, lives...)
}

func TestV3Config(t *testing.T) {
	clienttest.Configs(t, clienttest.ConfigSubject[b2binpay.V3Config, *b2binpay.V3Client]{
		System: "b2binpay", Version: "V3", New: b2binpay.NewV3Client,
		Good:   b2binpay.V3Config{ClientID: "id", ClientSecret: tokenapi.Fixed("5ecret")},
		Common: func(c *b2binpay.V3Config) (*string, *tokenapi.HTTP) { return &c.URL, &c.HTTP },
	}, clienttest.Wrong("TokenPath ClientID ClientSecret MaxUses DefaultLifetime", func(c *b2binpay.V3Config) {
		*c = b2binpay.V3Config{TokenPath: "token/", MaxUses: -1, DefaultLifetime: -1}
	}))
	_, err := newV3Client(t).Keeper(tokenapi.Pace{Interval: -1})
	if got := strings.Join(clienttest.WrongFields(err), " "); got != "Pace.Interval" {
		t.Errorf("got %v, want an error about Pace.Interval", err)
	}
}

// The request is docs.b2binpay.com's.
func TestV3Request(t *testing.T) {
	server, client := v3Server(t)
	token, err := client.SignIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if token.RefreshToken != "" || token.TokenType != "Bearer" {
		t.Errorf("got a refresh token or the type %q, want a bearer token alone", token.TokenType)
	}
	want := "POST /token/\nContent-Type: application/vnd.api+json\n\n" +
		`{"data":{"type":"auth-token","attributes":{"client_id":"` + b2binpaytest.SampleClientID + `","client_secret":"` + b2binpaytest.SampleClientSecret + `"}}}`
	if got := server.Requests(b2binpaytest.EndpointToken)[0].Wire("Content-Type", "Authorization", "Cookie"); got != want {
		t.Errorf("sent\n%s\nwant\n%s", got, want)
	}
}

func TestV3Secret(t *testing.T) {
	broken := errors.New("the file is gone")
	for _, secret := range []func(context.Context) (tokenapi.Secret, error){
		tokenapi.Fixed(""), func(context.Context) (tokenapi.Secret, error) { return tokenapi.Secret{}, broken },
	} {
		server, client := v3Server(t, func(c *b2binpay.V3Config) { c.ClientSecret = secret })
		_, err := client.SignIn(t.Context())
		wantError(t, err, tokenapi.ErrMisconfigured)
		if _, failed := secret(t.Context()); failed != nil && !errors.Is(err, failed) {
			t.Errorf("got %v, want %v in it", err, failed)
		}
		if n := server.Count(b2binpaytest.EndpointToken); n != 0 {
			t.Errorf("got %d requests, want none", n)
		}
	}
	_, client := v3Server(t)
	clienttest.Hides(t, client, b2binpaytest.SampleClientSecret)
}

// Each version's client learns from the answer of the other version's server
// that it is the wrong one, and names the other client.
func TestTheOtherVersion(t *testing.T) {
	for name, answer := range map[string]*apitest.Fault{
		"the test server": nil,
		"by field":        {Status: 400, Body: json.RawMessage(`{"login":["required"],"client_id":["required"]}`)},
		"by pointer":      {Status: 422, Body: json.RawMessage(`{"errors":[7,{"source":null},{"source":{"pointer":"/data/attributes/password"}},{"source":{"pointer":"client_secret"}}]}`)},
	} {
		v2 := clienttest.New(t, b2binpaytest.New, b2binpaytest.Config{})
		v3 := clienttest.New(t, b2binpaytest.New, b2binpaytest.Config{Version: 3})
		if answer != nil {
			v2.Inject(b2binpaytest.EndpointToken, *answer)
			v3.Inject(b2binpaytest.EndpointToken, *answer)
		}
		client := newClient(t, bubbleURL, func(c *b2binpay.Config) { c.HTTP.Transport = v3.Transport() })
		_, err := client.SignIn(t.Context(), login, password)
		if e := wantError(t, err, tokenapi.ErrMisconfigured); !strings.Contains(e.Description, "V3Client") {
			t.Errorf("%s: got %v, want the V3Client named", name, err)
		}
		_, err = newV3Client(t, at(v2)).SignIn(t.Context())
		if e := wantError(t, err, tokenapi.ErrMisconfigured); !strings.Contains(e.Description, "version 2") {
			t.Errorf("%s: got %v, want version 2 named", name, err)
		}
	}
}

// A server that accepts both kinds of keys in one form answers in version 3's.
func TestAnswerOfTheOtherVersion(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{})
	server.Inject(b2binpaytest.EndpointToken, answering([]byte(`{"data":{"attributes":{"access":"a","expires_in":3599,"token_type":"Bearer"}}}`)))
	_, err := client.SignIn(t.Context(), login, password)
	wantError(t, err, tokenapi.ErrMisconfigured)
}

// Keys of the other version are refused like any wrong keys. The error says that
// they may be the other version's.
func TestKeysOfTheOtherVersion(t *testing.T) {
	_, v2 := inMemory(t, b2binpaytest.Config{})
	_, err := v2.SignIn(t.Context(), b2binpaytest.SampleClientID, b2binpaytest.SampleClientSecret)
	if e := wantError(t, err, tokenapi.ErrBadCredentials); !strings.Contains(e.Advice, "V3Client") {
		t.Errorf("got the advice %q, want the V3Client named", e.Advice)
	}
	_, v3 := v3Server(t, func(c *b2binpay.V3Config) { c.ClientID, c.ClientSecret = login, tokenapi.Fixed(password) })
	_, err = v3.SignIn(t.Context())
	if e := wantError(t, err, tokenapi.ErrBadCredentials); !strings.Contains(e.Advice, "version 2") {
		t.Errorf("got the advice %q, want version 2 named", e.Advice)
	}
}

// Each renewal is a sign-in, so a vault's entry never ends by itself. field 37
func TestV3ClientIsUnattended(t *testing.T) {
	if _, client := v3Server(t); !client.Unattended() {
		t.Error("Unattended = false, want true")
	}
}

func TestV3Vault(t *testing.T) {
	open := func(t *testing.T) vaulttest.Platform {
		t.Helper()
		server, client := v3Server(t)
		keeper := func(secret string) vault.Refresher {
			keeper, err := newV3Client(t, at(server), func(c *b2binpay.V3Config) { c.ClientSecret = tokenapi.Fixed(secret) }).Keeper(tokenapi.Pace{})
			if err != nil {
				t.Fatal(err)
			}
			return keeper
		}
		return vaulttest.Platform{
			Server: server.Server, SignIn: b2binpaytest.EndpointToken,
			Refreshers: map[string]vault.Refresher{"main": keeper(b2binpaytest.SampleClientSecret), "wrong": keeper("wrong"), "client": client},
		}
	}
	vaulttest.Suite{Open: open, Life: 3599 * time.Second, Renewals: 34, Faults: map[string]vaulttest.Recovery{
		"lost answer": {Fault: apitest.Fault{LoseAnswer: true}, SignIns: 3},
		"503":         {Fault: apitest.Fault{Status: 503}, SignIns: 3},
		"refused":     {Fault: apitest.Fault{Status: 400}, SignIns: 3},
	}}.Run(t)
}
