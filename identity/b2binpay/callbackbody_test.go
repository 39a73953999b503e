package b2binpay_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/b2binpay"
)

const signedAt = "2024-06-12T17:47:44Z"

// signature returns the vendor's signature, computed independently.
func signature(login, password, message string) string {
	key := sha256.Sum256([]byte(login + password))
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(message))
	return hex.EncodeToString(mac.Sum(nil))
}

// signedBy returns a callback of status 2, amount 1 and a tracking_id in JSON,
// signed for the account with the password.
func signedBy(password string, trackingID json.RawMessage) []byte {
	var meant string
	_ = json.Unmarshal(trackingID, &meant)
	sign := signature(login, password, "2"+"1"+meant+signedAt)
	return []byte(callbackBody(`2`, `"1"`, string(trackingID), `"`+signedAt+`"`, `"`+sign+`"`))
}

// After each change some decoder still reads the signed values and another reads
// other ones. None verifies.
func TestAmbiguousCallbacks(t *testing.T) {
	good := string(signedBy(password, json.RawMessage(`"x"`)))
	if _, err := newCallbacks(t).Verify(t.Context(), []byte(good)); err != nil {
		t.Fatal(err)
	}
	transfer := `{"type":"transfer","id":"2","attributes":{"status":2,"amount":"1"}}`
	for _, c := range []struct{ name, old, replacement string }{
		{"amount twice", `"amount":"1"`, `"amount":"9","amount":"1"`},
		{"amount twice, the second not signed", `"amount":"1"`, `"amount":"1","amount":"9"`},
		{"Amount beside amount", `"amount":"1"`, `"amount":"1","Amount":"9"`},
		{"Amount before amount", `"amount":"1"`, `"Amount":"9","amount":"1"`},
		{"amount escaped", `"amount":"1"`, `"amount":"1","\u0061mount":"9"`},
		{"the long s", `"status":2`, `"status":2,"ſtatus":9`},
		{"the Kelvin sign", `"tracking_id":"x"`, `"tracking_id":"x","trac` + "\u212A" + `ing_id":"y"`},
		{"STATUS alone", `"status":2`, `"STATUS":2`},
		{"status twice", `"status":2`, `"status":2,"status":2`},
		{"tracking_id twice", `"tracking_id":"x"`, `"tracking_id":"y","tracking_id":"x"`},
		{"Tracking_ID", `"tracking_id":"x"`, `"Tracking_ID":"x"`},
		{"time twice", `"time":`, `"time":"2099-01-01T00:00:00Z","time":`},
		{"Time", `"time":`, `"Time":"2099-01-01T00:00:00Z","time":`},
		{"sign twice", `"sign":`, `"sign":"","sign":`},
		{"data twice", `"included":`, `"data":{"type":"deposit","id":"666"},"included":`},
		{"Data", `"included":`, `"Data":{"type":"deposit","id":"666"},"included":`},
		{"included twice", `"meta":`, `"included":[],"meta":`},
		{"meta twice", `"meta":`, `"meta":{},"meta":`},
		{"type twice", `"type":"transfer"`, `"type":"currency","type":"transfer"`},
		{"Type", `"type":"transfer"`, `"Type":"currency","type":"transfer"`},
		{"id twice", `"id":"1"`, `"id":"666","id":"1"`},
		{"attributes twice", `"attributes":{"status"`, `"attributes":{"status":2,"amount":"9"},"attributes":{"status"`},
		{"unknown members that are the same", `"amount":"1"`, `"amount":"1","fee":"1","Fee":"2"`},
		{"two transfers", transfer, transfer + `,{"type":"transfer","id":"3","attributes":{"status":2,"amount":"9"}}`},
		{"a transfer twice", transfer, transfer + `,` + transfer},
		{"another resource with two types", transfer, transfer + `,{"type":"currency","type":"transfer","id":"3"}`},
	} {
		bad := strings.Replace(good, c.old, c.replacement, 1)
		if bad == good {
			t.Fatalf("%s: the change has no effect", c.name)
		}
		if cb, err := newCallbacks(t, allowUnsigned).Verify(t.Context(), []byte(bad)); !errors.Is(err, b2binpay.ErrCallbackMalformed) || cb != nil {
			t.Errorf("%s: got %v, %v, want ErrCallbackMalformed", c.name, cb, err)
		}
	}
}

