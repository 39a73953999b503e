package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// envPrefix begins the name of every environment variable that is read.
const envPrefix = "B2TRADER_"

// settings are the flags, each from the command line or its variable.
type settings struct {
	addr              string
	publicURL         string
	identityURL       string // empty: the embedded IdentityServer
	identityIssuer    string
	identityAddr      string // of the embedded servers; empty: freeAddress
	platformsAddr     string
	frontOfficeURL    string
	backOfficeURL     string
	insecureAllowHTTP bool
	insecurePlaintext bool
	hstsSubDomains    bool
	insecureEmbedded  bool
	trustedProxies    []netip.Prefix
	machineEmail      string
	logFormat         string
	product           string
	language          string
	onlyCheck         bool
	version           bool
	healthCheck       bool
	help              bool

	identityJWKSURL    string
	platformsFile      string
	store              string
	storeListenURL     string
	sessionKeysFile    string
	generateSessionKey bool
	metricsAddr        string
	idleTimeout        time.Duration
	absoluteTimeout    time.Duration
	stopDelay          time.Duration
	maxSessionsPerUser int
	forgetIdentity     bool

	onCommandLine map[string]bool // flags that were given there

	spaAdminSecret, coreIBSecret, lkSecret, machinePassword secretSource
}

// secretSource is where a secret comes from: a variable or a file.
type secretSource struct {
	name  string // of the variable; with _FILE also that of the flag
	value string
	file  string
}

func (s secretSource) given() bool { return s.value != "" || s.file != "" }

func (s *settings) flags() *flag.FlagSet {
	f := flag.NewFlagSet("demo", flag.ContinueOnError)
	f.Usage = func() {} // parse answers -h
	f.StringVar(&s.addr, "addr", "127.0.0.1:8080", "`address` to listen on")
	f.StringVar(&s.publicURL, "public-url", "", "the site's `URL` in browsers, such as https://app.example.com; empty: http:// and -addr, which must be on loopback then")
	f.StringVar(&s.identityURL, "identity-url", "", "`URL` of B2Trader's IdentityServer, without /identity, such as https://trader.example.com; empty: an embedded test server on loopback")
	f.StringVar(&s.identityAddr, "identity-addr", "", "loopback `address` of the embedded IdentityServer; empty: a free port")
	f.StringVar(&s.platformsAddr, "platforms-addr", "", "loopback `address` of the first embedded platform; the others have the ports after it; empty: free ports")
	f.StringVar(&s.identityIssuer, "identity-issuer", "", "`issuer` that the IdentityServer announces; empty: -identity-url and /identity")
	f.StringVar(&s.identityJWKSURL, "identity-jwks-url", "", "`URL` of the IdentityServer's signing keys (JWKS), for a server without a discovery document; empty: the discovery document names it")
	f.StringVar(&s.frontOfficeURL, "frontoffice-url", "", "`URL` of the FrontOffice API, without /api, such as https://trader.example.com/frontoffice; empty: the site does not offer it")
	f.StringVar(&s.backOfficeURL, "backoffice-url", "", "`URL` of the BackOffice API, without /api, such as https://trader.example.com/backoffice; empty: the site does not offer it")
	f.StringVar(&s.spaAdminSecret.file, "spa-admin-secret-file", "", "`file` with the secret of the client spa_admin; empty: administrators cannot sign in with it")
	f.StringVar(&s.coreIBSecret.file, "core-ib-secret-file", "", "`file` with the secret of the client core_ib, by which -machine-email signs in")
	f.StringVar(&s.lkSecret.file, "lk-secret-file", "", "`file` with the secret of the client lk, by which -machine-email signs in")
	f.StringVar(&s.machineEmail, "machine-email", "", "`e-mail` of the account that signs in without a person")
	f.StringVar(&s.machinePassword.file, "machine-password-file", "", "`file` with the password of -machine-email, read at every sign-in")
	f.Func("trusted-proxies", "`networks` of load balancers, whose X-Forwarded-For is believed, such as 10.0.0.0/8,192.168.1.7/32", networks(&s.trustedProxies))
	f.BoolFunc("insecure-allow-http", "accept http URLs beyond loopback: passwords cross the network readable", boolean(&s.insecureAllowHTTP))
	f.BoolFunc("insecure-embedded-servers", "let the embedded IdentityServer, whose users and passwords are public, serve -addr and -public-url beyond loopback and a -platforms-file", boolean(&s.insecureEmbedded))
	f.StringVar(&s.platformsFile, "platforms-file", "", "JSON `file` that names the systems of the Platforms page; empty: embedded test servers, if the IdentityServer is embedded")
	f.StringVar(&s.store, "store", memory, "`store` of the sessions: memory, sqlite:FILE, redis://…, rediss://… or postgres://…; processes with the same store share the sessions")
	f.BoolFunc("insecure-allow-plaintext", "accept a -store beyond loopback without verified TLS: others on the way may read and change what is stored", boolean(&s.insecurePlaintext))
	f.StringVar(&s.storeListenURL, "store-listen-url", "", "postgres:// `URL` where LISTEN works, if -store leads to a pooler")
	f.StringVar(&s.sessionKeysFile, "session-keys-file", "", "`file` with the keys that seal what is stored, one a line, made by -generate-session-key; the first seals, all open; required unless -store is memory")
	f.BoolFunc("generate-session-key", "print a new line for -session-keys-file, and exit", boolean(&s.generateSessionKey))
	f.Func("idle-timeout", "`time` without use after which a session ends, such as 30m (default 15m)", duration(&s.idleTimeout))
	f.Func("absolute-timeout", "`time` after which every session ends, such as 8h (default 10h)", duration(&s.absoluteTimeout))
	f.Func("max-sessions-per-user", "`number` of sessions that a user may have; a further sign-in ends the oldest; 0: any number (default 0)", number(&s.maxSessionsPerUser))
	f.BoolFunc("hsts-include-subdomains", "tell browsers to use https for all subdomains of -public-url's host, too", boolean(&s.hstsSubDomains))
	f.BoolFunc("forget-identity-session", "do not keep the IdentityServer's session, which saves a session whose refresh token was lost", boolean(&s.forgetIdentity))
	f.StringVar(&s.metricsAddr, "metrics-addr", "", "`address` to serve /metrics on, without a sign-in; empty: nowhere")
	s.stopDelay = defaultStopDelay
	f.Func("stop-delay", "`time` to go on serving after SIGTERM while /readyz says 503, so that a load balancer notices; Ctrl-C does not wait (default "+defaultStopDelay.String()+")", duration(&s.stopDelay))
	f.BoolFunc("check-config", "report every problem of the configuration, check the store and the IdentityServer, and exit", boolean(&s.onlyCheck))
	f.BoolFunc("healthcheck", "ask the program that listens on -addr for /healthz, and exit: 0 if it serves requests", boolean(&s.healthCheck))
	f.BoolFunc("version", "print the version, the revision and the version of Go, and exit", boolean(&s.version))
	f.StringVar(&s.product, "product", "", "`name` of the site, in the header and in each title; empty: B2Trader identity")
	f.StringVar(&s.language, "language", "en", "`language` of the site's own pages, en or de; the pages that only the demo has stay English")
	f.StringVar(&s.logFormat, "log-format", "text", "`format` of the log, text or json")
	return f
}

