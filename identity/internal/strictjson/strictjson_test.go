package strictjson_test

import (
	"encoding/json"
	"testing"

	"b2trader.identity.auth/identity/internal/strictjson"
)

type claims struct {
	Subject string          `json:"sub"`
	Raw     json.RawMessage `json:"raw"`
	Inner   struct {
		Code string `json:"code"`
	} `json:"inner"`
	List []struct {
		Code string `json:"code"`
	} `json:"list"`
	embedded
	hidden string
	Skip   string `json:"-"`
	Plain  string
}

type embedded struct {
	Issuer string `json:"iss"`
}

// field 54
func TestUnmarshal(t *testing.T) {
	for _, c := range []struct {
		in string
		ok bool
		// want is the sub, iss, inner code, first list code and Plain, joined by commas.
		want string
	}{
		{`{"sub":"u","iss":"i","inner":{"code":"c"},"list":[{"code":"l"}],"Plain":"p"}`, true, "u,i,c,l,p"},
		{"\ufeff" + `{"sub":"u"}`, true, "u,,,,"},
		{`{"sub":"u","Sub":"v","SUB":"w"}`, true, "u,,,,"},
		{`{"Sub":"v","ISS":"i","plain":"p"}`, true, ",,,,"},
		{`{"inner":{"Code":"v"},"list":[{"CODE":"v"}]}`, true, ",,,,"},
		{`{"inner":{"Code":"vwxyz","o":"<<<"},"list":[{"Code":"vwxyz","o":"<<<"}]}`, true, ",,,,"}, // as long without Code as with it: < is escaped
		{`{"ſub":"v","sub":"u"}`, true, "u,,,,"},                                                   // U+017F folds to s
		{`{"sub":"u","unknown":{"a":[1,{"b":null}]},"hidden":"h","-":"s"}`, true, "u,,,,"},
		{`{"sub":null}`, true, ",,,,"},
		{`{"sub":"u","sub":"u"}`, false, ""},
		{`{"sub":"u","\u0073ub":"v"}`, false, ""},
		{`{"other":{"a":1,"a":2}}`, false, ""},
		{`{"other":[{"a":1},{"a":1,"b":{},"b":[]}]}`, false, ""},
		{"{\"sub\":\"\xff\"}", false, ""},
		{`{"sub":1}`, false, ""},
		{`{"sub":"u"} {}`, false, ""},
		{`{"sub":"u"`, false, ""},
		{`[]`, false, ""},
		{``, false, ""},
		{`<html>`, false, ""},
	} {
		var got claims
		err := strictjson.Unmarshal([]byte(c.in), &got)
		if (err == nil) != c.ok {
			t.Errorf("Unmarshal(%q) = %v, want success %t", c.in, err, c.ok)
			continue
		}
		first := ""
		if len(got.List) > 0 {
			first = got.List[0].Code
		}
		if values := got.Subject + "," + got.Issuer + "," + got.Inner.Code + "," + first + "," + got.Plain; c.ok && values != c.want {
			t.Errorf("Unmarshal(%q) = %q, want %q", c.in, values, c.want)
		}
		if got.Skip != "" || got.hidden != "" {
			t.Errorf("Unmarshal(%q) filled a field without a name", c.in)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{`{"sub":"u"}`, `{"a":[{"b":1},[],{}],"c":null}`, `{"a":1,"a":2}`, `"x"`, `[1]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got claims
		if strictjson.Unmarshal(data, &got) != nil {
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(trimBOM(data), &members); err != nil {
			if string(trimBOM(data)) != "null" {
				t.Fatalf("Unmarshal(%q) succeeds, encoding/json says %v", data, err)
			}
			return
		}
		var want string
		_ = json.Unmarshal(members["sub"], &want)
		if got.Subject != want {
			t.Errorf("Unmarshal(%q).Subject = %q, want that of the exact name, %q", data, got.Subject, want)
		}
	})
}

func trimBOM(data []byte) []byte {
	if len(data) >= 3 && string(data[:3]) == "\ufeff" {
		return data[3:]
	}
	return data
}
