package storetest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

var ownerCases = []testCase{
	{"list", "a user sees and ends the sessions of that user and no others",
		func(t *testing.T, f fixture) {
			f.listed(t, "alice")
			f.create(t, "a1", "alice", "1")
			a2 := f.create(t, "a2", "alice", "2")
			f.create(t, "b1", "bob", "3")
			f.listed(t, "alice", "a1", "a2")
			f.listed(t, "bob", "b1")
			f.listed(t, "ali")
			f.listed(t, "a1")
			f.delete(t, "a1")
			f.listed(t, "alice", "a2")
			list, err := f.b.List(f.ctx, "alice")
			if err != nil || len(list) != 1 {
				t.Fatalf("List(alice) = %d records, %v, want 1", len(list), err)
			}
			checkRecord(t, list[0], a2)
		}},

	{"owners that look alike", "an owner is a string of bytes, and no pattern",
		func(t *testing.T, f fixture) {
			owners := []string{"*", "o", "O", "o ", "o\x00", "%", "_", "{o}", "\xff", "\x00"}
			for i, owner := range owners {
				f.create(t, strconv.Itoa(i), owner, "value")
			}
			for i, owner := range owners {
				f.listed(t, owner, strconv.Itoa(i))
			}
		}},

	{"records without an owner", "sessions before sign-in have no owner; a list of all of them would grow without bound",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "", "value")
			f.same(t, r)
			f.listed(t, "")
			f.delete(t, "key")
			f.missing(t, "key", store.ErrDeleted)
		}},

	{"long list", "an account may have many sessions: the list is complete beyond any page or batch",
		func(t *testing.T, f fixture) {
			const n = 700
			want := make([]string, n)
			for i := range want {
				want[i] = fmt.Sprintf("key %03d", i)
			}
			inParallel(t, n, func(i int) error {
				_, err := f.a.Put(f.ctx, store.Record{Key: want[i], Owner: "owner", Expires: in(time.Hour)})
				return err
			})
			f.listed(t, "owner", want...)
			inParallel(t, n-1, func(i int) error { return f.a.Delete(f.ctx, want[i+1]) })
			f.listed(t, "owner", want[0])
		}},

	{"list after a refused Put", "a Put that fails leaves no record in a list",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			f.refused(t, f.a, store.Record{Key: "key", Owner: "thief", Expires: in(2 * time.Hour)}, store.ErrConflict)
			f.listed(t, "thief")
			f.delete(t, "key")
			f.refused(t, f.a, r, store.ErrDeleted)
			f.listed(t, "owner")
		}},
}
