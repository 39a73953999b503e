package main

import (
	"context"

	"b2trader.identity.auth/cmd/demo/showcase"
	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// machineUser is the sample user of the machine accounts.
const machineUser = "machine@example.com"

// embedded returns the installation of the embedded IdentityServer at url, with
// its sample users and clients.
func embedded(url string) installation {
	in := installation{
		url:          url,
		frontOffice:  url + "/frontoffice",
		backOffice:   url + "/backoffice",
		secrets:      make(map[string]tokenapi.Secret),
		machineEmail: machineUser,
	}
	for _, c := range identitytest.SampleClients() {
		in.secrets[c.ID] = tokenapi.NewSecret(c.Secret)
	}
	for _, u := range identitytest.SampleUsers() {
		if u.Email == machineUser {
			in.machinePassword = func(context.Context) (tokenapi.Secret, error) { return tokenapi.NewSecret(u.Password), nil }
			continue
		}
		in.sampleUsers = append(in.sampleUsers, showcase.SampleUser{
			Email: u.Email, Password: u.Password, Client: clientFor(u), Code: u.SecondFactorCode, Note: noteOn(u),
		})
	}
	return in
}

// machineCredentials names the sample account and client of a machine.
func machineCredentials() string {
	for _, c := range identitytest.SampleClients() {
		for _, u := range identitytest.SampleUsers() {
			if u.Email == machineUser && c.ID == identity.ClientCoreIB {
				return "login " + u.Email + ", password " + u.Password + ", client " + c.ID + ", secret " + c.Secret
			}
		}
	}
	return ""
}

// clientFor returns the client that opens the most for the user.
func clientFor(u identitytest.User) string {
	if u.Role != "" {
		return identity.ClientSPAAdmin
	}
	return identity.ClientSPA
}

func noteOn(u identitytest.User) string {
	switch {
	case u.SecondFactorCode != "":
		return "Has a second factor. The one-time code is " + u.SecondFactorCode + "."
	case u.Role != "":
		return "Has the role " + u.Role + ". In the application Back office every page is open, with the platforms."
	}
	return "A trader, for the application Web terminal."
}
