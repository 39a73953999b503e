package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

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
	content, err := os.ReadFile(name) //nolint:gosec // the operator names it
	if err != nil {
		return nil, fmt.Errorf("-platforms-file: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var file platformsFile
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("-platforms-file %s: %w", name, err)
	}
	switch {
	case decoder.More():
		return nil, fmt.Errorf("-platforms-file %s has something after its end", name)
	case file == (platformsFile{}):
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
	var c clients
	if len(machines) > 0 {
		p, err := b2traderPlatform(machines[0], in.callOf(machines[0]))
		c.add("b2trader", p, err)
	}
	file.addTo(&c, tokenapi.HTTP{InsecureAllowHTTP: s.insecureAllowHTTP})
	return c.platforms, c.problems
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

// clients collects what could be made of the file, and what could not.
type clients struct {
	platforms []web.Platform
	problems  []error
}

// add takes over one system, or its problems, in the words of the file. Its secret must be readable already at the start.
func (c *clients) add(name string, p web.Platform, err error, secrets ...func() (tokenapi.Secret, error)) {
	for _, secret := range secrets {
		_, secretErr := secret()
		err = errors.Join(err, secretErr)
	}
	if err != nil {
		text := strings.ReplaceAll(inFile.Replace(err.Error()), "\n", "; ")
		c.problems = append(c.problems, fmt.Errorf("-platforms-file: %s: %s", name, strings.TrimPrefix(text, name+": ")))
		return
	}
	c.platforms = append(c.platforms, p)
}

// inFile says in members of the file what the packages say in fields.
var inFile = strings.NewReplacer(
	"Config.URL", "url",
	"Config.PlatformID", "platform_id",
	"Config.CountryCode", "country_code",
	"Config.CountryName", "country_name",
	"Config.Hosts", "hosts",
	"Config.TokenPath", "token_path",
	"Config.Scopes", "scopes",
	"Config.ClientID", "client_id",
	"Config.RequestorID", "requestor_id",
)

// addTo makes the clients of the systems.
func (f *platformsFile) addTo(c *clients, http tokenapi.HTTP) {
	if e := f.B2Core; e != nil {
		p, err := b2corePlatform(b2core.Config{
			URL: e.URL, PlatformID: e.PlatformID, Bearer: bearerIn(e.BearerFile), CountryCode: e.CountryCode, CountryName: e.CountryName,
			Hosts: e.Hosts, HTTP: http,
		}, e.Call)
		c.add("b2core", p, err, secretIn(e.BearerFile))
	}
	if e := f.TraderEvolution; e != nil {
		password := secretIn(e.PasswordFile)
		p, err := traderEvolutionPlatform(traderevolution.Config{URL: e.URL, HTTP: http}, account{e.Login, password}, e.Call)
		c.add("traderevolution", p, err, password)
	}
	if e := f.Tradevest; e != nil {
		secret := secretIn(e.ClientSecretFile)
		p, err := tradevestPlatform(tradevest.Config{
			URL: e.URL, TokenPath: e.TokenPath, Scopes: e.Scopes, ClientID: e.ClientID, ClientSecret: secret, RequestorID: e.RequestorID, HTTP: http,
		}, e.Call)
		c.add("tradevest", p, err, secret)
	}
	if e := f.B2BINPAY; e != nil {
		password := secretIn(e.PasswordFile)
		p, err := b2binpayPlatform(b2binpay.Config{URL: e.URL, HTTP: http}, account{e.Login, password}, e.Call)
		c.add("b2binpay", p, err, password)
	}
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
