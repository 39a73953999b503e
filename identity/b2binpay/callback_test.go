package b2binpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// newCallbacks returns the Callbacks of the sample account.
func newCallbacks(t testing.TB, changes ...func(*b2binpay.CallbackConfig)) *b2binpay.Callbacks {
	t.Helper()
	return clienttest.New(t, b2binpay.NewCallbacks, b2binpay.CallbackConfig{Login: login, Password: tokenapi.Fixed(password)}, changes...)
}

func account(login, password string) func(*b2binpay.CallbackConfig) {
	return func(c *b2binpay.CallbackConfig) { c.Login, c.Password = login, tokenapi.Fixed(password) }
}

func allowUnsigned(c *b2binpay.CallbackConfig) { c.AllowUnsigned = true }

// The vendor's sample, signed by OpenSSL.
func TestCallbackSample(t *testing.T) {
	body := clienttest.Sample(t, "callback.json")
	cb, err := newCallbacks(t, account("Your API key", "Your API secret")).Verify(t.Context(), body)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2022, 7, 15, 16, 58, 11, 42000, time.UTC)
	if !cb.Signed || cb.Status != "2" || cb.Amount != "0.300000000000000000" || cb.TrackingID != "" || cb.TimeText != "2022-07-15T16:58:11.000042Z" ||
		!cb.Time.Equal(at) || cb.DepositID != "11203" || cb.TransferID != "17618" || !bytes.Equal(cb.Raw, body) {
		t.Errorf("got %+v, want the sample's values", cb)
	}
	if !bytes.Contains(body, []byte(opensslSign(t, 1))) {
		t.Error("the sample has another signature, want OpenSSL's")
	}
}

// callbackBody returns a callback of the required members, whose values are JSON.
func callbackBody(status, amount, trackingID, at, sign string) string {
	return fmt.Sprintf(`{"data":{"type":"deposit","id":"1","attributes":{"tracking_id":%s}},"included":[{"type":"transfer","id":"2","attributes":{"status":%s,"amount":%s}}],"meta":{"time":%s,"sign":%s}}`,
		trackingID, status, amount, at, sign)
}

