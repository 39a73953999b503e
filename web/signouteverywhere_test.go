package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
)

func newTestServer(t *testing.T) *Server {
	t.Helper()
	client, err := identity.New(identity.Config{URL: "http://127.0.0.1", ClientID: identity.ClientSPA})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Clients: []*identity.Client{client}, PublicURL: "https://app.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Signing out everywhere leaves nothing in the vault.
func TestSignOutEverywhereEmptiesTheVault(t *testing.T) {
	s := newTestServer(t)
	u := user{Owner: "owner", VaultKey: "mine", Client: "spa"}
	for key, owner := range map[string]string{"mine": "owner", "also mine": "owner", "another's": "other"} {
		entry := vault.Entry{Owner: owner, Client: "spa", Token: &oauth2.Token{AccessToken: "a"}}
		if err := s.vault.Put(t.Context(), key, entry); err != nil {
			t.Fatal(err)
		}
	}
	h := s.withSession(s.answers.Page(func(w http.ResponseWriter, r *http.Request) error { return s.ownSessions.signOutEverywhere(w, r, u) }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/sign-out/everywhere", nil))
	for key, want := range map[string]error{"mine": vault.ErrNotFound, "also mine": vault.ErrNotFound, "another's": nil} {
		if _, err := s.vault.Status(t.Context(), key); !errors.Is(err, want) {
			t.Errorf("%s: %v", key, err)
		}
	}
}
