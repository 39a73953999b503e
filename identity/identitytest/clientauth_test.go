package identitytest

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func basicHeader(pair string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

func TestParseBasic(t *testing.T) {
	long := strings.Repeat("é", 100) // 100 characters, 200 bytes
	for _, c := range []struct {
		name, header string
		want         credentials
		ok           bool
	}{
		{"plain", basicHeader("spa_admin:secret"), credentials{"spa_admin", "secret"}, true},
		{"no secret", basicHeader("spa:"), credentials{"spa", ""}, true},
		{"blank secret", basicHeader("spa: "), credentials{"spa", ""}, true},
		{"colon in the secret", basicHeader("a:b:c"), credentials{"a", "b:c"}, true},
		{"form-encoded", basicHeader("a%3Ab:c+d%2Be%C3%A9"), credentials{"a:b", "c d+eé"}, true},
		{"stray percent", basicHeader("a:100%"), credentials{"a", "100%"}, true},
		{"half an escape", basicHeader("a:%4"), credentials{"a", "%4"}, true},
		{"scheme in capitals", strings.Replace(basicHeader("a:b"), "Basic", "BASIC", 1), credentials{"a", "b"}, true},
		{"spaces in base64", "Basic  YTpi ", credentials{"a", "b"}, true},
		{"longest", basicHeader(long + ":" + long), credentials{long, long}, true},
		{"id too long", basicHeader(long + "x:b"), credentials{}, false},
		{"secret too long", basicHeader("a:" + long + "x"), credentials{}, false},
		{"length counts before decoding", basicHeader("a:" + strings.Repeat("%41", 34)), credentials{}, false},
		{"no colon", basicHeader("a"), credentials{}, false},
		{"no id", basicHeader(":b"), credentials{}, false},
		{"empty", "", credentials{}, false},
		{"scheme only", "Basic", credentials{}, false},
		{"another scheme", "Bearer YTpi", credentials{}, false},
		{"no base64", "Basic ?", credentials{}, false},
		{"base64url", "Basic " + base64.URLEncoding.EncodeToString([]byte("a:\xfb\xff")), credentials{}, false},
		{"no padding", "Basic YTpiYg", credentials{}, false},
		{"not UTF-8", basicHeader("a:\xff"), credentials{"a", "\uFFFD"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := parseBasic(c.header); got != c.want || ok != c.ok {
				t.Errorf("got %q %v, want %q %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func basicSeeds() []string {
	return []string{
		basicHeader("spa:"), basicHeader("a:b:c"), basicHeader("a%3Ab:c+d"), basicHeader(":"),
		basicHeader("a:%"), basicHeader("a:\xff\xfe"), "Basic", "basic YTpi", "Basic ====", "Bearer abc", "",
	}
}

func FuzzParseBasic(f *testing.F) {
	if len(basicSeeds()) == 0 {
		f.Fatal("no seeds")
	}
	for _, seed := range basicSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, ok := parseBasic(header)
		if !ok && got != (credentials{}) {
			t.Errorf("nothing was found, but %q returned", got)
		}
		if !ok || !utf8.ValidString(got.id) || !utf8.ValidString(got.secret) {
			return
		}
		// What was read and encoded again as RFC 6749 section 2.3.1 has it
		// reads the same.
		pair := url.QueryEscape(got.id) + ":" + url.QueryEscape(got.secret)
		if len(pair) > 100 || isMissing(got.id) {
			return
		}
		if again, ok := parseBasic(basicHeader(pair)); !ok || again != got {
			t.Errorf("%q reads as %q, and then as %q", header, got, again)
		}
	})
}
