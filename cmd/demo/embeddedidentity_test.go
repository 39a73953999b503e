package main

import (
	"maps"
	"testing"
)

// Each sample user is offered with the client that opens the most for them.
func TestSampleUsersHaveClients(t *testing.T) {
	got := map[string]string{}
	for _, u := range embedded("http://127.0.0.1:1").sampleUsers {
		got[u.Email] = u.Client
	}
	want := map[string]string{"trader@example.com": "spa", "admin@example.com": "spa_admin", "guarded@example.com": "spa"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