// usage begins the answer to -h.
const usage = `Demo serves the site, with an IdentityServer of its own unless -identity-url
names a real one. Each flag is also a variable: B2TRADER_IDLE_TIMEOUT=30m is
-idle-timeout=30m. A flag beats its variable.

`

// parse reads command line and environment. The problems are those that can be
// seen without opening a file.
func parse(args, env []string, stderr io.Writer) (s *settings, problems []error, err error) {
	s = &settings{
		spaAdminSecret:  secretSource{name: envPrefix + "SPA_ADMIN_SECRET"},
		coreIBSecret:    secretSource{name: envPrefix + "CORE_IB_SECRET"},
		lkSecret:        secretSource{name: envPrefix + "LK_SECRET"},
		machinePassword: secretSource{name: envPrefix + "MACHINE_PASSWORD"},
	}
	f := s.flags()
	f.SetOutput(io.Discard) // only -h prints the flags
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		s.help = true
		_, _ = io.WriteString(stderr, usage)
		f.SetOutput(stderr)
		f.PrintDefaults()
		return s, nil, nil
	} else if err != nil {
		return nil, nil, fmt.Errorf("%w; demo -h lists the flags", err)
	}
	problems = s.readEnv(f, env)
	for _, argument := range f.Args() {
		if scheme, _, isURL := strings.Cut(argument, "://"); isURL { // which may have a password
			argument = scheme + "://…"
		}
		problems = append(problems, fmt.Errorf("unexpected argument %q: settings are flags, see -h", argument))
	}
	return s, append(problems, s.problems()...), nil
}

// readEnv reads the settings that the command line has not set from the
// environment.
func (s *settings) readEnv(f *flag.FlagSet, env []string) []error {
	s.onCommandLine = map[string]bool{}
	f.Visit(func(fl *flag.Flag) { s.onCommandLine[fl.Name] = true })
	var problems []error
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" {
			continue
		}
		if secret := s.secret(name); secret != nil {
			secret.value = value
			continue
		}
		flagName := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, envPrefix)), "_", "-")
		switch {
		case f.Lookup(flagName) == nil:
			problems = append(problems, fmt.Errorf("%s is unknown: demo -h lists the flags, each of which has a variable", name))
		case s.onCommandLine[flagName]:
		default:
			if err := f.Set(flagName, value); err != nil {
				problems = append(problems, fmt.Errorf("%s is %q: %w", name, value, err))
			}
		}
	}
	return problems
}

