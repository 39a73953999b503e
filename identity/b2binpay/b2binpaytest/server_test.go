package b2binpaytest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
)

const mediaType = "application/vnd.api+json"

// A caller sends requests to a server without a socket.
type caller struct {
	*testing.T
	*b2binpaytest.Server
}

func newCaller(t *testing.T, cfg b2binpaytest.Config) caller {
	t.Helper()
	server, err := b2binpaytest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return caller{t, server}
}

// send sends a request and returns the answer and its body.
func (c caller) send(method, path, contentType, bearer, body string) (*http.Response, string) {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, "https://api.b2binpay.example"+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := c.Transport().RoundTrip(r)
	if err != nil {
		c.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp, string(text)
}

func (c caller) signIn(login, password string) (int, string) {
	c.Helper()
	resp, text := c.send(http.MethodPost, "/token/", mediaType, "", `{"data":{"type":"auth-token","attributes":{"login":"`+login+`","password":"`+password+`"}}}`)
	return resp.StatusCode, text
}

func (c caller) renew(refresh string) (int, string) {
	c.Helper()
	resp, text := c.send(http.MethodPost, "/token/refresh/", mediaType, "", `{"data":{"type":"auth-token","attributes":{"refresh":"`+refresh+`"}}}`)
	return resp.StatusCode, text
}

func (c caller) balance(bearer string) int {
	c.Helper()
	resp, _ := c.send(http.MethodGet, "/balance/", "", bearer, "")
	return resp.StatusCode
}

// tokens are what an answer holds.
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
		c.Fatalf("got %d %s, %v", status, text, err)
	}
	return in
}

func (c caller) login() tokens {
	c.Helper()
	return c.must(c.signIn(b2binpaytest.SampleLogin, b2binpaytest.SamplePassword))
}

// shape is a JSON text without its strings' values, so that members and their order can be compared.
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
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "signin.response.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// head is a token's header, encoded.
func head(token string) string { return strings.Split(token, ".")[0] }

// claims are the names of a token's claims, in their order.
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

// Answers have the members of the vendor's sample, in its order, and tokens its claims.
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
		t.Errorf("times are spelt %s, want %s", ours.Meta.Time, theirs.Meta.Time)
	}
	_, text = c.renew(ours.Data.Attributes.Refresh)
	if got, want := shape(t, text), strings.Split(shape(t, sample(t)), "meta ")[0]+"}"; got != want {
		t.Errorf("a refresh: got\n%s\nwant\n%s", got, want)
	}
}

func TestSign(t *testing.T) {
	c := newCaller(t, b2binpaytest.Config{Login: "l", Password: "p"})
	in := c.must(c.signIn("l", "p"))
	key := sha256.Sum256([]byte("lp"))
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(in.Meta.Time + in.Data.Attributes.Refresh))
	if in.Meta.Sign != hex.EncodeToString(mac.Sum(nil)) {
		t.Errorf("the signature is %s", in.Meta.Sign)
	}
}

