package clienttest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
)

// Spellings returns v as every verb of fmt, slog and JSON print it.
func Spellings(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
		fmt.Fprintf(&b, verb+"\n", struct{ hidden any }{v})
		fmt.Fprintf(&b, verb+"\n", []any{v})
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("m", "v", v, "in", struct{ V any }{v})
	}
	if raw, err := json.Marshal(v); err == nil {
		b.Write(raw)
	}
	return b.String()
}

// Hides checks that no spelling of v holds a secret: in the clear, as JSON or a
// form spells it, in base64 or in hex.
func Hides(t testing.TB, v any, secrets ...string) {
	t.Helper()
	text := strings.ToLower(Spellings(v))
	for _, s := range secrets {
		if s == "" {
			t.Fatalf("%T: got an empty secret, want one to look for", v)
		}
		quoted, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{
			s, strings.Trim(string(quoted), `"`), url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s)),
			fmt.Sprintf("%x", s), fmt.Sprintf("%d", []byte(s)),
		} {
			if strings.Contains(text, strings.ToLower(form)) {
				t.Errorf("%T shows %q, want it hidden:\n%s", v, form, text)
				return
			}
		}
	}
}
