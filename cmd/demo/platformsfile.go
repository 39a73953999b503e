package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/cmd/demo/showcase"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/tradevest"
)

// A platformsFile names the real systems of the page Platforms. A system that is
// not in it is not offered. Each secret has a file of its own, which is read at
// each use. Call is the URL that "Use the API" gets; without it that is not
// offered.
type platformsFile struct {
	B2Core          *b2coreMembers `json:"b2core"`
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
	B2BINPAYV3 *struct {
		URL              string `json:"url"`
		ClientID         string `json:"client_id"`
		ClientSecretFile string `json:"client_secret_file"`
		Call             string `json:"call"`
	} `json:"b2binpay-v3"`
}

// b2coreMembers name either the file of a B2Core session's token or the account
// that signs in to B2Core.
type b2coreMembers struct {
	URL          string   `json:"url"`
	PlatformID   string   `json:"platform_id"`
	BearerFile   string   `json:"bearer_file"`
	Email        string   `json:"email"`
	PasswordFile string   `json:"password_file"`
	CountryCode  string   `json:"country_code"`
	CountryName  string   `json:"country_name"`
	Hosts        []string `json:"hosts"`
	Call         string   `json:"call"`
}

// readPlatforms reads the file. Beside the problems of its JSON it returns the
// systems that it could read, so that they are checked, too.
func readPlatforms(name string) (file platformsFile, problems []error) {
	content, err := os.ReadFile(name) //nolint:gosec // the operator names it
	if err != nil {
		return file, []error{fmt.Errorf("-platforms-file: %w", err)}
	}
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("-platforms-file %s: "+format, append([]any{name}, args...)...))
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	var document json.RawMessage
	if err := decoder.Decode(&document); err != nil {
		report("%s", notJSON(content, err))
		return file, problems
	}
	_ = json.Unmarshal(document, &file) // what has the wrong type is told below, all of it
	for _, m := range mistyped(document) {
		report("%s has the wrong type: %s in place of %s", cmp.Or(m.Field, "its content"), m.Value, kind(m.Type))
	}
	for _, member := range file.unknown(document) {
		report("%s is unknown", member)
	}
	if file == (platformsFile{}) && len(problems) == 0 {
		report("it names no platform: b2core, traderevolution, tradevest, b2binpay and b2binpay-v3 are known")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		report("there is something after its end")
	}
	return file, problems
}

// notJSON says at which line and column content stops to be JSON.
func notJSON(content []byte, err error) string {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	switch {
	case len(bytes.TrimSpace(content)) == 0:
		return "it is empty"
	case !ok:
		return "it ends too early"
	}
	before := content[:syntax.Offset]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf("line %d, column %d: %v", line, len(before)-1-bytes.LastIndexByte(before, '\n'), err)
}

// mistyped returns the members of a document that have the wrong type. The
// decoder reports only the first, so each member is decoded by itself.
func mistyped(document []byte) []*json.UnmarshalTypeError {
	var systems map[string]json.RawMessage
	all := mistypedIn(document, &systems)
	for _, system := range slices.Sorted(maps.Keys(systems)) {
		var members map[string]json.RawMessage
		if json.Unmarshal(systems[system], &members) != nil {
			all = append(all, mistypedIn(alone(system, systems[system]), new(platformsFile))...)
		}
		for _, member := range slices.Sorted(maps.Keys(members)) {
			all = append(all, mistypedIn(alone(system, alone(member, members[member])), new(platformsFile))...)
		}
	}
	return all
}

func mistypedIn(document []byte, v any) []*json.UnmarshalTypeError {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](json.Unmarshal(document, v))
	if !ok {
		return nil
	}
	return []*json.UnmarshalTypeError{wrong}
}

// alone returns an object of one member.
func alone(name string, value json.RawMessage) json.RawMessage {
	object, _ := json.Marshal(map[string]json.RawMessage{name: value}) // both came from JSON
	return object
}

// kind names the JSON value that a Go type is decoded from.
func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list of texts"
	}
	return "an object"
}

// unknown returns the members of a document that the file does not know: after
// decoding and encoding they are missing.
func (f platformsFile) unknown(document []byte) []string {
	written, err := json.Marshal(f)
	if err != nil {
		return []string{err.Error()}
	}
	var known, given map[string]map[string]json.RawMessage
	_ = json.Unmarshal(written, &known)
	_ = json.Unmarshal(document, &given) // what has the wrong type is told elsewhere
	var unknown []string
	for system, members := range given {
		if _, ok := known[system]; !ok {
			unknown = append(unknown, system)
			continue
		}
		for member := range members {
			if _, ok := known[system][member]; !ok {
				unknown = append(unknown, system+"."+member)
			}
		}
	}
	slices.Sort(unknown)
	return unknown
}

// addPlatforms adds B2Trader, by each machine account, and the systems of the
// file, if one is named.
func (s *settings) addPlatforms(p *parts) []error {
	c := clients{}
	for _, m := range p.machines {
		platform, err := b2traderPlatform(m)
		c.add(platform.ID, m.call, platform, err)
	}
	if s.platformsFile != "" {
		file, problems := readPlatforms(s.platformsFile)
		c.problems = append(c.problems, problems...)
		file.addTo(&c, tokenapi.HTTP{InsecureAllowHTTP: s.insecureAllowHTTP})
	}
	p.showcase.Platforms = c.platforms
	return c.problems
}

// clients collects the platforms of the file, and its problems.
type clients struct {
	platforms []showcase.Platform
	problems  []error
}

