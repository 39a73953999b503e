package b2binpay_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// req 16, 19, 54: every request is sent once, whatever becomes of it, and the error says whether it may have been carried out.
func TestLost(t *testing.T) {
	for name, fault := range map[string]apitest.Fault{"request": {LoseRequest: true}, "answer": {LoseAnswer: true}} {
		for _, op := range operations {
			inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
				server.Inject(op.endpoint, fault)
				e := wantError(t, op.call(t, client), tokenapi.ErrUnavailable)
				if !e.Unanswered() || e.NotSent() || e.StatusCode != 0 || server.Count(op.endpoint) != 1 {
					t.Errorf("%s, lost %s: got %#v after %d requests", op.name, name, e, server.Count(op.endpoint))
				}
			})
		}
	}
}

func TestNobodyListens(t *testing.T) {
	client := newClient(t, "http://127.0.0.1:1")
	for _, op := range operations {
		if e := wantError(t, op.call(t, client), tokenapi.ErrUnavailable); !e.NotSent() {
			t.Errorf("%s: got %#v", op.name, e)
		}
	}
}

func TestTimeout(t *testing.T) {
	short := func(c *b2binpay.Config) { c.HTTP.Timeout = 7 * time.Second }
	for _, op := range operations {
		inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
			server.Inject(op.endpoint, apitest.Fault{DelayAfter: time.Hour})
			began := time.Now()
			e := wantError(t, op.call(t, client), tokenapi.ErrUnavailable)
			if !e.Unanswered() || !errors.Is(e, context.DeadlineExceeded) || time.Since(began) != 7*time.Second {
				t.Errorf("%s: got %#v after %v", op.name, e, time.Since(began))
			}
		}, short)
	}
}

