package records_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

// openParts opens texts of which the part before a space stays in memory.
func openParts(t *testing.T, s *testStore) texts {
	t.Helper()
	codec := records.JSON[string]()
	codec.Keep = func(v string) string { part, _, _ := strings.Cut(v, " "); return part }
	codec.Complete = func(kept, older string) string { _, rest, _ := strings.Cut(older, " "); return kept + " " + rest }
	k := records.NewKind(open(t, s), "text:", codec)
	return texts{t, k, k.ID("key")}
}

// Memory has what Keep leaves of a value in each process; the store
// has it whole, also after a change that is made from the old value, and after
// the store forgot the newest version.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &testStore{Store: memstore.New()}
		here, there := openParts(t, s), openParts(t, s)
		synctest.Wait()
		wantsBoth := func(kept, whole string) {
			t.Helper()
			for _, k := range []texts{here, there} {
				k.wants(kept)
				r, err := k.Ref(k.id).Read(t.Context())
				if err != nil || r.Value != whole {
					t.Errorf("Read = %q, %v, want %q", valueOf(r), err, whole)
				}
				k.wants(kept)
			}
		}
		if one := here.put(0, "one long"); one.Value != "one long" {
			t.Errorf("Put = %q, want %q", one.Value, "one long")
		}
		wantsBoth("one", "one long")
		two, err := there.Update(t.Context(), there.id, func(old *records.Record[string]) (records.Record[string], error) {
			return there.record(0, "two after "+old.Value), nil
		})
		if err != nil || two.Value != "two after one long" {
			t.Errorf("Update = %q, %v, want %q", valueOf(two), err, "two after one long")
		}
		synctest.Wait()
		wantsBoth("two", "two after one long")

		s.Store = memstore.New()
		openParts(t, &testStore{Store: s.Store}).put(0, "older remainder")
		if r, err := here.Ref(here.id).Read(t.Context()); err != nil || r.Value != "two remainder" {
			t.Errorf("Read of a forgotten record = %q, %v, want %q", valueOf(r), err, "two remainder")
		}
		here.wants("two")
	})
}
