package b2binpay_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// newV3Callbacks returns the Callbacks of the sample account of version 3.
func newV3Callbacks(t testing.TB, changes ...func(*b2binpay.V3Signature)) *b2binpay.Callbacks {
	t.Helper()
	signature := b2binpay.V3Signature{Secret: tokenapi.Fixed(b2binpaytest.SampleCallbackSecret)}
	for _, change := range changes {
		change(&signature)
	}
	return clienttest.New(t, b2binpay.NewCallbacks, b2binpay.CallbackConfig{V3: &signature})
}

// v3Callback returns a callback signed with key over message.
func v3Callback(kind string, key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	body := callbackBody(`2`, `"1"`, `"x"`, `"`+signedAt+`"`, `"`+hex.EncodeToString(mac.Sum(nil))+`"`)
	return []byte(strings.Replace(body, "deposit", kind, 1))
}

func TestV3Callbacks(t *testing.T) {
	server, _ := v3Server(t)
	callbacks := newV3Callbacks(t)
	deposit, err := callbacks.Verify(t.Context(), server.Callback("2", "1.5", "order-7"))
	if err != nil || deposit.DepositID == "" || deposit.PayoutID != "" || deposit.TrackingID != "order-7" || deposit.Amount != "1.5" || !deposit.Signed {
		t.Errorf("got %+v, %v, want the deposit", deposit, err)
	}
	payout, err := callbacks.Verify(t.Context(), server.PayoutCallback("2", "1.5", "order-8"))
	if err != nil || payout.PayoutID == "" || payout.DepositID != "" || payout.TrackingID != "order-8" {
		t.Errorf("got %+v, %v, want the payout", payout, err)
	}
	key := []byte(b2binpaytest.SampleCallbackSecret)
	for name, c := range map[string]struct {
		body []byte
		want error
	}{
		"good":               {v3Callback("deposit", key, "21x"+signedAt), nil},
		"another secret":     {v3Callback("deposit", []byte(b2binpaytest.SampleClientSecret), "21x"+signedAt), b2binpay.ErrCallbackSignature},
		"the hash as key":    {v3Callback("deposit", hash(key), "21x"+signedAt), b2binpay.ErrCallbackSignature},
		"another message":    {v3Callback("deposit", key, "21y"+signedAt), b2binpay.ErrCallbackSignature},
		"another kind":       {v3Callback("wallet", key, "21x"+signedAt), b2binpay.ErrCallbackMalformed},
		"no kind":            {v3Callback("", key, "21x"+signedAt), b2binpay.ErrCallbackMalformed},
		"version 2":          {signedBy(password, []byte(`"x"`)), b2binpay.ErrCallbackSignature},
		"unsigned":           {server.UnsignedCallback("x"), b2binpay.ErrCallbackUnsigned},
		"an ambiguous value": {bytes.Replace(v3Callback("payout", key, "21x"+signedAt), []byte(`"amount"`), []byte(`"amount":"9","amount"`), 1), b2binpay.ErrCallbackMalformed},
	} {
		if cb, err := callbacks.Verify(t.Context(), c.body); !errors.Is(err, c.want) || (cb == nil) != (err != nil) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	// Version 2 has no callbacks of payouts.
	body := bytes.Replace(signedBy(password, []byte(`"x"`)), []byte("deposit"), []byte("payout"), 1)
	if _, err := newCallbacks(t).Verify(t.Context(), body); !errors.Is(err, b2binpay.ErrCallbackMalformed) {
		t.Errorf("a payout of version 2: got %v, want ErrCallbackMalformed", err)
	}
}

func hash(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// Each inferred part of the signature can be another.
func TestV3CallbackFields(t *testing.T) {
	key := []byte(b2binpaytest.SampleCallbackSecret)
	for name, c := range map[string]struct {
		change func(*b2binpay.V3Signature)
		body   []byte
	}{
		"Key": {
			func(v *b2binpay.V3Signature) {
				v.Key = func(s tokenapi.Secret) []byte { return hash([]byte(s.Reveal())) }
			}, v3Callback("deposit", hash(key), "21x"+signedAt),
		},
		"Message": {
			func(v *b2binpay.V3Signature) {
				v.Message = func(cb *b2binpay.Callback) string { return cb.TimeText + cb.TrackingID }
			}, v3Callback("payout", key, signedAt+"x"),
		},
		"PayoutType": {func(v *b2binpay.V3Signature) { v.PayoutType = "withdrawal" }, v3Callback("withdrawal", key, "21x"+signedAt)},
	} {
		if _, err := newV3Callbacks(t).Verify(t.Context(), c.body); err == nil {
			t.Errorf("%s: got no error without the field, want one", name)
		}
		if _, err := newV3Callbacks(t, c.change).Verify(t.Context(), c.body); err != nil {
			t.Errorf("%s: got %v, want no error", name, err)
		}
	}
}

// A secret that cannot be had refuses no callback: the handler answers 503, so
// that the vendor sends it again.
func TestV3CallbackSecret(t *testing.T) {
	server, _ := v3Server(t)
	broken := errors.New("the file is gone")
	for _, secret := range []func(context.Context) (tokenapi.Secret, error){
		tokenapi.Fixed(""), func(context.Context) (tokenapi.Secret, error) { return tokenapi.Secret{}, broken },
	} {
		callbacks := newV3Callbacks(t, func(v *b2binpay.V3Signature) { v.Secret = secret })
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(server.PayoutCallback("2", "1", "")))
		callbacks.Handler(func(context.Context, *b2binpay.Callback) error { return nil }).ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("got %d, want 503", w.Code)
		}
	}
	keyless := newV3Callbacks(t, func(v *b2binpay.V3Signature) { v.Key = func(tokenapi.Secret) []byte { return nil } })
	if _, err := keyless.Verify(t.Context(), v3Callback("deposit", nil, "21x"+signedAt)); err == nil {
		t.Error("got no error for a signature without a key, want one")
	}
	clienttest.Hides(t, newV3Callbacks(t), b2binpaytest.SampleCallbackSecret)
}

func TestV3CallbackConfig(t *testing.T) {
	for want, config := range map[string]b2binpay.CallbackConfig{
		"CallbackConfig.V3.Secret": {V3: &b2binpay.V3Signature{}},
		"CallbackConfig.V3":        {V3: &b2binpay.V3Signature{Secret: tokenapi.Fixed("s")}, Login: "l"},
	} {
		_, err := b2binpay.NewCallbacks(config)
		if got := strings.Join(clienttest.WrongFields(err), " "); got != want {
			t.Errorf("got %v, want an error about %s", err, want)
		}
	}
}