func TestContextEnds(t *testing.T) {
	inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
		server.Inject(b2binpaytest.EndpointRefresh, apitest.Fault{DelayBefore: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := client.Refresh(ctx, &oauth2.Token{RefreshToken: sentRefresh})
		if e := wantError(t, err, tokenapi.ErrUnavailable); !errors.Is(e, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

// req 20. Unsigned answers are allowed here, so that it is not the signature that is missed.
func TestUnusableAnswers(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{}, func(c *b2binpay.Config) { c.AllowUnsigned = true })
	document := func(attributes string) apitest.Fault {
		return answering([]byte(`{"data":{"type":"auth-token","id":null,"attributes":` + attributes + `}}`))
	}
	for name, fault := range map[string]apitest.Fault{
		"empty":                        answering(nil),
		"not JSON":                     answering([]byte(`access`)),
		"cut short":                    answering([]byte(`{"data":{"attributes":{"access":"a"`)),
		"a list":                       answering([]byte(`[]`)),
		"null":                         answering([]byte(`null`)),
		"JSON of another media type":   {Status: 200, ContentType: "text/html", Body: []byte(`{"data":{"attributes":{"access":"a"}}}`)},
		"too large":                    {Status: 200, Oversized: true, Body: []byte(`{"data":{"attributes":{"access":"a"}}}`)},
		"nothing":                      {Status: 204},
		"errors with a 200":            answering([]byte(`{"errors":[{"code":"2006"}]}`)),
		"no data":                      answering([]byte(`{}`)),
		"no attributes":                answering([]byte(`{"data":{"type":"auth-token"}}`)),
		"no access token":              document(`{"refresh":"r"}`),
		"an empty access token":        document(`{"access":"","refresh":"r"}`),
		"an access token of null":      document(`{"access":null,"refresh":"r"}`),
		"a number for a token":         document(`{"access":1,"refresh":"r"}`),
		"an access token of lines":     document(`{"access":"a\r\nX: y","refresh":"r"}`),
		"an access token of words":     document(`{"access":"a b","refresh":"r"}`),
		"a refresh token of lines":     document(`{"access":"a","refresh":"r\n"}`),
		"a token beyond ASCII":         document(`{"access":"ä","refresh":"r"}`),
		"data that is not an object":   answering([]byte(`{"data":[]}`)),
		"a meta that is not an object": answering([]byte(`{"data":{"attributes":{"access":"a"}},"meta":7}`)),
	} {
		for _, op := range operations {
			server.Inject(op.endpoint, fault)
			e := wantError(t, op.call(t, client), tokenapi.ErrUnusableAnswer)
			if !e.Sent || e.Description == "" {
				t.Errorf("%s, %s: got %#v", op.name, name, e)
			}
		}
	}
}

// Unknown members, and known ones of an unexpected type, cost no token.
func TestToleratedAnswers(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{}, func(c *b2binpay.Config) { c.AllowUnsigned = true })
	for name, body := range map[string]string{
		"the least":       `{"data":{"attributes":{"access":"a"}}}`,
		"unknown members": `{"data":{"attributes":{"access":"a","type_2fa":null},"links":{}},"jsonapi":{"version":"1.0"}}`,
		"odd types":       `{"data":{"type":7,"id":[],"attributes":{"access":"a","access_expired_at":7,"refresh_expired_at":{},"is_2fa_confirmed":"no"}},"meta":{"time":[]}}`,
		"meta of null":    `{"data":{"attributes":{"access":"a"}},"meta":null}`,
	} {
		for _, op := range operations {
			server.Inject(op.endpoint, answering([]byte(body)))
			if err := op.call(t, client); err != nil {
				t.Errorf("%s, %s: %v", op.name, name, err)
			}
		}
	}
}

// No redirect is followed: neither the password nor a refresh token goes elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	const elsewhere, here apitest.Endpoint = "elsewhere", "here"
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := apitest.New(apitest.Config{})
		server.Handle("/elsewhere", elsewhere, func(x *apitest.Exchange) { x.JSON(200, "application/json", "you have arrived") })
		server.Handle("/token/*", here, func(x *apitest.Exchange) {
			x.Answer().Header().Set("Location", server.URL()+"/elsewhere")
			x.Status(status)
		})
		apitest.Serve(t, server, nil)
		client := newClient(t, server.URL())
		for _, op := range operations {
			if e := wantError(t, op.call(t, client), tokenapi.ErrUnusableAnswer); e.StatusCode != status {
				t.Errorf("%s: got %#v", op.name, e)
			}
		}
		if server.Count(here) != len(operations) || server.Count(elsewhere) != 0 {
			t.Errorf("%d: %d requests, %d of them elsewhere", status, server.Count(here), server.Count(elsewhere))
		}
	}
}

// The trailing slash is part of the path: without it the server redirects, and the client does not follow.
func TestPathWithoutItsSlash(t *testing.T) {
	server, client := start(t, b2binpaytest.Config{}, func(c *b2binpay.Config) { c.TokenPath, c.RefreshPath = "/token", "/token/refresh" })
	for _, op := range operations {
		if e := wantError(t, op.call(t, client), tokenapi.ErrUnusableAnswer); e.StatusCode != http.StatusMovedPermanently || server.Count(op.endpoint) != 0 {
			t.Errorf("%s: got %#v", op.name, e)
		}
	}
}

// The token is what the API wants of it.
func TestTokensOpenTheAPI(t *testing.T) {
	server, client := start(t, b2binpaytest.Config{MaxUses: 2})
	status := func(token *oauth2.Token) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+b2binpaytest.APIPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		token.SetAuthHeader(r)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		var body map[string]any
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || (body["data"] == nil) == (answer.StatusCode == http.StatusOK) {
			t.Errorf("got %v, %v", body, err)
		}
		return answer.StatusCode
	}
	token := signIn(t, client)
	for i, want := range []int{200, 200, 401} {
		if got := status(token); got != want {
			t.Errorf("use %d: got %d", i+1, got)
		}
	}
	next := refresh(t, client, token)
	if got := status(next); got != 200 {
		t.Errorf("renewed: got %d", got)
	}
	server.ExpireTokens()
	if got := status(next); got != 401 {
		t.Errorf("expired: got %d", got)
	}
}
