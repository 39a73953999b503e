package b2binpay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
)

// Whatever comes with a 200 is a token that can be used, or an error.
func FuzzAnswer(f *testing.F) {
	f.Add(clienttest.Sample(f, "signin.response.json"))
	f.Add(signedSample(f))
	f.Add([]byte(`{"data":{"type":"auth-token","id":"0","attributes":{"access":"a","refresh":"r","access_expired_at":"2100-01-01T00:00:00+00:00"}}}`))
	f.Add([]byte(`{"data":{"attributes":{"access":"a","access_expired_at":7}},"meta":{"time":"x","sign":""}}`))
	f.Add([]byte(`{"errors":[{"code":2006}]}`))
	server, strict := inMemory(f, b2binpaytest.Config{})
	lenient := newClient(f, bubbleURL, func(c *b2binpay.Config) { c.HTTP.Transport, c.AllowUnsigned = server.Transport(), true })
	f.Fuzz(func(t *testing.T, body []byte) {
		server.Inject(b2binpaytest.EndpointToken, apitest.Fault{Status: 200, Body: body, Times: 2})
		server.Inject(b2binpaytest.EndpointRefresh, apitest.Fault{Status: 200, Body: body})
		defer server.ClearFaults()
		sent := time.Now()
		outcome := func(token *oauth2.Token, err error) {
			t.Helper()
			if clienttest.OnlyOne(t, token != nil, err) != nil {
				clienttest.Refused(t, err, "b2binpay", sentRefresh, "your_password", sampleAccess, sampleRefresh)
			} else {
				clienttest.Usable(t, token, sent)
			}
		}
		token, err := strict.SignIn(t.Context(), "your_login", "your_password")
		outcome(token, err)
		var a struct {
			Data struct{ Attributes struct{ Refresh string } }
			Meta struct{ Time, Sign string }
		}
		if _ = json.Unmarshal(body, &a); err == nil && !strings.EqualFold(a.Meta.Sign, signature("your_login", "your_password", a.Meta.Time+a.Data.Attributes.Refresh)) {
			t.Error("the signature is not one of this account")
		}
		outcome(lenient.SignIn(t.Context(), "your_login", "your_password"))
		outcome(strict.Refresh(t.Context(), &oauth2.Token{RefreshToken: sentRefresh}))
	})
}

// Whatever a refusal says is an error that shows no secret.
func FuzzRefusal(f *testing.F) {
	for _, c := range refusals {
		f.Add(c.status, []byte(c.body), "application/vnd.api+json")
	}
	quoted, err := json.Marshal("no account for " + sentPassword)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(400, []byte(`{"errors":[{"code":"2006","detail":`+string(quoted)+`}]}`), "application/json")
	f.Add(401, []byte(`{"errors":[{"code":null,"title":"`+sentRefresh+`"}]}`), "text/html")
	server, client := inMemory(f, b2binpaytest.Config{})
	f.Fuzz(func(t *testing.T, status int, body []byte, mediaType string) {
		if status < 201 || status > 599 {
			return // no status of a refusal
		}
		for _, op := range operations {
			server.Inject(op.Endpoint, apitest.Fault{Status: status, Body: body, ContentType: mediaType})
			if err := op.Call(t.Context(), t, client); err != nil {
				clienttest.Refused(t, err, "b2binpay", op.Secrets...)
			} else if status/100 != 2 {
				t.Errorf("%s: %d is a success", op.Name, status)
			}
		}
	})
}

// placeholder stands in a fuzzed body for the signature of what encoding/json reads in it.
const placeholder = "SIGN"