// The signature covers the decoded strings and the spelling of numbers.
func TestCallbackValues(t *testing.T) {
	callbacks := newCallbacks(t, account("ключ", `p&"ä\`))
	sign := `"` + opensslSign(t, 2) + `"`
	const at = `"2024-06-12T17:47:44Z"`
	for name, body := range map[string]string{
		"a number and strings": callbackBody(`-1`, `"0.000000000000000000"`, `"order 7/ü"`, at, sign),
		"strings":              callbackBody(`"-1"`, `"0.000000000000000000"`, `"order 7/ü"`, at, sign),
		"numbers":              callbackBody(`-1`, `0.000000000000000000`, `"order 7/ü"`, at, sign),
		"escapes":              callbackBody(`-1`, `"0.00000000000000000\u0030"`, `"order 7\/\u00fc"`, at, sign),
		"sign in upper case":   callbackBody(`-1`, `"0.000000000000000000"`, `"order 7/ü"`, at, strings.ToUpper(sign)),
		"white space":          " \r\n" + callbackBody(` -1 `, `"0.000000000000000000"`, `"order 7/ü"`, at, sign) + "\n",
	} {
		cb, err := callbacks.Verify(t.Context(), []byte(body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if cb.Status != "-1" || cb.Amount != "0.000000000000000000" || cb.TrackingID != "order 7/ü" || cb.DepositID != "1" || cb.TransferID != "2" {
			t.Errorf("%s: got %+v", name, cb)
		}
	}
	for name, body := range map[string]string{
		"another status":    callbackBody(`2`, `"0.000000000000000000"`, `"order 7/ü"`, at, sign),
		"another amount":    callbackBody(`-1`, `"0.00000000000000000"`, `"order 7/ü"`, at, sign),
		"another tracking":  callbackBody(`-1`, `"0.000000000000000000"`, `"order 7/u"`, at, sign),
		"a time like it":    callbackBody(`-1`, `"0.000000000000000000"`, `"order 7/ü"`, `"2024-06-12T17:47:44+00:00"`, sign),
		"a signature of 0s": callbackBody(`-1`, `"0.000000000000000000"`, `"order 7/ü"`, at, `"`+strings.Repeat("0", 64)+`"`),
		"one cut short":     callbackBody(`-1`, `"0.000000000000000000"`, `"order 7/ü"`, at, sign[:63]+`"`),
		"one that is none":  callbackBody(`-1`, `"0.000000000000000000"`, `"order 7/ü"`, at, `"good"`),
	} {
		if cb, err := callbacks.Verify(t.Context(), []byte(body)); !errors.Is(err, b2binpay.ErrCallbackSignature) || cb != nil {
			t.Errorf("%s: got %v, %v, want an error of the callback", name, cb, err)
		}
	}
}

// AllowUnsigned accepts "No Transfer" callbacks only.
func TestUnsignedCallbacks(t *testing.T) {
	server, _ := inMemory(t, b2binpaytest.Config{})
	body := server.UnsignedCallback("order-7")
	if cb, err := newCallbacks(t).Verify(t.Context(), body); !errors.Is(err, b2binpay.ErrCallbackUnsigned) || cb != nil {
		t.Errorf("got %v, %v", cb, err)
	}
	cb, err := newCallbacks(t, allowUnsigned, func(c *b2binpay.CallbackConfig) { c.MaxAge = time.Nanosecond }).Verify(t.Context(), body)
	if err != nil || cb.Signed || cb.Status != "" || cb.Amount != "" || cb.TransferID != "" || cb.TrackingID != "order-7" || cb.DepositID == "" || cb.Time.IsZero() {
		t.Errorf("got %+v, %v", cb, err)
	}
	for name, body := range map[string]string{
		"no included, no meta": `{"data":{"type":"deposit","id":1}}`,
		"null":                 `{"data":{"type":"deposit","id":"1","attributes":null},"included":null,"meta":null}`,
		"an empty signature":   `{"data":{"type":"deposit","id":"1"},"included":[],"meta":{"sign":"","time":"soon"}}`,
	} {
		if cb, err := newCallbacks(t, allowUnsigned).Verify(t.Context(), []byte(body)); err != nil || cb.Signed || cb.DepositID != "1" || !cb.Time.IsZero() {
			t.Errorf("%s: got %+v, %v", name, cb, err)
		}
	}
	for _, sign := range []string{`null`, `""`} {
		stripped := callbackBody(`2`, `"1"`, `""`, `"2024-06-12T17:47:44Z"`, sign)
		if cb, err := newCallbacks(t, allowUnsigned).Verify(t.Context(), []byte(stripped)); !errors.Is(err, b2binpay.ErrCallbackUnsigned) || cb != nil {
			t.Errorf("sign %s: got %v, %v", sign, cb, err)
		}
	}
}

func TestStaleCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := inMemory(t, b2binpaytest.Config{})
		recent := func(c *b2binpay.CallbackConfig) { c.MaxAge = time.Hour }
		late := func(c *b2binpay.CallbackConfig) {
			c.MaxAge, c.Now = time.Hour, func() time.Time { return time.Now().Add(-3 * time.Hour) }
		}
		body := server.Callback("2", "1", "")
		<-time.After(time.Hour)
		if _, err := newCallbacks(t, recent).Verify(t.Context(), body); err != nil {
			t.Error(err)
		}
		<-time.After(time.Nanosecond)
		if cb, err := newCallbacks(t, recent).Verify(t.Context(), body); !errors.Is(err, b2binpay.ErrCallbackStale) || cb != nil {
			t.Errorf("got %v, %v", cb, err)
		}
		if _, err := newCallbacks(t, late).Verify(t.Context(), body); !errors.Is(err, b2binpay.ErrCallbackStale) {
			t.Errorf("from the future: got %v", err)
		}
		if _, err := newCallbacks(t, recent, account(login, "another")).Verify(t.Context(), body); !errors.Is(err, b2binpay.ErrCallbackSignature) {
			t.Errorf("stale and forged: got %v", err)
		}
		<-time.After(1000 * time.Hour)
		if _, err := newCallbacks(t).Verify(t.Context(), body); err != nil {
			t.Errorf("without MaxAge: got %v", err)
		}
	})
}

// Each callback reads the password. No callback verifies without one.
func TestCallbackPassword(t *testing.T) {
	server, _ := inMemory(t, b2binpaytest.Config{})
	body := server.Callback("2", "1", "")
	missing := errors.New("the file is missing")
	answers := []error{nil, missing, nil}
	asked := 0
	callbacks := newCallbacks(t, func(c *b2binpay.CallbackConfig) {
		c.Password = func(context.Context) (tokenapi.Secret, error) {
			asked++
			return tokenapi.NewSecret(password), answers[asked-1]
		}
	})
	for _, want := range answers {
		if _, err := callbacks.Verify(t.Context(), body); !errors.Is(err, want) {
			t.Errorf("Verify = %v, want %v", err, want)
		}
	}
	empty := newCallbacks(t, account(login, ""))
	unsignedKey := signedBy("", json.RawMessage(`"x"`))
	cb, err := empty.Verify(t.Context(), unsignedKey)
	if cb != nil || err == nil || errors.Is(err, b2binpay.ErrCallbackSignature) || errors.Is(err, b2binpay.ErrCallbackMalformed) {
		t.Errorf("an empty password: got %v, %v", cb, err)
	}
}
