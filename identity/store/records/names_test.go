package records_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

// field 30: an owner in the store cannot be confirmed by a guess without the
// keys, and a rotation or an update of this program loses no owner's records.
func TestOwnersAreKeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		first, second := records.NewKey("first"), records.NewKey("second")
		expires := time.Now().Add(time.Hour)
		kind := func(keys ...records.Key) *records.Kind[string] {
			return records.NewKind(open(t, s, keys...), "text:", records.JSON[string]())
		}
		put := func(k *records.Kind[string], name string) {
			t.Helper()
			if _, err := k.Put(t.Context(), records.Record[string]{ID: k.ID(name), Owner: k.Owner("issuer subject"), Value: name, Expires: expires}); err != nil {
				t.Fatal(err)
			}
		}
		before, during, after := kind(first), kind(first, second), kind(second, first)
		hash := string(before.ID("issuer subject")) // as version 0.1.0 named owners
		id := string(before.ID("0.1.0"))
		old := store.Record{Key: id, Owner: hash, Value: newSealer(t, first).Seal(id, []byte(`"0.1.0"`)), Expires: expires}
		if _, err := s.Put(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		put(before, "before")
		put(during, "during")
		put(after, "after")
		want := []string{"0.1.0", "after", "before", "during"}
		for step, k := range map[string]*records.Kind[string]{"step 1": during, "step 2": after} {
			list, err := k.List(t.Context(), k.Owners("issuer subject")...)
			var got []string
			for _, r := range list {
				got = append(got, r.Value)
			}
			slices.Sort(got)
			if ids, idsErr := k.IDs(t.Context(), k.Owners("issuer subject")...); err != nil || idsErr != nil || !slices.Equal(got, want) || len(ids) != len(want) {
				t.Errorf("%s of a rotation: List = %v, %v, IDs = %v, %v, want the records %v", step, got, err, ids, idsErr, want)
			}
		}
		if list, err := s.List(t.Context(), hash); err != nil || len(list) != 1 {
			t.Errorf("%d records have the hash of their owner without a key (%v), want that of version 0.1.0 alone", len(list), err)
		}
		if a, b := before.Owner("x"), records.NewKind(open(t, s, first), "other:", records.JSON[string]()).Owner("x"); strings.TrimPrefix(string(a), "text:") == strings.TrimPrefix(string(b), "other:") {
			t.Errorf("Owner = %q and %q of two kinds, want names that cannot be compared", a, b)
		}
	})
}