func TestRefusals(t *testing.T) {
	const noAccount = `"detail":"No active account found with the given credentials"}]}`
	for _, numeric := range []bool{false, true} {
		c := newCaller(t, b2binpaytest.Config{NumericCodes: numeric})
		quote := func(code string) string {
			if numeric {
				return code
			}
			return `"` + code + `"`
		}
		for _, in := range [][2]string{{b2binpaytest.SampleLogin, "wrong"}, {"wrong", b2binpaytest.SamplePassword}} {
			if status, text := c.signIn(in[0], in[1]); status != 400 || text != `{"errors":[{"status":"400","code":`+quote("2006")+`,`+noAccount {
				t.Errorf("got %d %s", status, text)
			}
		}
		for _, refresh := range []string{"unknown", c.login().Data.Attributes.Access} {
			if status, text := c.renew(refresh); status != 401 || text != `{"errors":[{"status":"401","code":`+quote("2007")+`,`+noAccount {
				t.Errorf("got %d %s", status, text)
			}
		}
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
			resp, text := c.send(in.method, path, in.contentType, "", in.body)
			if resp.StatusCode != in.status || !strings.Contains(text, in.code) {
				t.Errorf("%s %s %q %s: got %d %s", in.method, path, in.contentType, in.body, resp.StatusCode, text)
			}
		}
	}
	if resp, _ := c.send(http.MethodPost, b2binpaytest.APIPath, mediaType, c.login().Data.Attributes.Access, ""); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func TestPathsWithoutTheirSlash(t *testing.T) {
	c := newCaller(t, b2binpaytest.Config{})
	for _, path := range []string{"/token", "/token/refresh", "/balance"} {
		resp, _ := c.send(http.MethodPost, path, mediaType, "", `{}`)
		if resp.StatusCode != http.StatusMovedPermanently || resp.Header.Get("Location") != path+"/" {
			t.Errorf("%s: got %d to %s", path, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	if c.Count(b2binpaytest.EndpointRedirect) != 3 || c.Count(b2binpaytest.EndpointToken) != 0 {
		t.Error("they are counted elsewhere")
	}
}

func TestLifetimes(t *testing.T) {
	for _, cfg := range []b2binpaytest.Config{{}, {AccessTokenLifetime: time.Minute, RefreshTokenLifetime: time.Hour, ClockOffset: 5 * time.Hour}} {
		access, refresh := 15*time.Minute, 6*time.Hour
		if cfg.AccessTokenLifetime != 0 {
			access, refresh = cfg.AccessTokenLifetime, cfg.RefreshTokenLifetime
		}
		synctest.Test(t, func(t *testing.T) {
			c := newCaller(t, cfg)
			first, second := c.login().Data.Attributes, c.login().Data.Attributes
			now := time.Now().Add(cfg.ClockOffset)
			if first.AccessExpiredAt.Sub(now) != access || first.RefreshExpiredAt.Sub(now) != refresh {
				t.Errorf("they live until %v and %v", first.AccessExpiredAt, first.RefreshExpiredAt)
			}
			<-time.After(access - time.Nanosecond)
			if got := c.balance(first.Access); got != 200 {
				t.Errorf("alive: got %d", got)
			}
			<-time.After(time.Nanosecond)
			if got := c.balance(first.Access); got != 401 {
				t.Errorf("expired: got %d", got)
			}
			<-time.After(refresh - access - time.Nanosecond)
			if status, text := c.renew(first.Refresh); status != 200 {
				t.Errorf("alive: got %d %s", status, text)
			}
			<-time.After(time.Nanosecond)
			if status, text := c.renew(second.Refresh); status != 401 {
				t.Errorf("expired: got %d %s", status, text)
			}
		})
	}
}

func TestRotation(t *testing.T) {
	c := newCaller(t, b2binpaytest.Config{})
	first := c.login().Data.Attributes
	second := c.must(c.renew(first.Refresh)).Data.Attributes
	if status, _ := c.renew(first.Refresh); status != 401 {
		t.Errorf("used twice: got %d", status)
	}
	if c.balance(first.Access) != 200 || c.balance(second.Access) != 200 {
		t.Error("a renewal ended an access token")
	}
	if c.balance(first.Refresh) != 401 || c.balance("") != 401 {
		t.Error("the API takes what is no access token")
	}
	c.ExpireTokens()
	if c.balance(second.Access) != 401 {
		t.Error("an access token outlived ExpireTokens")
	}
	third := c.must(c.renew(second.Refresh)).Data.Attributes
	c.RevokeRefreshTokens()
	if status, _ := c.renew(third.Refresh); status != 401 || c.balance(third.Access) != 200 {
		t.Errorf("revoked: got %d", status)
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

// The Date header is by the server's own clock, on a socket too, or is not there at all.
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
					t.Errorf("%s: Date is %s", path, date)
				}
				continue
			}
			if at, err := http.ParseTime(date); err != nil || time.Since(at).Round(time.Hour) != 24*time.Hour {
				t.Errorf("%s: Date is %s", path, date)
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

func TestIDs(t *testing.T) {
	for _, c := range []struct {
		id   any
		want string
	}{{nil, `"id":null`}, {"0", `"id":"0"`}, {34, `"id":34`}} {
		if _, text := newCaller(t, b2binpaytest.Config{ID: c.id}).signIn(b2binpaytest.SampleLogin, b2binpaytest.SamplePassword); !strings.Contains(text, c.want) {
			t.Errorf("%v: got %s", c.id, text)
		}
	}
}

func TestNewReportsEveryProblem(t *testing.T) {
	_, err := b2binpaytest.New(b2binpaytest.Config{AccessTokenLifetime: -1, RefreshTokenLifetime: -1, MaxUses: -1, ID: 1.5})
	const want = `b2binpaytest: Config.AccessTokenLifetime is negative
b2binpaytest: Config.RefreshTokenLifetime is negative
b2binpaytest: Config.MaxUses is negative
b2binpaytest: Config.ID is a float64, not nil, a string or an int`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// However it is printed, a server shows its name and no password.
func TestFormat(t *testing.T) {
	server := newCaller(t, b2binpaytest.Config{}).Server
	if got := fmt.Sprintf("%v %+v %#v", server, server, server); got != "b2binpaytest.Server b2binpaytest.Server b2binpaytest.Server" {
		t.Errorf("printed %s", got)
	}
}

// A callback's status is a number if it is one, and its amount a string; an unsigned one has no transfer.
func TestCallbacks(t *testing.T) {
	c := newCaller(t, b2binpaytest.Config{})
	for status, want := range map[string]string{"2": `"status":2,`, "-2": `"status":-2,`, "x": `"status":"x",`, "02": `"status":"02",`, `"2"`: `"status":"\"2\"",`} {
		if body := c.Callback(status, "10.50", "t"); !bytes.Contains(body, []byte(want)) || !bytes.Contains(body, []byte(`"amount":"10.50"`)) {
			t.Errorf("%s: got %s", status, body)
		}
	}
	first, second := c.Callback("2", "1", ""), c.UnsignedCallback("t")
	if !bytes.Contains(first, []byte(`"type":"transfer","id":"17623"`)) || !bytes.Contains(second, []byte(`"id":"11209"`)) {
		t.Errorf("got %s, %s", first, second)
	}
	if bytes.Contains(second, []byte(`"sign"`)) || bytes.Contains(second, []byte(`"transfer"`)) || !bytes.Contains(second, []byte(`"tracking_id":"t"`)) {
		t.Errorf("got %s", second)
	}
}