// An unsigned callback must not look signed, or about a transfer, to another
// decoder.
func TestAmbiguousUnsignedCallbacks(t *testing.T) {
	transfer := `{"type":"transfer","id":"2","attributes":{"status":2,"amount":"1"}}`
	for name, body := range map[string]string{
		"Included": `{"data":{"type":"deposit","id":"1"},"Included":[` + transfer + `]}`,
		"Meta":     `{"data":{"type":"deposit","id":"1"},"Meta":{"sign":"x"}}`,
		"Sign":     `{"data":{"type":"deposit","id":"1"},"meta":{"Sign":"x"}}`,
		"Time":     `{"data":{"type":"deposit","id":"1"},"meta":{"Time":"2024-06-12T17:47:44Z"}}`,
		"Type":     `{"data":{"type":"deposit","id":"1"},"included":[` + strings.Replace(transfer, "type", "Type", 1) + `]}`,
		"ID":       `{"data":{"type":"deposit","id":"1","ID":"2"}}`,
	} {
		if cb, err := newCallbacks(t, allowUnsigned).Verify(t.Context(), []byte(body)); !errors.Is(err, b2binpay.ErrCallbackMalformed) || cb != nil {
			t.Errorf("%s: got %v, %v, want ErrCallbackMalformed", name, cb, err)
		}
	}
}

// Members that Verify does not read may come twice.
func TestUnknownMembersOfCallbacks(t *testing.T) {
	good := string(signedBy(password, json.RawMessage(`"x"`)))
	for _, c := range []struct{ old, replacement string }{
		{`"attributes":{"tracking_id"`, `"relationships":{"a":1,"a":2},"attributes":{"destination":{"A":1,"a":[{}]},"tracking_id"`},
		{`"included":[`, `"jsonapi":{"version":"1.0"},"included":[{"type":"currency","id":"1002","attributes":{"amount":"7"}},{"type":"Transfer","id":"9"},{},`},
	} {
		body := strings.Replace(good, c.old, c.replacement, 1)
		if cb, err := newCallbacks(t).Verify(t.Context(), []byte(body)); err != nil || cb.Amount != "1" || cb.TransferID != "2" {
			t.Errorf("%s: got %+v, %v", body, cb, err)
		}
	}
}

