package vault_test

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// An entry of an account without a person that was put without an Until is there
// after months, in use or not. That of a person ends after 30 days.
//
// field 37
func TestEntriesWithoutAPersonStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(t, nil)
		for _, idle := range []time.Duration{31 * 24 * time.Hour, 100 * 24 * time.Hour} {
			if _, err := w.vault.Token(t.Context(), "k"); err != nil {
				t.Fatalf("Token = %v, want a token", err)
			}
			<-time.After(idle)
			if _, err := w.vault.Token(t.Context(), "k"); err != nil {
				t.Errorf("Token after %v without a renewal = %v, want a token", idle, err)
			}
		}
		if _, err := w.vault.Delete(t.Context(), "k"); err != nil {
			t.Errorf("Delete = %v, want nil", err)
		}
	})
	inCluster(t, 1, func(c *cluster, p *process) {
		token := p.login()
		entry := vault.Entry{Client: "spa", Token: &oauth2.Token{AccessToken: token.AccessToken, RefreshToken: token.RefreshToken}}
		if err := p.vault.Put(c.Context(), "person", entry); err != nil {
			c.Fatal(err)
		}
		pass(30*24*time.Hour + time.Hour)
		if _, err := p.vault.Token(c.Context(), "person"); tokenapi.OutcomeOf(err).Kind != tokenapi.Refused {
			c.Errorf("Token of a person after 30 days = %v, want ErrNotFound", err)
		}
	})
}
