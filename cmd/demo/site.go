package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web"
)

// exchangeTimeout bounds each exchange with the IdentityServer. A sign-in takes
// a few, which together must fit into the server's write timeout.
const exchangeTimeout = 15 * time.Second

// standIn is an address that only listening would tell.
const standIn = "http://127.0.0.1"

// check tries the whole configuration without listening. Addresses that only
// listening would tell are stood in for. Its error joins problems and all others.
func (s *settings) check(problems []error) error {
	config, more := s.site(standIn, standIn)
	problems = append(problems, more...)
	if config.Keys == nil { // those of the file; without them, or if they cannot be read, others do as well here
		config.Keys = []vault.Key{vault.NewKey("stand-in")}
	}
	standInStore := memstore.New()
	defer func() { _ = standInStore.Close() }()
	config.Store = standInStore
	if len(config.Clients) == 0 {
		// No client could be made, which has been reported; this one lets the rest be checked too.
		c, err := identity.New(identity.Config{URL: standIn, ClientID: identity.ClientSPA})
		if err != nil {
			return err
		}
		config.Clients = []*identity.Client{c}
	}
	server, err := web.New(config)
	if err != nil {
		problems = append(problems, err)
	} else {
		problems = append(problems, server.Close(context.Background()))
	}
	if err := errors.Join(problems...); err != nil {
		return errors.New(inFlags.Replace(callInFile.ReplaceAllString(err.Error(), "-platforms-file: $1.call")))
	}
	return nil
}

// inFlags says in flags what the packages say in fields.
var inFlags = strings.NewReplacer(
	"Config.URL", "-identity-url",
	"Config.PublicURL", "-public-url",
	"Config.FrontOfficeURL", "-frontoffice-url",
	"Config.BackOfficeURL", "-backoffice-url",
	"InsecureAllowHTTP", "-insecure-allow-http",
	"Config.JWKSURL", "-identity-jwks-url",
	"Config.IdleTimeout", "-idle-timeout",
	"AbsoluteTimeout", "-absolute-timeout",
	"Config.MaxSessionsPerUser", "-max-sessions-per-user",
)

// installation is the B2Trader that the site works with.
type installation struct {
	url, issuer, jwksURL    string
	frontOffice, backOffice string
	secrets                 map[string]identity.Secret // by client; those without are not offered
	machineEmail            string
	machinePassword         func(context.Context) (identity.Secret, error)
	sampleUsers             []templates.SampleUser
}

// site is the configuration of the web server. The embedded IdentityServer is
// at identityURL and the site at publicURL, where the settings do not say.
func (s *settings) site(identityURL, publicURL string) (web.Config, []error) {
	in, problems := embedded(identityURL), []error(nil)
	if s.identityURL != "" {
		in, problems = s.installation()
	}
	config := web.Config{
		PublicURL: cmp.Or(s.publicURL, publicURL), FrontOfficeURL: in.frontOffice, BackOfficeURL: in.backOffice,
		InsecureAllowHTTP: s.insecureAllowHTTP, TrustedProxies: s.trustedProxies, SampleUsers: in.sampleUsers,
		IdleTimeout: s.idleTimeout, AbsoluteTimeout: s.absoluteTimeout,
		MaxSessionsPerUser: s.maxSessionsPerUser, ForgetIdentitySession: s.forgetIdentity,
	}
	if s.sessionKeysFile != "" {
		keys, err := readKeys(s.sessionKeysFile)
		if err != nil {
			problems = append(problems, err)
		}
		config.Keys = keys
	}
	for _, id := range []string{identity.ClientSPA, identity.ClientSPAAdmin, identity.ClientCoreIB, identity.ClientLK} {
		secret, offered := in.secrets[id]
		if !offered {
			continue
		}
		client, err := identity.New(identity.Config{
			URL: in.url, Issuer: in.issuer, JWKSURL: in.jwksURL, ClientID: id, ClientSecret: secret,
			Timeout: exchangeTimeout, Observe: web.Observe, InsecureAllowHTTP: s.insecureAllowHTTP,
		})
		switch {
		case err != nil:
			return config, append(problems, err) // an address, which is the same for all of them
		case id == identity.ClientSPA || id == identity.ClientSPAAdmin:
			config.Clients = append(config.Clients, client)
		case in.machineEmail != "":
			config.Machine = append(config.Machine, web.MachineIdentity{Client: client, Email: in.machineEmail, Password: in.machinePassword})
		}
	}
	if s.platformsFile != "" {
		platforms, more := s.platforms(config.Machine, in)
		config.Platforms, problems = platforms, append(problems, more...)
	}
	return config, problems
}

// installation is the one that the settings name.
func (s *settings) installation() (installation, []error) {
	in := installation{
		url: s.identityURL, issuer: s.identityIssuer, jwksURL: s.identityJWKSURL, frontOffice: s.frontOfficeURL, backOffice: s.backOfficeURL,
		secrets:      map[string]identity.Secret{identity.ClientSPA: {}},
		machineEmail: s.machineEmail, machinePassword: s.machinePassword.read,
	}
	var problems []error
	for id, source := range map[string]secretSource{
		identity.ClientSPAAdmin: s.spaAdminSecret, identity.ClientCoreIB: s.coreIBSecret, identity.ClientLK: s.lkSecret,
	} {
		if !source.given() {
			continue
		}
		secret, err := source.read(context.Background())
		if err != nil {
			problems = append(problems, err)
			continue
		}
		in.secrets[id] = secret
	}
	if s.machinePassword.given() {
		if _, err := s.machinePassword.read(context.Background()); err != nil {
			problems = append(problems, err)
		}
	}
	return in, problems
}

// read returns the secret. A file is read each time, so that it can be changed
// without a restart; line ends after the secret are not part of it.
func (s secretSource) read(ctx context.Context) (identity.Secret, error) {
	if s.file == "" {
		return identity.NewSecret(s.value), nil
	}
	secret, err := secretIn(s.file)(ctx)
	if err != nil {
		return secret, fmt.Errorf("%s_FILE: %w", s.name, err)
	}
	return secret, nil
}

// secretIn returns a function that reads a secret's file.
func secretIn(file string) func(context.Context) (identity.Secret, error) {
	return func(context.Context) (identity.Secret, error) {
		if file == "" {
			return identity.Secret{}, errors.New("the name of the secret's file is missing")
		}
		content, err := os.ReadFile(file) //nolint:gosec // the operator names it
		if err != nil {
			return identity.Secret{}, err
		}
		secret := identity.NewSecret(strings.TrimRight(string(content), "\r\n"))
		if secret.IsZero() {
			return secret, fmt.Errorf("%s is empty", file)
		}
		return secret, nil
	}
}
