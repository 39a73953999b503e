package storetest

import (
	"testing"

	"b2trader.identity.auth/identity/store"
)

// TestLinearizable checks the checker, because a checker that accepts every
// history would accept every store.
func TestLinearizable(t *testing.T) {
	for _, test := range []struct {
		name    string
		history history
		want    bool
	}{
		{"nothing happened", nil, true},
		{"create, swap, delete", history{
			{began: 1, ended: 2, gave: 10}, {began: 3, ended: 4, names: 10, gave: 11}, {began: 5, ended: 6, delete: true},
			{began: 7, ended: 8, names: 11, refused: store.ErrDeleted}}, true},
		{"concurrent swaps, one wins", history{
			{began: 1, ended: 2, gave: 10}, {began: 3, ended: 6, names: 10, refused: store.ErrConflict}, {began: 4, ended: 5, names: 10, gave: 11}}, true},
		{"two winners of one version", history{
			{began: 1, ended: 2, gave: 10}, {began: 3, ended: 6, names: 10, gave: 11}, {began: 4, ended: 5, names: 10, gave: 12}}, false},
		{"created anew after a deletion", history{
			{began: 1, ended: 2, gave: 10}, {began: 3, ended: 4, delete: true}, {began: 5, ended: 6, gave: 11}}, false},
		{"created during a deletion of nothing", history{
			{began: 1, ended: 4, delete: true}, {began: 2, ended: 3, gave: 11}}, true},
		{"swapped after the deletion ended", history{
			{began: 1, ended: 2, gave: 10}, {began: 3, ended: 4, delete: true}, {began: 5, ended: 6, names: 10, gave: 11}}, false},
		{"conflict without another writer", history{
			{began: 1, ended: 2, gave: 10}, {began: 3, ended: 4, names: 10, refused: store.ErrConflict}}, false},
		{"miss of an existing record", history{
			{began: 1, ended: 2, gave: 10}, {began: 3, ended: 4, names: 10, refused: store.ErrNotFound}}, false},
		{"version goes back", history{
			{began: 1, ended: 2, gave: 10}, {began: 3, ended: 4, names: 10, gave: 9}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := linearizable(test.history); got != test.want {
				t.Errorf("linearizable = %v, want %v, for\n%s", got, test.want, test.history)
			}
		})
	}
}