func TestMalformedCallbacks(t *testing.T) {
	sign := `"` + strings.Repeat("0", 64) + `"`
	at := `"` + signedAt + `"`
	for name, body := range map[string]string{
		"empty":                   ``,
		"not JSON":                `status=2&amount=1`,
		"cut short":               `{"data":{"type":"deposit"`,
		"more than one value":     callbackBody(`2`, `"1"`, `""`, at, sign) + `{}`,
		"a list":                  `[]`,
		"null":                    `null`,
		"not UTF-8":               callbackBody(`2`, `"1"`, "\"\xff\"", at, sign),
		"no data":                 `{"included":[],"meta":{}}`,
		"data of null":            `{"data":null}`,
		"a list of data":          `{"data":[{"type":"deposit","id":"1"}]}`,
		"a payout":                strings.Replace(callbackBody(`2`, `"1"`, `""`, at, sign), "deposit", "payout", 1),
		"no type":                 `{"data":{"id":"1"}}`,
		"no id":                   `{"data":{"type":"deposit"}}`,
		"an id that is an object": `{"data":{"type":"deposit","id":{}}}`,
		"included is an object":   `{"data":{"type":"deposit","id":"1"},"included":{}}`,
		"included holds null":     `{"data":{"type":"deposit","id":"1"},"included":[null]}`,
		"included holds a number": `{"data":{"type":"deposit","id":"1"},"included":[1]}`,
		"a type that is a list":   `{"data":{"type":"deposit","id":"1"},"included":[{"type":[]}]}`,
		"too many resources":      `{"data":{"type":"deposit","id":"1"},"included":[{}` + strings.Repeat(`,{}`, 1000) + `]}`,
		"meta is a string":        `{"data":{"type":"deposit","id":"1"},"meta":"now"}`,
		"meta is a list":          `{"data":{"type":"deposit","id":"1"},"meta":[]}`,
		"a transfer without id":   `{"data":{"type":"deposit","id":"1"},"included":[{"type":"transfer","attributes":{"status":2,"amount":"1"}}]}`,
		"one without attributes":  `{"data":{"type":"deposit","id":"1"},"included":[{"type":"transfer","id":"2"}]}`,
		"a sign, no transfer":     `{"data":{"type":"deposit","id":"1"},"meta":{"time":` + at + `,"sign":` + sign + `}}`,
		"a status of null":        callbackBody(`null`, `"1"`, `""`, at, sign),
		"a status of words":       callbackBody(`"confirmed"`, `"1"`, `""`, at, sign),
		"a fraction of a status":  callbackBody(`2.0`, `"1"`, `""`, at, sign),
		"an empty status":         callbackBody(`""`, `"21"`, `""`, at, sign),
		"a status with a zero":    callbackBody(`"02"`, `"1"`, `""`, at, sign),
		"a status that is true":   callbackBody(`true`, `"1"`, `""`, at, sign),
		"an amount of null":       callbackBody(`2`, `null`, `""`, at, sign),
		"an empty amount":         callbackBody(`21`, `""`, `""`, at, sign),
		"an amount of words":      callbackBody(`2`, `"much"`, `""`, at, sign),
		"an amount with a zero":   callbackBody(`1`, `"00.5"`, `""`, at, sign),
		"an amount without one":   callbackBody(`1`, `".5"`, `""`, at, sign),
		"an amount with exponent": callbackBody(`2`, `1e18`, `""`, at, sign),
		"an amount with a plus":   callbackBody(`2`, `"+1"`, `""`, at, sign),
		"an amount of two lines":  callbackBody(`2`, `"1\n"`, `""`, at, sign),
		"an amount in a list":     callbackBody(`2`, `["1"]`, `""`, at, sign),
		"a tracking_id in a list": callbackBody(`2`, `"1"`, `[""]`, at, sign),
		"a time that is none":     callbackBody(`2`, `"1"`, `"x2"`, `"024-06-12T17:47:44Z"`, sign),
		"a time of null":          callbackBody(`2`, `"1"`, `"`+signedAt+`"`, `null`, sign),
		"a time that is false":    callbackBody(`2`, `"1"`, `""`, `false`, sign),
		"a sign that is true":     callbackBody(`2`, `"1"`, `""`, at, `true`),
		"a sign in a list":        callbackBody(`2`, `"1"`, `""`, at, `[`+sign+`]`),
		"nested too deep":         `{"data":` + strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000) + `}`,
	} {
		if cb, err := newCallbacks(t, allowUnsigned).Verify(t.Context(), []byte(body)); !errors.Is(err, b2binpay.ErrCallbackMalformed) || cb != nil {
			t.Errorf("%s: got %v, %v, want ErrCallbackMalformed", name, cb, err)
		}
	}
}

// The forms of the values rule out other cuts of the signed text.
func TestOtherCutsOfACallback(t *testing.T) {
	message := "2" + "10.50" + "7" + signedAt
	sign := `"` + signature(login, password, message) + `"`
	callbacks := newCallbacks(t)
	if _, err := callbacks.Verify(t.Context(), []byte(callbackBody(`2`, `"10.50"`, `"7"`, `"`+signedAt+`"`, sign))); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		callbackBody(`2`, `"10.50"`, `"72"`, `"024-06-12T17:47:44Z"`, sign),
		callbackBody(`2`, `"10.507`+signedAt+`"`, `""`, `""`, sign),
		callbackBody(`"210."`, `"507"`, `""`, `"`+signedAt+`"`, sign),
		callbackBody(`""`, `"210.50"`, `"7"`, `"`+signedAt+`"`, sign),
	} {
		if _, err := callbacks.Verify(t.Context(), []byte(body)); !errors.Is(err, b2binpay.ErrCallbackMalformed) {
			t.Errorf("%s: got %v, want ErrCallbackMalformed", body, err)
		}
	}
}
