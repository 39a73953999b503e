package b2binpaytest_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
)

const mediaType = "application/vnd.api+json"

// A caller sends requests to a server without a socket.
type caller struct {
	*testing.T
	*b2binpaytest.Server
}

func newCaller(t *testing.T, cfg b2binpaytest.Config) caller {
	t.Helper()
	return caller{t, clienttest.New(t, b2binpaytest.New, cfg)}
}

// send sends a request with a body of JSON:API.
func (c caller) send(method, path, contentType, bearer, body string) clienttest.Reply {
	c.Helper()
	return clienttest.Send(c, c.Server.Server, method, path, body, "Content-Type", contentType, "Authorization", "Bearer "+bearer)
}

func (c caller) signIn(login, password string) (int, string) {
	c.Helper()
	r := c.send(http.MethodPost, "/token/", mediaType, "", `{"data":{"type":"auth-token","attributes":{"login":"`+login+`","password":"`+password+`"}}}`)
	return r.Status, r.Body
}

func (c caller) renew(refresh string) (int, string) {
	c.Helper()
	r := c.send(http.MethodPost, "/token/refresh/", mediaType, "", `{"data":{"type":"auth-token","attributes":{"refresh":"`+refresh+`"}}}`)
	return r.Status, r.Body
}

func (c caller) balance(bearer string) int {
	c.Helper()
	return c.send(http.MethodGet, "/balance/", "", bearer, "").Status
}

// tokens has the members of an answer.
type tokens struct {
	Data struct {
		Attributes struct {
			Refresh, Access  string
			AccessExpiredAt  time.Time `json:"access_expired_at"`
			RefreshExpiredAt time.Time `json:"refresh_expired_at"`
		}
	}
	Meta struct{ Time, Sign string }
}

// must returns the tokens of an answer with status 200.
func (c caller) must(status int, text string) tokens {
	c.Helper()
	var in tokens
	if err := json.Unmarshal([]byte(text), &in); err != nil || status != 200 || in.Data.Attributes.Access == "" {
		c.Fatalf("got %d %s, %v, want tokens", status, text, err)
	}
	return in
}

func (c caller) login() tokens {
	c.Helper()
	return c.must(c.signIn(b2binpaytest.SampleLogin, b2binpaytest.SamplePassword))
}

// shape returns the members of a JSON text in order, without times and tokens.
func shape(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	decoder := json.NewDecoder(strings.NewReader(text))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch v := token.(type) {
		case json.Delim:
			b.WriteString(v.String())
		case string:
			if strings.ContainsAny(v, ":.") || len(v) == 64 {
				v = "…"
			}
			b.WriteString(v + " ")
		default:
			b.WriteString("· ")
		}
	}
}

func sample(t *testing.T) string {
	t.Helper()
	return string(clienttest.Sample(t, "../../testdata/signin.response.json"))
}

// head returns a token's header, encoded.
func head(token string) string { return strings.Split(token, ".")[0] }

