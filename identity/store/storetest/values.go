package storetest

import (
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

// binary holds what breaks stores that take a key for text: a zero byte, no UTF-8, separators, glob and hash-tag
// characters.
const binary = "\x00\xff\xfe' \"\\%_*?[a]{b}:/\r\n\t\u2028"

var valueCases = []testCase{
	{"stores and returns a record", "a record must come back whole, by every process",
		func(t *testing.T, f fixture) { f.same(t, f.create(t, "key", "owner", "value")) }},

	{"binary keys, owners and values", "callers hash keys and seal values: all bytes occur",
		func(t *testing.T, f fixture) {
			r := f.create(t, binary, binary+"owner", binary)
			f.same(t, r)
			f.listed(t, r.Owner, r.Key)
			r.Value = []byte("next")
			f.same(t, f.put(t, r))
			if err := f.a.Delete(f.ctx, binary); err != nil {
				t.Fatal(err)
			}
			f.gone(t, binary, store.ErrDeleted)
		}},

	{"keys that look alike", "a key is its bytes: case, padding and zero bytes count, and a key is no owner",
		func(t *testing.T, f fixture) {
			var all []store.Record
			for _, key := range []string{"k", "K", "k ", " k", "k\x00", "\x00k", "\x00", "{k}", "0", "00"} {
				all = append(all, f.create(t, key, "k", "value of "+key))
			}
			for _, r := range all {
				f.same(t, r)
			}
		}},

	{"empty value", "a value is opaque, and the empty one is a value",
		func(t *testing.T, f fixture) {
			r := f.put(t, store.Record{Key: "nil", Expires: in(time.Hour)})
			f.same(t, r)
			r.Value = []byte{}
			f.same(t, f.put(t, r))
		}},

	{"large value", "a session with many claims takes long values, which drivers cut or refuse by default",
		func(t *testing.T, f fixture) {
			r := f.create(t, "large", "owner", strings.Repeat("0123456789abcdef", 1<<16))
			f.same(t, r)
			r.Value = []byte(strings.Repeat("\x00\xff", 1<<19))
			f.same(t, f.put(t, r))
		}},

	{"longest key and owner", "what Check allows must work: an index or a notification may be narrower",
		func(t *testing.T, f fixture) {
			r := f.create(t, strings.Repeat("\xff", store.MaxKey), strings.Repeat("\x00", store.MaxKey), "value")
			f.same(t, r)
			f.listed(t, r.Owner, r.Key)
		}},

	{"no shared slices", "a caller that writes into its slice must not change what others read",
		func(t *testing.T, f fixture) {
			value := []byte("value")
			want := f.put(t, store.Record{Key: "key", Owner: "owner", Value: value, Expires: in(time.Hour)})
			want.Value = []byte("value")
			copy(value, "XXXXX")
			f.same(t, want)
			got, err := f.a.Get(f.ctx, "key")
			if err != nil {
				t.Fatal(err)
			}
			copy(got.Value, "YYYYY")
			f.same(t, want)
			list, err := f.a.List(f.ctx, "owner")
			if err != nil || len(list) != 1 {
				t.Fatalf("List: %d records, %v", len(list), err)
			}
			copy(list[0].Value, "ZZZZZ")
			f.same(t, want)
		}},

	{"refuses invalid records", "a record that some store could not keep must be refused by all, before it is needed",
		func(t *testing.T, f fixture) {
			long := strings.Repeat("x", store.MaxKey+1)
			for what, r := range map[string]store.Record{
				"no key":          {Expires: in(time.Hour)},
				"long key":        {Key: long, Expires: in(time.Hour)},
				"long owner":      {Key: "key", Owner: long, Expires: in(time.Hour)},
				"long value":      {Key: "key", Value: make([]byte, store.MaxValue+1), Expires: in(time.Hour)},
				"no expiry":       {Key: "key"},
				"absurd expiry":   {Key: "key", Expires: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
				"negative expiry": {Key: "key", Expires: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)},
				"absurd version":  {Key: "key", Version: 1 << 63, Expires: in(time.Hour)},
			} {
				if _, err := f.a.Put(f.ctx, r); err == nil {
					t.Errorf("%s: accepted", what)
				} else {
					checkError(t, err, store.ErrInvalid)
				}
			}
			f.gone(t, "key", store.ErrNotFound)
		}},
}
