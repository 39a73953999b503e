package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"b2trader.identity.auth/identity"
)

// identityWait bounds the try of the IdentityServer.
const identityWait = 10 * time.Second

// try says of a configuration that has no problems whether what it names works. A store that does not is an error, as
// it would be at the start. So is an IdentityServer whose answer does not fit the configuration; one that does not
// answer is not, since the site starts without it, and waits.
func (s *settings) try(ctx context.Context, stdout io.Writer) error {
	lines := []string{"The configuration is good."}
	found, storeErr := s.tryStore(ctx)
	if storeErr == nil {
		lines = append(lines, fmt.Sprintf("Store %s: %s.", s.storeName(), found))
	}
	found, identityErr := s.tryIdentity(ctx)
	if identityErr == nil {
		lines = append(lines, "IdentityServer: "+found+".")
	}
	if s.platformsFile != "" {
		lines = append(lines, "Platforms: "+strings.Join(s.offered(), ", ")+".")
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(stdout, line); err != nil {
			return err
		}
	}
	if err := errors.Join(storeErr, identityErr); err != nil {
		return fmt.Errorf("what it names does not work:\n%w", err)
	}
	return nil
}

// offered names the platforms, and says of which there is no call.
func (s *settings) offered() []string {
	config, _ := s.site(standIn, standIn) // its problems were told
	var offered []string
	for _, p := range config.Platforms {
		if p.Call.URL == "" {
			p.ID += " (without a call)"
		}
		offered = append(offered, p.ID)
	}
	return offered
}

func (s *settings) tryIdentity(ctx context.Context) (string, error) {
	if s.identityURL == "" {
		return "embedded", nil
	}
	ctx, cancel := context.WithTimeout(ctx, identityWait)
	defer cancel()
	client, err := identity.New(identity.Config{
		URL: s.identityURL, Issuer: s.identityIssuer, JWKSURL: s.identityJWKSURL, ClientID: identity.ClientSPA, InsecureAllowHTTP: s.insecureAllowHTTP,
	})
	if err != nil {
		return "", err
	}
	switch err := client.Ready(ctx); {
	case errors.Is(err, identity.ErrUnavailable):
		return fmt.Sprintf("WARNING: %s does not answer: %v", s.identityURL, err), nil
	case err != nil:
		return "", fmt.Errorf("-identity-url %s: %w", s.identityURL, err)
	}
	return s.identityURL + " answers", nil
}
