package identitytest

import (
	"maps"
	"net/http"
	"strings"
	"testing"
)

func TestRequestCookies(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  map[string]string
	}{
		{"none", nil, map[string]string{}},
		{"two", []string{"idsrv=abc; idsrv.session=def"}, map[string]string{"idsrv": "abc", "idsrv.session": "def"}},
		{"two headers", []string{"a=1", "b=2"}, map[string]string{"a": "1", "b": "2"}},
		{
			"Set-Cookie text, joined as node-fetch does",
			[]string{"idsrv=abc; path=/identity; samesite=lax; httponly, idsrv.session=def; path=/identity"},
			map[string]string{"idsrv": "abc", "path": "/identity", "samesite": "lax", "idsrv.session": "def"},
		},
		{
			"with an expiry, whose comma separates too",
			[]string{"gone=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/, idsrv=abc"},
			map[string]string{"gone": "", "expires": "Thu", "path": "/", "idsrv": "abc"},
		},
		{"the last one counts", []string{"a=1; a=2, a=3"}, map[string]string{"a": "3"}},
		{"quoted", []string{`a="1"; b=2`}, map[string]string{"a": "1", "b": "2"}},
		{"junk before a name", []string{"x y@a=1"}, map[string]string{"a": "1"}},
		{"name that ends a letter beyond ASCII", []string{"é=1; éa=2"}, map[string]string{"a": "2"}},
		{"no name, no value, no pair", []string{"=1; b=; c"}, map[string]string{"b": ""}},
		{"value with an equals sign", []string{"a=b=c=="}, map[string]string{"a": "b=c=="}},
		{"value with a backslash", []string{`a=b\c; d=1`}, map[string]string{"d": "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := requestCookies(http.Header{"Cookie": c.lines}); !maps.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func cookieSeeds() []string {
	return []string{
		"idsrv=abc; idsrv.session=def", "idsrv=abc; path=/identity; httponly, idsrv.session=def",
		`a="b"`, `a="`, "a=b c=d", "==", ";;,,", "a", "\x00=\x00", "é=é", "é=", "0=0\r", "a=\"b,c\"",
	}
}

func FuzzRequestCookies(f *testing.F) {
	if len(cookieSeeds()) == 0 {
		f.Fatal("no seeds")
	}
	for _, seed := range cookieSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := requestCookies(http.Header{"Cookie": {line}})
		var again []string
		for name, value := range got {
			if name == "" || strings.ContainsFunc(name, isNotToken) || strings.ContainsFunc(value, isNotCookieOctet) {
				t.Errorf("%q yields %q=%q", line, name, value)
			}
			again = append(again, name+"="+value)
		}
		if back := requestCookies(http.Header{"Cookie": {strings.Join(again, "; ")}}); !maps.Equal(got, back) {
			t.Errorf("%q yields %q, and that yields %q", line, got, back)
		}
		// What net/http accepts as cookies is read the same, but for commas and
		// repetitions.
		if strict, err := http.ParseCookie(line); err == nil && !strings.Contains(line, ",") {
			want := make(map[string]string)
			for _, c := range strict {
				want[c.Name] = c.Value
			}
			for name, value := range want {
				if !strings.ContainsAny(value, " \"") && got[name] != value {
					t.Errorf("%q: net/http reads %q=%q, we %q", line, name, value, got[name])
				}
			}
		}
	})
}