// claims returns the names of a token's claims, in order.
func claims(t *testing.T, token string) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for part := range strings.SplitSeq(strings.Trim(string(payload), "{}"), ",") {
		name, _, _ := strings.Cut(part, ":")
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// Answers have the members of the vendor's sample in its order, and its claims.
func TestAnswersLikeTheSample(t *testing.T) {
	c := newCaller(t, b2binpaytest.Config{})
	_, text := c.signIn(b2binpaytest.SampleLogin, b2binpaytest.SamplePassword)
	if got, want := shape(t, text), shape(t, sample(t)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var theirs tokens
	if err := json.Unmarshal([]byte(sample(t)), &theirs); err != nil {
		t.Fatal(err)
	}
	ours := c.must(200, text)
	for got, want := range map[string]string{
		ours.Data.Attributes.Access: theirs.Data.Attributes.Access, ours.Data.Attributes.Refresh: theirs.Data.Attributes.Refresh,
	} {
		if head(got) != head(want) {
			t.Errorf("got the header %s, want %s", head(got), head(want))
		}
		if claims(t, got) != claims(t, want) {
			t.Errorf("got the claims %s, want %s", claims(t, got), claims(t, want))
		}
	}
	if len(ours.Meta.Time) != len(theirs.Meta.Time) {
		t.Errorf("got the time %s, want the form of %s", ours.Meta.Time, theirs.Meta.Time)
	}
	_, text = c.renew(ours.Data.Attributes.Refresh)
	if got, want := shape(t, text), strings.Split(shape(t, sample(t)), "meta ")[0]+"}"; got != want {
		t.Errorf("a refresh: got\n%s\nwant\n%s", got, want)
	}
}

func TestBadRequests(t *testing.T) {
	c := newCaller(t, b2binpaytest.Config{})
	const good = `{"data":{"attributes":{"login":"l","password":"p"}}}`
	for _, path := range []string{"/token/", "/token/refresh/"} {
		for _, in := range []struct {
			method, contentType, body string
			status                    int
			code                      string
		}{
			{http.MethodGet, mediaType, good, 405, ""},
			{http.MethodPost, "application/json", good, 415, "unsupported_media_type"},
			{http.MethodPost, "", good, 415, "unsupported_media_type"},
			{http.MethodPost, mediaType, `{`, 400, "parse_error"},
			{http.MethodPost, mediaType, `{}`, 400, "invalid"},
		} {
			r := c.send(in.method, path, in.contentType, "", in.body)
			if r.Status != in.status || !strings.Contains(r.Body, in.code) || r.Status/100 == 4 && r.Status != 405 && r.Header.Get("Content-Type") != mediaType {
				t.Errorf("%s %s %q %s: got %d %s, want %d %s", in.method, path, in.contentType, in.body, r.Status, r.Body, in.status, in.code)
			}
		}
	}
	if r := c.send(http.MethodPost, b2binpaytest.APIPath, mediaType, c.login().Data.Attributes.Access, ""); r.Status != http.StatusMethodNotAllowed {
		t.Errorf("POST to the API: got %d, want 405", r.Status)
	}
}

func TestMaxUses(t *testing.T) {
	c := newCaller(t, b2binpaytest.Config{MaxUses: 2})
	var got []int
	token := c.login().Data.Attributes.Access
	for range 4 {
		got = append(got, c.balance(token))
	}
	if !slices.Equal(got, []int{200, 200, 401, 401}) || c.balance(c.login().Data.Attributes.Access) != 200 {
		t.Errorf("got %d", got)
	}
}

// The Date header is by the server's own clock, on a socket, or absent.
func TestDate(t *testing.T) {
	for _, omit := range []bool{false, true} {
		server := b2binpaytest.Start(t, b2binpaytest.Config{ClockOffset: -24 * time.Hour, OmitDate: omit})
		for _, path := range []string{b2binpaytest.APIPath, "/balance"} {
			resp, err := http.DefaultTransport.RoundTrip(httpGet(t, server.URL()+path))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			date := resp.Header.Get("Date")
			if omit {
				if date != "" {
					t.Errorf("%s: Date is %q, want it a day ago, or absent: %v", path, date, omit)
				}
				continue
			}
			if at, err := http.ParseTime(date); err != nil || time.Since(at).Round(time.Hour) != 24*time.Hour {
				t.Errorf("%s: Date is %q, want it a day ago, or absent: %v", path, date, omit)
			}
		}
	}
}

func httpGet(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestServer(t *testing.T) {
	clienttest.Servers(t, "b2binpaytest", b2binpaytest.Start(t, b2binpaytest.Config{}), map[apitest.Endpoint]string{
		b2binpaytest.EndpointToken: "/token/", b2binpaytest.EndpointRefresh: "/token/refresh/", b2binpaytest.EndpointAPI: b2binpaytest.APIPath,
		b2binpaytest.EndpointRedirect: "/token",
	})
	_, err := b2binpaytest.New(b2binpaytest.Config{Version: 1, AccessTokenLifetime: -1, RefreshTokenLifetime: -1, MaxUses: -1, ID: 1.5})
	if got, want := strings.Join(clienttest.WrongFields(err), " "), "Version AccessTokenLifetime RefreshTokenLifetime MaxUses ID"; got != want {
		t.Errorf("New = %v, want an error about %s", err, want)
	}
}

// A callback writes a numeric status as a number, and the amount as a string.
func TestCallbacks(t *testing.T) {
	c := newCaller(t, b2binpaytest.Config{})
	for status, want := range map[string]string{"2": `"status":2,`, "-2": `"status":-2,`, "x": `"status":"x",`, "02": `"status":"02",`, `"2"`: `"status":"\"2\"",`} {
		if body := c.Callback(status, "10.50", "t"); !bytes.Contains(body, []byte(want)) || !bytes.Contains(body, []byte(`"amount":"10.50"`)) {
			t.Errorf("%s: got %s, want %s", status, body, want)
		}
	}
	first, second := c.Callback("2", "1", ""), c.UnsignedCallback("t")
	if !bytes.Contains(first, []byte(`"type":"transfer","id":"17623"`)) || !bytes.Contains(second, []byte(`"id":"11209"`)) {
		t.Errorf("got %s, %s, want new numbers", first, second)
	}
	if bytes.Contains(second, []byte(`"sign"`)) || bytes.Contains(second, []byte(`"transfer"`)) || !bytes.Contains(second, []byte(`"tracking_id":"t"`)) {
		t.Errorf("got %s, want no signature and no transfer", second)
	}
}
