package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
