package identity_test

import (
	"context"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A worker that calls the BackOffice as core_ib for as long as it runs.
func ExampleClient_Keeper() {
	var client *identity.Client // from New, for core_ib with its secret

	machine, err := client.Keeper(tokenapi.Account{Login: "ib@example.com", Password: func(context.Context) (tokenapi.Secret, error) {
		password, err := os.ReadFile("/run/secrets/ib-password") // at each sign-in, so it may change
		return tokenapi.NewSecret(strings.TrimSpace(string(password))), err
	}})
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := vault.New(vault.Config{
		Store:      memstore.New(),
		Keys:       []vault.Key{vault.NewKey("this process")},
		Refreshers: map[string]vault.Refresher{"core_ib": machine},
	})
	if err != nil {
		log.Fatal(err)
	}
	entry := vault.Entry{Owner: "worker", Client: "core_ib", Token: machine.FirstToken()}
	if err := tokens.Put(context.Background(), "worker", entry); err != nil {
		log.Fatal(err)
	}
	api := &http.Client{Transport: &vault.Transport{Vault: tokens, Key: "worker"}, Timeout: time.Minute}
	// Every request of api carries a live token from here on.
	_ = api
}
