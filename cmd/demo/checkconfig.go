package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// identityWait bounds the check of the IdentityServer.
const identityWait = 10 * time.Second

// standIn takes the place of an address that is known only while listening.
const standIn = "http://127.0.0.1"

// check opens the whole configuration without listening, and closes it. Its
// error joins the problems and all others.
func (s *settings) check(problems []error) (parts, error) {
	p, more := s.site(standIn, standIn)
	problems = append(problems, more...)
	if p.web.Keys == nil { // there is no file of keys, or it has problems of its own
		p.web.Keys = []vault.Key{vault.NewKey("stand-in")}
	}
	standInStore := memstore.New()
	defer func() { _ = standInStore.Close() }()
	p.web.Store = standInStore
	if len(p.web.Clients) == 0 { // there is a problem with an address; a stand-in lets the rest be checked
		c, err := identity.New(identity.Config{URL: standIn, ClientID: identity.ClientSPA})
		if err != nil {
			return p, err
		}
		p.web.Clients = []*identity.Client{c}
	}
	site, err := p.open()
	if err != nil {
		return p, errors.Join(append(problems, err)...)
	}
	problems = append(problems, site.close(context.Background()))
	return p, errors.Join(problems...)
}

// checkConfig reports whether the store and the IdentityServer of a
// configuration without problems work. A store that does not work is an error,
// as it would be at the start. So is an IdentityServer whose answer does not fit
// the configuration. An IdentityServer that does not answer is a warning: the
// site starts without it, and waits.
func (s *settings) checkConfig(ctx context.Context, p parts, stdout io.Writer) error {
	lines := []string{"The configuration is good."}
	found, storeErr := s.checkStore(ctx)
	if storeErr == nil {
		lines = append(lines, fmt.Sprintf("Store %s: %s.", s.storeName(), found))
	}
	found, identityErr := s.checkIdentity(ctx)
	if identityErr == nil {
		lines = append(lines, "IdentityServer: "+found+".")
	}
	if s.platformsFile != "" {
		lines = append(lines, "Platforms: "+strings.Join(p.offered(), ", ")+".")
	}
	for _, warning := range s.readableFiles() {
		lines = append(lines, "WARNING: "+warning+".")
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(stdout, line); err != nil {
			return err
		}
	}
	if err := errors.Join(storeErr, identityErr); err != nil {
		return fmt.Errorf("the configuration is good, but a server does not work with it:\n%w", err)
	}
	return nil
}

// offered names the platforms, and says which have no call.
func (p parts) offered() []string {
	var offered []string
	for _, platform := range p.showcase.Platforms {
		name := platform.ID
		if platform.Call.URL == "" {
			name += " (without a call)"
		}
		offered = append(offered, name)
	}
	return offered
}

func (s *settings) checkIdentity(ctx context.Context) (string, error) {
	if s.identityURL == "" {
		return "embedded", nil
	}
	ctx, cancel := context.WithTimeout(ctx, identityWait)
	defer cancel()
	client, err := identity.New(identity.Config{
		URL: s.identityURL, Issuer: s.identityIssuer, JWKSURL: s.identityJWKSURL, ClientID: identity.ClientSPA, HTTP: tokenapi.HTTP{InsecureAllowHTTP: s.insecureAllowHTTP},
	})
	if err != nil {
		return "", err
	}
	switch err := client.Ready(ctx); {
	case errors.Is(err, tokenapi.ErrUnavailable):
		return fmt.Sprintf("WARNING: %s does not answer: %v", s.identityURL, err), nil
	case err != nil:
		return "", fmt.Errorf("-identity-url %s: %w", s.identityURL, err)
	}
	return s.identityURL + " answers", nil
}
