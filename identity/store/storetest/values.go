package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

// binary contains what breaks stores that take a key for text: a zero byte,
// invalid UTF-8, separators, and the characters of patterns and hash tags.
const binary = "\x00\xff\xfe' \"\\%_*?[a]{b}:/\r\n\t\u2028"

var valueCases = []testCase{
	{"stores and returns a record", "every process reads the complete record",
		func(t *testing.T, f fixture) { f.same(t, f.create(t, "key", "owner", "value")) }},

	{"keys that look alike", "a key is a string of bytes: case, spaces and zero bytes count, and a key is no owner",
		func(t *testing.T, f fixture) {
			var all []store.Record
			for _, key := range []string{"k", "K", "k ", " k", "k\x00", "\x00k", "\x00", "{k}", "0", "00"} {
				all = append(all, f.create(t, key, "k", "value of "+key))
			}
			for _, r := range all {
				f.same(t, r)
			}
		}},

	{"empty value", "a store does not look into a value, and an empty value is a value",
		func(t *testing.T, f fixture) {
			r := f.put(t, store.Record{Key: "nil", Expires: in(time.Hour)})
			f.same(t, r)
			r.Value = []byte{}
			f.same(t, f.put(t, r))
		}},

	{"large value", "a session with many claims has a long value, which some drivers cut or refuse by default",
		func(t *testing.T, f fixture) {
			r := f.create(t, "large", "owner", strings.Repeat("0123456789abcdef", 1<<16))
			f.same(t, r)
			r.Value = []byte(strings.Repeat("\x00\xff", 1<<19))
			f.same(t, f.put(t, r))
		}},

	{"no shared slices", "a caller that writes into its slice does not change what others read",
		func(t *testing.T, f fixture) {
			value := []byte("value")
			want := f.put(t, store.Record{Key: "key", Owner: "owner", Value: value, Expires: in(time.Hour)})
			want.Value = []byte("value")
			copy(value, "XXXXX")
			f.same(t, want)
			copy(f.get(t, f.a, "key").Value, "YYYYY")
			f.same(t, want)
			list, err := f.a.List(f.ctx, "owner")
			if err != nil || len(list) != 1 {
				t.Fatalf("List(owner) = %d records, %v, want 1", len(list), err)
			}
			copy(list[0].Value, "ZZZZZ")
			f.same(t, want)
		}},
}

// exactCases have handles of their own, because the store must get exactly these
// keys and owners.
var exactCases = []testCase{
	{"binary keys, owners and values", "callers hash keys and seal values, so all bytes occur",
		func(t *testing.T, f fixture) {
			r := f.create(t, binary, binary+"owner", binary)
			f.same(t, r)
			f.listed(t, r.Owner, r.Key)
			r.Value = []byte("next")
			f.same(t, f.put(t, r))
			f.delete(t, binary)
			f.missing(t, binary, store.ErrDeleted)
		}},

	{"longest key and owner", "what Record.Check allows works, although an index or a notification may allow less",
		func(t *testing.T, f fixture) {
			r := f.create(t, strings.Repeat("\xff", store.MaxKey), strings.Repeat("\x00", store.MaxKey), "value")
			f.same(t, r)
			f.listed(t, r.Owner, r.Key)
		}},

	{"refuses invalid records", "a record that one store cannot keep is refused by all stores",
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
				if _, err := f.a.Put(f.ctx, r); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("Put(record with %s) = %v, want ErrInvalid", what, err)
				}
			}
			f.missing(t, "key", store.ErrNotFound)
		}},
}
