package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/web"
)

// A platformsFile names the real systems of the Platforms page. Those that are not in it are not offered. Secrets are in files
// of their own, which are read each time. Call is the URL that "Use the API" gets; without it that is not offered.
type platformsFile struct {
	B2Core *struct {
		URL         string   `json:"url"`
		PlatformID  string   `json:"platform_id"`
		BearerFile  string   `json:"bearer_file"`
		CountryCode string   `json:"country_code"`
		CountryName string   `json:"country_name"`
		Hosts       []string `json:"hosts"`
		Call        string   `json:"call"`
	} `json:"b2core"`
	TraderEvolution *struct {
		URL          string `json:"url"`
		Login        string `json:"login"`
		PasswordFile string `json:"password_file"`
		Call         string `json:"call"`
	} `json:"traderevolution"`
	Tradevest *struct {
		URL              string   `json:"url"`
		TokenPath        string   `json:"token_path"`
		Scopes           []string `json:"scopes"`
		ClientID         string   `json:"client_id"`
		ClientSecretFile string   `json:"client_secret_file"`
		RequestorID      string   `json:"requestor_id"`
		Call             string   `json:"call"`
	} `json:"tradevest"`
	B2BINPAY *struct {
		URL          string `json:"url"`
		Login        string `json:"login"`
		PasswordFile string `json:"password_file"`
		Call         string `json:"call"`
	} `json:"b2binpay"`
}

func readPlatforms(name string) (*platformsFile, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("-platforms-file: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var file platformsFile
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("-platforms-file %s: %w", name, err)
	}
	if file == (platformsFile{}) {
		return nil, fmt.Errorf("-platforms-file %s names no platform: b2core, traderevolution, tradevest and b2binpay are known", name)
	}
	return &file, nil
}

// platforms are B2Trader, if a machine can sign in to it, and the systems of the file.
func (s *settings) platforms(machines []web.MachineIdentity, in installation) ([]web.Platform, []error) {
	file, err := readPlatforms(s.platformsFile)
	if err != nil {
		return nil, []error{err}
	}
	platforms, problems := file.platforms(tokenapi.HTTP{InsecureAllowHTTP: s.insecureAllowHTTP})
	if len(machines) == 0 {
		return platforms, problems
	}
	b2trader, err := b2traderPlatform(machines[0], in.callOf(machines[0]))
	if err != nil {
		problems = append(problems, err)
	}
	return append([]web.Platform{b2trader}, platforms...), problems
}

// callOf is what a machine may ask of B2Trader's APIs; empty: nothing that is configured.
func (in installation) callOf(m web.MachineIdentity) string {
	switch {
	case m.Client.ID() == identity.ClientCoreIB && in.backOffice != "":
		return in.backOffice + "/api/v1/clients"
	case m.Client.ID() == identity.ClientLK && in.frontOffice != "":
		return in.frontOffice + "/api/v3/account"
	}
	return ""
}

// platforms makes the clients of the systems. Its errors are every problem of every system.
func (f *platformsFile) platforms(http tokenapi.HTTP) ([]web.Platform, []error) {
	var (
		platforms []web.Platform
		problems  []error
	)
	add := func(p web.Platform, err error, secretFiles ...string) {
		for _, file := range secretFiles {
			if _, secretErr := secretIn(file)(); secretErr != nil {
				problems = append(problems, fmt.Errorf("-platforms-file: %w", secretErr))
			}
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("-platforms-file: %w", err))
			return
		}
		platforms = append(platforms, p)
	}
	if c := f.B2Core; c != nil {
		p, err := b2corePlatform(b2core.Config{
			URL: c.URL, PlatformID: c.PlatformID, Bearer: bearerIn(c.BearerFile), CountryCode: c.CountryCode, CountryName: c.CountryName,
			Hosts: c.Hosts, HTTP: http,
		}, c.Call)
		add(p, err, c.BearerFile)
	}
	if c := f.TraderEvolution; c != nil {
		p, err := traderEvolutionPlatform(traderevolution.Config{URL: c.URL, HTTP: http}, account{c.Login, secretIn(c.PasswordFile)}, c.Call)
		add(p, err, c.PasswordFile)
	}
	if c := f.Tradevest; c != nil {
		p, err := tradevestPlatform(tradevest.Config{
			URL: c.URL, TokenPath: c.TokenPath, Scopes: c.Scopes, ClientID: c.ClientID, ClientSecret: secretIn(c.ClientSecretFile),
			RequestorID: c.RequestorID, HTTP: http,
		}, c.Call)
		add(p, err, c.ClientSecretFile)
	}
	if c := f.B2BINPAY; c != nil {
		p, err := b2binpayPlatform(b2binpay.Config{URL: c.URL, HTTP: http}, account{c.Login, secretIn(c.PasswordFile)}, c.Call)
		add(p, err, c.PasswordFile)
	}
	return platforms, problems
}

// bearerIn is a B2Core session's token in a file, which somebody else keeps fresh.
func bearerIn(file string) tokenapi.Source {
	return func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
		secret, err := secretIn(file)()
		if err != nil {
			return nil, err
		}
		return &oauth2.Token{AccessToken: secret.Reveal(), TokenType: "Bearer"}, nil
	}
}
