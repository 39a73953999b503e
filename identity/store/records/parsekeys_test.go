package records_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/store/records"
)

func TestParseKeys(t *testing.T) {
	one, two := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("1"), 32)), base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("2"), 32))
	keys, err := records.ParseKeys([]byte("\ufeffa:" + one + "\r\n\n # b:" + one + "\n  2026-11-21:" + two + "  "))
	if err != nil || len(keys) != 2 || keys[0].ID != "a" || keys[1].ID != "2026-11-21" || string(keys[1].Secret) != strings.Repeat("2", 32) {
		t.Errorf("ParseKeys = %v, %v, want the keys a and 2026-11-21", keys, err)
	}
	if _, err := records.NewSealer(keys); err != nil {
		t.Errorf("NewSealer(ParseKeys) = %v, want no error", err)
	}
}

// Every bad line is named with its cure, and none is shown. req 123
func TestParseKeysOfABadFile(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("s"), 32))
	for content, want := range map[string]string{
		"":                                      "there is no key: ",
		"# a comment\n\n":                       "there is no key: ",
		"a:" + secret + "\n" + secret:           "line 2 has no colon: ",
		"\n:" + secret:                          "line 2 has an ID of 0 bytes, ",
		strings.Repeat("d", 256) + ":" + secret: "line 1 has an ID of 256 bytes, ",
		"a:" + secret + "!":                     "line 1 has a secret that is not base64: ",
		"a: " + secret:                          "line 1 has a secret that is not base64: ",
		"a:" + secret[:20]:                      "line 1 has a secret of 15 bytes, want 32 ",
		"a:":                                    "line 1 has a secret of 0 bytes, want 32 ",
		"a:" + secret + "\n#\na:" + secret:      "line 3 has the ID of line 1: ",
		"x\ny":                                  "line 1 has no colon: put an ID and a colon before the secret\nline 2 ",
	} {
		keys, err := records.ParseKeys([]byte(content))
		if err == nil || !strings.HasPrefix(err.Error(), want) || keys != nil {
			t.Errorf("ParseKeys(%q) = %v, %v, want an error that begins with %q", content, keys, err, want)
		} else if strings.Contains(err.Error(), secret[:20]) {
			t.Errorf("ParseKeys(%q) = %v, which shows the key", content, err)
		}
	}
}
