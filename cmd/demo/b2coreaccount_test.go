package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/tokenapi"
)

// An account of B2Core in the file leads to B2Trader's API. Its card shows the
// e-mail address, and no page the password.
func TestB2CoreAccount(t *testing.T) {
	t.Parallel()
	core := b2coretest.Start(t, b2coretest.Config{})
	d := start(t, "-insecure-embedded-servers", "-platforms-file", fileOf(t, map[string]members{"b2core": {
		"url": core.URL(), "email": b2coretest.SampleEmail, "password_file": secretFile(t, b2coretest.SamplePassword+"\n"), "call": core.URL() + b2coretest.APIPath,
	}}))
	office := newDesk(t, d.site)
	office.secrets = []string{b2coretest.SamplePassword, "eyJ0eXAiOi"}
	office.does("b2core", "sign-in", http.StatusOK, "Signed in to", b2coretest.SampleEmail)
	core.ExpireTokens()
	core.RevokeRefreshTokens()
	core.ExpireBearers()          // the session's refresh token replaces it
	office.press("b2core", "use") // the API refuses the token, so it is renewed
	office.does("b2core", "use", http.StatusOK, "200 OK", "25000.00")
	if n := core.Count(b2coretest.EndpointSignIn); n != 1 {
		t.Errorf("got %d sign-ins, want 1", n)
	}
	d.stop()
	if strings.Contains(d.log.String(), b2coretest.SamplePassword) {
		t.Errorf("the log is %s, want no password", &d.log)
	}
}

// The error of a sign-in says what is wrong with the account, and a corrected
// password needs no restart.
func TestB2CoreAccountIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		config   b2coretest.Config
		password string // the first one
		want     error
	}{
		"wrong password": {b2coretest.Config{}, "wrong", tokenapi.ErrBadCredentials},
		"reCAPTCHA":      {b2coretest.Config{Recaptcha: true}, b2coretest.SamplePassword, b2core.ErrRecaptcha},
		"second factor": {
			b2coretest.Config{Users: []b2coretest.User{{Email: b2coretest.SampleEmail, Password: b2coretest.SamplePassword, SecondFactors: []string{"sms"}}}},
			b2coretest.SamplePassword, tokenapi.ErrSecondFactorRequired,
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			core, err := b2coretest.New(c.config)
			if err != nil {
				t.Fatal(err)
			}
			password := c.password
			p, err := b2coreAccountPlatform(b2core.Config{URL: "https://core.example", HTTP: tokenapi.HTTP{Transport: core.Transport()}}, tokenapi.Account{
				Login: b2coretest.SampleEmail, Password: func(context.Context) (tokenapi.Secret, error) { return tokenapi.NewSecret(password), nil },
			}, "")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Close(context.Background()) }()
			for range 2 {
				_, err = p.Refresher.Refresh(t.Context(), tokenapi.FirstToken())
				if !errors.Is(err, c.want) || errors.Is(err, tokenapi.ErrNoBearer) || tokenapi.OutcomeOf(err).Kind != tokenapi.Transient {
					t.Errorf("%s: got %v, want %v that may pass", name, err, c.want)
				}
			}
			if core.Count(b2coretest.EndpointAuth) != 0 {
				t.Errorf("%s: the platform was asked, want B2Core only", name)
			}
			if !errors.Is(c.want, tokenapi.ErrBadCredentials) {
				return
			}
			password = b2coretest.SamplePassword
			<-time.After(time.Minute)
			if token, err := p.Refresher.Refresh(t.Context(), tokenapi.FirstToken()); err != nil || !token.Valid() {
				t.Errorf("with the right password: got %v, want a token", err)
			}
		})
	}
}
