package b2binpay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
)

// A sign-in accepts only an answer that is signed for its account.
func FuzzSign(f *testing.F) {
	f.Add(clienttest.Sample(f, "signin.response.json"))
	f.Add(signedSample(f))
	f.Add([]byte(`{"data":{"attributes":{"access":"a"}},"meta":{"time":"x","sign":""}}`))
	server, client := inMemory(f, b2binpaytest.Config{})
	f.Fuzz(func(t *testing.T, body []byte) {
		server.Inject(b2binpaytest.EndpointToken, apitest.Fault{Status: 200, Body: body})
		defer server.ClearFaults()
		_, err := client.SignIn(t.Context(), "your_login", "your_password")
		var a struct {
			Data struct{ Attributes struct{ Refresh string } }
			Meta struct{ Time, Sign string }
		}
		if _ = json.Unmarshal(body, &a); err == nil && !strings.EqualFold(a.Meta.Sign, signature("your_login", "your_password", a.Meta.Time+a.Data.Attributes.Refresh)) {
			t.Errorf("%s: got a token, want an error", body)
		}
	})
}

// placeholder stands for a good signature in a fuzzed body.
const placeholder = "SIGN"

// readLoosely reads a callback by encoding/json: the last of two members counts,
// in any letter case.
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

// A verified body has the signature of another implementation, and the values
// that another decoder reads. The fuzzer cannot guess a signature, so the word
// SIGN becomes a good one.
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
				t.Errorf("got %v, want no secret in it", err)
			}
			return
		}
		status, amount, trackingID, at, sign := readLoosely(body)
		if cb.Status != status || cb.Amount != amount || cb.TrackingID != trackingID || cb.TimeText != at || string(cb.Raw) != string(body) {
			t.Errorf("%s: got %+v, want the values of encoding/json", body, cb)
		}
		if cb.Signed != (cb.TransferID != "") || cb.Signed && !strings.EqualFold(sign, signature(login, password, cb.Status+cb.Amount+cb.TrackingID+cb.TimeText)) {
			t.Errorf("%s: got Signed %v, want it only with a good signature", body, cb.Signed)
		}
	})
}

// A signed callback that changed in one place verifies only with the signed
// values.
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
			t.Errorf("%s: got an unsigned transfer, want an error", body)
		}
		if cb.Signed && (cb.Status != want.Status || cb.Amount != want.Amount || cb.TrackingID != want.TrackingID || cb.TimeText != want.TimeText) {
			t.Errorf("%s: got %+v, want the signed values", body, cb)
		}
	})
}