// add adds one system. For a system with problems it reports them in words of
// the file, and adds a stand-in, so that the call is checked, too.
func (c *clients) add(name, call string, p showcase.Platform, err error) {
	if err != nil {
		for _, problem := range leaves(err) {
			c.problems = append(c.problems, fmt.Errorf("-platforms-file: %s.%s", name, inFile(name, problem)))
		}
		p = showcase.Platform{ID: name, Name: name, Refresher: new(tokenapi.Keeper), Call: showcase.Call{URL: call}}
	}
	c.platforms = append(c.platforms, p)
}

// inFile names the member of the file that a problem of a field is about.
func inFile(system string, problem error) string {
	field, ok := errors.AsType[*tokenapi.FieldError](problem)
	if !ok {
		return problem.Error()
	}
	return cmp.Or(memberOf[system+" "+field.Field], memberOf[field.Field], field.Field) + " " + whatIsWrong(field)
}

// memberOf names the member of the file that a field is made of. The system
// stands before a field that is another member there.
var memberOf = map[string]string{
	"Config.URL":         "url",
	"Config.PlatformID":  "platform_id",
	"Config.CountryCode": "country_code",
	"Config.CountryName": "country_name",
	"Config.Hosts":       "hosts",
	"Config.TokenPath":   "token_path",
	"Config.Scopes":      "scopes",
	"Config.ClientID":    "client_id",
	"Config.RequestorID": "requestor_id",
	"V3Config.URL":       "url",
	"V3Config.ClientID":  "client_id",
	"Account.Login":      "login",

	"b2core Account.Login": "email",
}

// readable returns the problem with reading a secret. The member names its
// file.
func readable(member string, secret func(context.Context) (tokenapi.Secret, error)) error {
	if _, err := secret(context.Background()); err != nil {
		return fmt.Errorf("%s: %w", member, err)
	}
	return nil
}

// addTo adds a client of each system.
func (f platformsFile) addTo(c *clients, http tokenapi.HTTP) {
	if e := f.B2Core; e != nil {
		p, err := e.platform(http)
		c.add("b2core", e.Call, p, err)
	}
	if e := f.TraderEvolution; e != nil {
		password := secretIn(e.PasswordFile)
		p, err := traderEvolutionPlatform(traderevolution.Config{URL: e.URL, HTTP: http}, tokenapi.Account{Login: e.Login, Password: password}, e.Call)
		c.add("traderevolution", e.Call, p, errors.Join(err, readable("password_file", password)))
	}
	if e := f.Tradevest; e != nil {
		secret := secretIn(e.ClientSecretFile)
		p, err := tradevestPlatform(tradevest.Config{
			URL: e.URL, TokenPath: e.TokenPath, Scopes: e.Scopes, ClientID: e.ClientID, ClientSecret: secret, RequestorID: e.RequestorID, HTTP: http,
		}, e.Call)
		c.add("tradevest", e.Call, p, errors.Join(err, readable("client_secret_file", secret)))
	}
	if e := f.B2BINPAY; e != nil {
		password := secretIn(e.PasswordFile)
		p, err := b2binpayPlatform(b2binpay.Config{URL: e.URL, HTTP: http}, tokenapi.Account{Login: e.Login, Password: password}, e.Call)
		c.add("b2binpay", e.Call, p, errors.Join(err, readable("password_file", password)))
	}
	if e := f.B2BINPAYV3; e != nil {
		secret := secretIn(e.ClientSecretFile)
		p, err := b2binpayV3Platform(b2binpay.V3Config{URL: e.URL, ClientID: e.ClientID, ClientSecret: secret, HTTP: http}, e.Call)
		c.add("b2binpay-v3", e.Call, p, errors.Join(err, readable("client_secret_file", secret)))
	}
}

// platform returns B2Core by the account, if there is one, or else by the bearer.
func (e *b2coreMembers) platform(http tokenapi.HTTP) (showcase.Platform, error) {
	config := b2core.Config{
		URL: e.URL, PlatformID: e.PlatformID, CountryCode: e.CountryCode, CountryName: e.CountryName, Hosts: e.Hosts, HTTP: http,
	}
	byAccount := e.Email != "" || e.PasswordFile != ""
	if byAccount && e.BearerFile == "" {
		password := secretIn(e.PasswordFile)
		p, err := b2coreAccountPlatform(config, tokenapi.Account{Login: e.Email, Password: password}, e.Call)
		return p, errors.Join(err, readable("password_file", password))
	}
	bearer := secretIn(e.BearerFile)
	config.Bearer = bearerOf(bearer)
	p, err := b2corePlatform(config, e.Call)
	switch {
	case byAccount:
		err = errors.Join(err, errors.New("bearer_file must not stand beside email and password_file"))
	case e.BearerFile == "":
		return p, errors.Join(err, errors.New("email and password_file are missing, or else bearer_file"))
	}
	return p, errors.Join(err, readable("bearer_file", bearer))
}

// bearerOf returns the token of a B2Core session from a file, which another
// program keeps fresh.
func bearerOf(file func(context.Context) (tokenapi.Secret, error)) tokenapi.Source {
	return func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		secret, err := file(ctx)
		switch {
		case err != nil:
			return nil, err
		case refused != nil && secret.Reveal() == refused.AccessToken:
			return nil, errStaleBearer // which ends nothing: there may be another in the file any moment
		}
		return &oauth2.Token{AccessToken: secret.Reveal(), TokenType: "Bearer"}, nil
	}
}

var errStaleBearer = errors.New("B2Core refuses the token in bearer_file, and there is no other yet")
