package vault_test

import (
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

// An entry of a session outlives a lost answer, which used its refresh token
// up. The README teaches this entry.
func TestEntryOfASessionOutlivesALostAnswer(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		session, err := p.client.Login(c.Context(), "trader@example.com", "trader-password")
		if err != nil {
			c.Fatal(err)
		}
		entry := vault.NewEntry("spa", session)
		if err := p.vault.Put(c.Context(), "k", entry); err != nil {
			c.Fatal(err)
		}
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{LoseAnswer: true})
		pass(31 * time.Second)
		if token := p.token("k"); same(token, session.Token) {
			c.Error("Token() returned the old token, want new ones")
		}
		if n, err := p.vault.DeleteOwner(c.Context(), entry.Owner); n != 1 || err != nil {
			c.Errorf("DeleteOwner(%q) = %d, %v, want the session's entry", entry.Owner, n, err)
		}
	})
}
