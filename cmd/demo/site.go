package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"b2trader.identity.auth/cmd/demo/showcase"
	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web"
)

// exchangeTimeout bounds each exchange of a sign-in with the IdentityServer. A
// sign-in takes a few, which together must fit into the server's write timeout.
// It does not bound a renewal: see tokenapi.RefreshTimeout.
const exchangeTimeout = 15 * time.Second

// parts is the configuration of the program: the site, and the pages on it that
// only a demo has.
type parts struct {
	web      web.Config
	showcase showcase.Config
	machines []machineAccount
}

// openSite is the site with the pages of the showcase, on one cache of the store.
type openSite struct {
	*web.Server
	pages   *showcase.Showcase
	records *records.Cache
}

// open opens the site. Close the parts from the first to the last. The error is
// in words of flags.
func (p parts) open() (openSite, error) {
	p.web.Metrics = web.NewMetrics()
	p.web.Store = p.web.Metrics.Store(p.web.Store)
	cache, err := records.Open(records.Config{Store: p.web.Store, Keys: p.web.Keys, Logger: p.web.Logger})
	if err != nil {
		return openSite{}, p.inFlags(err)
	}
	p.web.Records = cache
	c := p.showcase
	c.Records, c.Metrics, c.Logger = cache, p.web.Metrics, p.web.Logger
	pages, err := showcase.New(c)
	if err == nil {
		pages.AddTo(&p.web)
	}
	site, webErr := web.New(p.web)
	d := openSite{site, pages, cache}
	if err := errors.Join(err, webErr); err != nil {
		return openSite{}, errors.Join(p.inFlags(err), d.close(context.Background()))
	}
	return d, nil
}

// close closes what is open.
func (d openSite) close(ctx context.Context) (err error) {
	if d.Server != nil {
		err = d.Close(ctx)
	}
	if d.pages != nil {
		err = errors.Join(err, d.pages.Close(ctx))
	}
	d.records.Close()
	return err
}

// installation is the B2Trader that the site works with.
type installation struct {
	url, issuer, jwksURL    string
	frontOffice, backOffice string
	secrets                 map[string]tokenapi.Secret // by client; a client without one is not offered
	machineEmail            string
	machinePassword         func(context.Context) (tokenapi.Secret, error)
	sampleUsers             []showcase.SampleUser
}

// machineAccount is an account that signs in without a person.
type machineAccount struct {
	client   *identity.Client
	email    string
	password func(context.Context) (tokenapi.Secret, error)
	call     string // the URL of what it may read; empty: no API is configured
}

// languages are the values of -language.
var languages = map[string]*web.Texts{"en": web.English(), "de": web.German()}

// site returns the configuration. The embedded IdentityServer is at identityURL
// and the site at publicURL, where the settings do not say.
func (s *settings) site(identityURL, publicURL string) (parts, []error) {
	in, problems := embedded(identityURL), []error(nil)
	if s.identityURL != "" {
		in, problems = s.installation()
	}
	p := parts{
		web: web.Config{
			PublicURL: cmp.Or(s.publicURL, publicURL), FrontOfficeURL: in.frontOffice, BackOfficeURL: in.backOffice,
			InsecureAllowHTTP: s.insecureAllowHTTP, TrustedProxies: s.trustedProxies,
			IdleTimeout: s.idleTimeout, AbsoluteTimeout: s.absoluteTimeout,
			MaxSessionsPerUser: s.maxSessionsPerUser, ForgetIdentitySession: s.forgetIdentity, HSTSIncludeSubDomains: s.hstsSubDomains,
			Brand: web.Brand{Product: s.product}, Texts: languages[s.language],
		},
		showcase: showcase.Config{
			FrontOfficeURL: strings.TrimRight(in.frontOffice, "/"), BackOfficeURL: strings.TrimRight(in.backOffice, "/"),
			InsecureAllowHTTP: s.insecureAllowHTTP, SampleUsers: in.sampleUsers, IdentityURL: in.url,
		},
	}
	if s.sessionKeysFile != "" {
		keys, err := readKeys(s.sessionKeysFile)
		if err != nil {
			problems = append(problems, err)
		}
		p.web.Keys = keys
	}
	if err := p.addClients(in, s.insecureAllowHTTP); err != nil {
		return p, append(problems, p.inFlags(err))
	}
	more := s.addPlatforms(&p)
	return p, append(problems, more...)
}

// addClients adds a client of the IdentityServer for each secret there is. Its
// error is an address, which is the same for all clients.
func (p *parts) addClients(in installation, insecure bool) error {
	for _, id := range []string{identity.ClientSPA, identity.ClientSPAAdmin, identity.ClientCoreIB, identity.ClientLK} {
		secret, offered := in.secrets[id]
		if !offered {
			continue
		}
		client, err := identity.New(identity.Config{
			URL: in.url, Issuer: in.issuer, JWKSURL: in.jwksURL, ClientID: id, ClientSecret: secret,
			HTTP: tokenapi.HTTP{Timeout: exchangeTimeout, Observe: web.Observe, InsecureAllowHTTP: insecure},
		})
		switch {
		case err != nil:
			return err
		case id == identity.ClientSPA || id == identity.ClientSPAAdmin:
			p.web.Clients = append(p.web.Clients, client)
		case in.machineEmail != "":
			p.machines = append(p.machines, machineAccount{client, in.machineEmail, in.machinePassword, in.callOf(id)})
			if p.web.Ready == nil {
				p.web.Ready = make(map[string]func(context.Context) error)
			}
			p.web.Ready["machine/"+id] = client.Ready
		}
	}
	return nil
}

// callOf returns the URL of what a machine's client may read, or "".
func (in installation) callOf(client string) string {
	switch {
	case client == identity.ClientCoreIB && in.backOffice != "":
		return in.backOffice + "/api/v1/clients"
	case client == identity.ClientLK && in.frontOffice != "":
		return in.frontOffice + "/api/v3/account"
	}
	return ""
}

// installation returns the B2Trader that the settings name.
func (s *settings) installation() (installation, []error) {
	in := installation{
		url: s.identityURL, issuer: s.identityIssuer, jwksURL: s.identityJWKSURL, frontOffice: s.frontOfficeURL, backOffice: s.backOfficeURL,
		secrets:      map[string]tokenapi.Secret{identity.ClientSPA: {}},
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
func (s secretSource) read(ctx context.Context) (tokenapi.Secret, error) {
	if s.file == "" {
		return tokenapi.NewSecret(s.value), nil
	}
	secret, err := secretIn(s.file)(ctx)
	if err != nil {
		return secret, fmt.Errorf("%s_FILE: %w", s.name, err)
	}
	return secret, nil
}

// secretIn returns a function that reads a secret's file.
func secretIn(file string) func(context.Context) (tokenapi.Secret, error) {
	return func(context.Context) (tokenapi.Secret, error) {
		if file == "" {
			return tokenapi.Secret{}, errors.New("the name of the secret's file is missing")
		}
		content, err := os.ReadFile(file) //nolint:gosec // the operator names it
		if err != nil {
			return tokenapi.Secret{}, err
		}
		secret := tokenapi.NewSecret(strings.TrimRight(string(content), "\r\n"))
		if secret.IsZero() {
			return secret, fmt.Errorf("%s is empty", file)
		}
		return secret, nil
	}
}