// readLoosely reads a callback as a program would that knows nothing of this package: the last of two members counts, and
// letter case does not.
func readLoosely(body []byte) (status, amount, trackingID, at, sign string) {
	type attributes struct {
		Status     any
		Amount     any
		TrackingID any `json:"tracking_id"`
	}
	type resource struct {
		Type       any
		Attributes attributes
	}
	var cb struct {
		Data     resource
		Included []resource
		Meta     struct{ Time, Sign any }
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	_ = decoder.Decode(&cb)
	text := func(v any) string {
		if v == nil {
			return ""
		}
		return fmt.Sprint(v)
	}
	for _, r := range cb.Included {
		if r.Type == "transfer" {
			status, amount = text(r.Attributes.Status), text(r.Attributes.Amount)
		}
	}
	return status, amount, text(cb.Data.Attributes.TrackingID), text(cb.Meta.Time), text(cb.Meta.Sign)
}

// A body that verifies is signed, as another implementation reckons it, and says what another decoder reads in it. The
// fuzzer cannot guess a signature, so the word SIGN becomes a good one.
func FuzzCallback(f *testing.F) {
	server, err := b2binpaytest.New(b2binpaytest.Config{})
	if err != nil {
		f.Fatal(err)
	}
	sample := clienttest.Sample(f, "callback.json")
	f.Add(sample)
	f.Add(bytes.Replace(sample, []byte(opensslSign(f, 1)), []byte(placeholder), 1))
	f.Add(server.Callback("2", "10.50", "order-7"))
	f.Add(server.UnsignedCallback("order-7"))
	body := callbackBody(`2`, `"1"`, `"x"`, `"`+signedAt+`"`, `"`+placeholder+`"`)
	f.Add([]byte(body))
	f.Add([]byte(strings.Replace(body, `"amount":"1"`, `"amount":"9","Amount":"1"`, 1)))
	f.Add([]byte(strings.Replace(body, `"status":2`, `"status":1,"status":2`, 1)))
	f.Add([]byte(strings.Replace(body, `"tracking_id":"x"`, `"Tracking_Id":"x"`, 1)))
	f.Add([]byte(strings.Replace(body, `"included":[`, `"included":[{"type":"transfer","attributes":{"status":2,"amount":"9"}},`, 1)))
	f.Add([]byte(strings.Replace(body, `"x"`, `null`, 1)))
	callbacks := newCallbacks(f, allowUnsigned)
	f.Fuzz(func(t *testing.T, body []byte) {
		status, amount, trackingID, at, _ := readLoosely(body)
		good := signature(login, password, status+amount+trackingID+at)
		body = []byte(strings.ReplaceAll(string(body), placeholder, good))
		cb, err := callbacks.Verify(t.Context(), body)
		if (cb != nil) != (err == nil) {
			t.Fatalf("got %v, %v", cb, err)
		}
		if err != nil {
			if strings.Contains(err.Error(), good) || strings.Contains(err.Error(), password) {
				t.Errorf("a secret is in %v", err)
			}
			return
		}
		status, amount, trackingID, at, sign := readLoosely(body)
		if cb.Status != status || cb.Amount != amount || cb.TrackingID != trackingID || cb.TimeText != at || string(cb.Raw) != string(body) {
			t.Errorf("%s is read as %+v", body, cb)
		}
		if cb.Signed != (cb.TransferID != "") || cb.Signed && !strings.EqualFold(sign, signature(login, password, cb.Status+cb.Amount+cb.TrackingID+cb.TimeText)) {
			t.Errorf("%s is taken for signed", body)
		}
	})
}

// A callback that was signed and then changed in one place is not accepted with anything else than what was signed.
func FuzzForgedCallback(f *testing.F) {
	server, err := b2binpaytest.New(b2binpaytest.Config{})
	if err != nil {
		f.Fatal(err)
	}
	signed := server.Callback("2", "10.50", "order-7")
	callbacks := newCallbacks(f, allowUnsigned)
	want, err := callbacks.Verify(f.Context(), signed)
	if err != nil {
		f.Fatal(err)
	}
	at := func(part string) int { return strings.Index(string(signed), part) }
	f.Add(at(`10.50`), 5, []byte(`99.50`))
	f.Add(at(`"amount"`), 0, []byte(`"amount":"99.50",`))
	f.Add(at(`"sign"`), 7, []byte(`"sign":null,"x":`))
	f.Add(at(`{"type":"transfer"`), 0, []byte(`{"type":"transfer","id":"1","attributes":{"status":2,"amount":"99.50"}},`))
	f.Add(at(`"address"`), 9, []byte(`"Tracking_ID"`))
	f.Fuzz(func(t *testing.T, from, length int, replacement []byte) {
		if from < 0 || length < 0 || from > len(signed) || length > len(signed)-from {
			return // no place in the body
		}
		body := string(signed[:from]) + string(replacement) + string(signed[from+length:])
		cb, err := callbacks.Verify(t.Context(), []byte(body))
		if err != nil {
			return
		}
		if !cb.Signed && strings.Contains(body, `"transfer"`) && cb.TransferID != "" {
			t.Errorf("a transfer is taken without a signature: %s", body)
		}
		if cb.Signed && (cb.Status != want.Status || cb.Amount != want.Amount || cb.TrackingID != want.TrackingID || cb.TimeText != want.TimeText) {
			t.Errorf("%s is taken for signed: %+v", body, cb)
		}
	})
}
