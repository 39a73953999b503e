package identity_test

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A machine's account in a vault, for seven lifetimes of a refresh token, with
// access tokens of 30 seconds: one sign-in for each lifetime, one renewal every
// 20 seconds, and always a live token. A lifetime is an hour, or with
// B2TRADER_TEST_LONG=1 a day, which takes a minute.
func TestMachineWeek(t *testing.T) {
	life := time.Hour
	if os.Getenv("B2TRADER_TEST_LONG") == "1" {
		life = 24 * time.Hour
	}
	synctest.Test(t, func(t *testing.T) {
		server := clienttest.New(t, identitytest.New, identitytest.Config{RefreshTokenLifetime: life})
		client := clienttest.New(t, identity.New, identity.Config{
			URL: "https://trader.example.com", ClientID: identity.ClientCoreIB, ClientSecret: tokenapi.NewSecret("core_ib-secret"),
			HTTP: tokenapi.HTTP{Transport: server.Transport()},
		})
		machine := clienttest.New(t, client.Keeper, tokenapi.Account{Login: "machine@example.com", Password: tokenapi.Fixed("machine-password")})
		asked := func() (signIns, renewals int) {
			return server.Grants(identitytest.GrantPassword), server.Grants("refresh_token")
		}
		w := vaulttest.New(t, map[string]vault.Refresher{"core_ib": machine}, asked)
		w.Put("worker", "core_ib", machine.FirstToken())
		const every, renewal = 5 * time.Second, 20 * time.Second
		for range 7 * life / every {
			w.Works("worker")
			<-time.After(every)
		}
		// A refresh token still works at the very end of its life. The renewal
		// after that is refused, and becomes a sign-in.
		total := int(7 * life / renewal)
		perLife := int(life/renewal) + 1
		w.Counts(1+(total-1)/perLife, total-1)
	})
}

func TestKeeperNeedsAnAccount(t *testing.T) {
	client := func(id, secret string) *identity.Client {
		return clienttest.New(t, identity.New, identity.Config{URL: "https://trader.example.com", ClientID: id, ClientSecret: tokenapi.NewSecret(secret)})
	}
	_, err := client(identity.ClientCoreIB, "5ecret").Keeper(tokenapi.Account{Pace: tokenapi.Pace{Interval: -1}})
	want := "identity: Keeper: Account.Login is missing\nidentity: Keeper: Account.Password is missing\nidentity: Keeper: Pace.Interval is negative"
	if err == nil || err.Error() != want {
		t.Errorf("Keeper = %v, want %s", err, want)
	}
	_, err = client(identity.ClientSPA, "").Keeper(tokenapi.Account{Login: "machine@example.com", Password: tokenapi.Fixed("p")})
	if err == nil || err.Error() != "identity: Keeper: Config.ClientSecret is missing" {
		t.Errorf("Keeper of spa = %v, want a problem of ClientSecret", err)
	}
}