// envName returns the variable of a flag.
func envName(flagName string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

func (s *settings) secret(variable string) *secretSource {
	for _, secret := range s.secrets() {
		if secret.name == variable {
			return secret
		}
	}
	return nil
}

func (s *settings) secrets() []*secretSource {
	return []*secretSource{&s.spaAdminSecret, &s.coreIBSecret, &s.lkSecret, &s.machinePassword}
}

// problems returns settings that are wrong, lack another, or have no effect.
func (s *settings) problems() []error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if s.logFormat != "text" && s.logFormat != "json" {
		report("-log-format is %q: want text or json", s.logFormat)
	}
	if languages[s.language] == nil {
		report("-language is %q: want en or de", s.language)
	}
	host, _, err := net.SplitHostPort(s.addr)
	if err != nil {
		report("-addr is %q: want host:port, such as 127.0.0.1:8080", s.addr)
	} else if s.publicURL == "" && !tokenapi.IsLoopback(host) {
		report("-public-url is needed: -addr %s is not on loopback", s.addr)
	}
	if _, _, err := net.SplitHostPort(s.metricsAddr); s.metricsAddr != "" && err != nil {
		report("-metrics-addr is %q: want host:port, such as 127.0.0.1:9090", s.metricsAddr)
	}
	if s.stopDelay < 0 {
		report("-stop-delay is %v: want 0s or more, such as 5s", s.stopDelay)
	}
	problems = append(problems, s.storeProblems()...)
	problems = append(problems, s.embeddedAddressProblems()...)
	for _, secret := range s.secrets() {
		if secret.value != "" && secret.file != "" {
			report("%s and %s_FILE are both set: choose one", secret.name, secret.name)
		}
	}
	if s.identityURL == "" {
		return slices.Concat(problems, s.uselessWhenEmbedded(), s.exposedEmbedded())
	}
	if s.insecureEmbedded {
		report("-insecure-embedded-servers has no effect with -identity-url: no server is embedded")
	}
	machineClient := s.coreIBSecret.given() || s.lkSecret.given()
	switch {
	case s.machineEmail == "" && s.machinePassword.given():
		report("-machine-email is missing: there is a password without an account")
	case s.machineEmail != "" && !s.machinePassword.given():
		report("%s or -machine-password-file is missing: -machine-email is set", s.machinePassword.name)
	case s.machineEmail != "" && !machineClient:
		report("a secret for core_ib or lk is missing: -machine-email is set, but no client can use it")
	case s.machineEmail == "" && machineClient:
		report("-machine-email is missing: core_ib and lk have secrets, but no account to sign in with")
	}
	return problems
}

// uselessWhenEmbedded returns settings that have no effect with the embedded
// IdentityServer, which has its own samples.
func (s *settings) uselessWhenEmbedded() []error {
	var problems []error
	for _, setting := range []struct {
		name  string
		given bool
	}{
		{"-identity-issuer", s.identityIssuer != ""},
		{"-identity-jwks-url", s.identityJWKSURL != ""},
		{"-frontoffice-url", s.frontOfficeURL != ""},
		{"-backoffice-url", s.backOfficeURL != ""},
		{"-machine-email", s.machineEmail != ""},
		{s.spaAdminSecret.name, s.spaAdminSecret.given()},
		{s.coreIBSecret.name, s.coreIBSecret.given()},
		{s.lkSecret.name, s.lkSecret.given()},
		{s.machinePassword.name, s.machinePassword.given()},
	} {
		if setting.given {
			problems = append(problems, fmt.Errorf("%s has no effect without -identity-url: the embedded IdentityServer has its own", setting.name))
		}
	}
	return problems
}

// exposedEmbedded returns settings that would let strangers in by the public
// passwords of the embedded IdentityServer's administrators.
func (s *settings) exposedEmbedded() []error {
	if s.insecureEmbedded {
		return nil
	}
	var exposed []string
	if host, _, err := net.SplitHostPort(s.addr); err == nil && !tokenapi.IsLoopback(host) {
		exposed = append(exposed, "-addr "+s.addr+" is not on loopback")
	}
	if u, err := url.Parse(s.publicURL); err == nil && s.publicURL != "" && !tokenapi.IsLoopback(u.Hostname()) {
		exposed = append(exposed, "-public-url is not on loopback")
	}
	if s.platformsFile != "" {
		exposed = append(exposed, "-platforms-file names real platforms")
	}
	var problems []error
	for _, why := range exposed {
		problems = append(problems, fmt.Errorf(
			"-identity-url is missing: %s, and the users and passwords of the embedded IdentityServer are public "+
				"(in a container that publishes its port on loopback only, set -insecure-embedded-servers)", why))
	}
	return problems
}
