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
	trustedProxies    prefixes
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

// prefixes is a flag of networks, separated by commas.
type prefixes []netip.Prefix

// String implements flag.Value.
func (p *prefixes) String() string {
	var texts []string
	for _, prefix := range *p {
		texts = append(texts, prefix.String())
	}
	return strings.Join(texts, ",")
}

// Set implements flag.Value.
func (p *prefixes) Set(text string) error {
	*p = nil
	for part := range strings.SplitSeq(text, ",") {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil {
			return errors.New("want networks such as 10.0.0.0/8,192.168.1.7/32")
		}
		*p = append(*p, prefix)
	}
	return nil
}

func (s *settings) flags(stderr io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet("demo", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&s.addr, "addr", "127.0.0.1:8080", "`address` to listen on")
	f.StringVar(&s.publicURL, "public-url", "", "the site's `URL` as browsers see it; empty: http:// and -addr, on loopback only")
	f.StringVar(&s.identityURL, "identity-url", "", "`URL` of the IdentityServer, without /identity; empty: an embedded one on loopback")
	f.StringVar(&s.identityAddr, "identity-addr", "", "loopback `address` of the embedded IdentityServer; empty: a free port")
	f.StringVar(&s.platformsAddr, "platforms-addr", "", "loopback `address` of the first embedded platform; the others have the ports after it; empty: free ports")
	f.StringVar(&s.identityIssuer, "identity-issuer", "", "its `issuer`; empty: -identity-url and /identity")
	f.StringVar(&s.identityJWKSURL, "identity-jwks-url", "", "`URL` of its signing keys, where its discovery document cannot be had; empty: as that says")
	f.StringVar(&s.frontOfficeURL, "frontoffice-url", "", "`URL` of the FrontOffice API, up to its /api; empty: not offered")
	f.StringVar(&s.backOfficeURL, "backoffice-url", "", "`URL` of the BackOffice API, up to its /api; empty: not offered")
	f.StringVar(&s.spaAdminSecret.file, "spa-admin-secret-file", "", "`file` with the secret of spa_admin, which is then offered")
	f.StringVar(&s.coreIBSecret.file, "core-ib-secret-file", "", "`file` with the secret of core_ib, a machine's client")
	f.StringVar(&s.lkSecret.file, "lk-secret-file", "", "`file` with the secret of lk, a machine's client")
	f.StringVar(&s.machineEmail, "machine-email", "", "`e-mail` of the account that machines sign in with")
	f.StringVar(&s.machinePassword.file, "machine-password-file", "", "`file` with its password, read at every sign-in")
	f.Var(&s.trustedProxies, "trusted-proxies", "`networks` whose X-Forwarded-For is believed, separated by commas")
	f.BoolVar(&s.insecureAllowHTTP, "insecure-allow-http", false, "accept http URLs beyond loopback: passwords cross the network readable")
	f.BoolVar(&s.insecureEmbedded, "insecure-embedded-servers", false, "let the embedded IdentityServer, whose users and passwords are public, serve -addr and -public-url beyond loopback and a -platforms-file")
	f.StringVar(&s.platformsFile, "platforms-file", "", "JSON `file` that names the systems of the Platforms page; empty: embedded ones, if the IdentityServer is")
	f.StringVar(&s.store, "store", memory, "where sessions live: `memory | sqlite:FILE | redis://… | rediss://… | postgres://…`; processes that share it share them")
	f.BoolVar(&s.insecurePlaintext, "insecure-allow-plaintext", false, "accept a -store beyond loopback without verified TLS: others on the way may read and change what is stored")
	f.StringVar(&s.storeListenURL, "store-listen-url", "", "postgres:// `URL` where LISTEN works, if -store leads to a pooler")
	f.StringVar(&s.sessionKeysFile, "session-keys-file", "", "`file` with the keys that seal what is stored, one a line, id:base64; the first seals, all open; needed unless -store is memory")
	f.BoolVar(&s.generateSessionKey, "generate-session-key", false, "print a new line for -session-keys-file, and exit")
	f.DurationVar(&s.idleTimeout, "idle-timeout", 0, "ends a session that is not used; 0: 15m")
	f.DurationVar(&s.absoluteTimeout, "absolute-timeout", 0, "ends a session in any case; 0: 10h")
	f.IntVar(&s.maxSessionsPerUser, "max-sessions-per-user", 0, "how many sessions a user has; one more ends the oldest; 0: any number")
	f.BoolVar(&s.hstsSubDomains, "hsts-include-subdomains", false, "tell browsers to use https for all subdomains of -public-url's host, too")
	f.BoolVar(&s.forgetIdentity, "forget-identity-session", false, "do not keep the IdentityServer's session, sealed, to save sessions whose refresh token was lost")
	f.StringVar(&s.metricsAddr, "metrics-addr", "", "`address` to serve /metrics on, without a sign-in; empty: nowhere")
	f.DurationVar(&s.stopDelay, "stop-delay", defaultStopDelay, "after SIGTERM, how long to go on serving while /readyz says 503, so that a load balancer notices; Ctrl-C does not wait")
	f.BoolVar(&s.onlyCheck, "check-config", false, "report every problem of the configuration, check the store and the IdentityServer, and exit")
	f.BoolVar(&s.healthCheck, "healthcheck", false, "ask the program that listens on -addr for /healthz, and exit: 0 if it serves requests")
	f.BoolVar(&s.version, "version", false, "print the version, the revision and the version of Go, and exit")
	f.StringVar(&s.product, "product", "", "`name` of the site, in the header and in each title; empty: B2Trader identity")
	f.StringVar(&s.language, "language", "en", "`en or de`: the language of the site's own pages; those that only the demo has stay English")
	f.StringVar(&s.logFormat, "log-format", "text", "`text or json`")
	return f
}

// errUsage follows the message of package flag.
var errUsage = errors.New("see the flags above")

// parse reads command line and environment. The problems are those that can be
// seen without opening a file.
func parse(args, env []string, stderr io.Writer) (s *settings, problems []error, err error) {
	s = &settings{
		spaAdminSecret:  secretSource{name: envPrefix + "SPA_ADMIN_SECRET"},
		coreIBSecret:    secretSource{name: envPrefix + "CORE_IB_SECRET"},
		lkSecret:        secretSource{name: envPrefix + "LK_SECRET"},
		machinePassword: secretSource{name: envPrefix + "MACHINE_PASSWORD"},
	}
	f := s.flags(stderr)
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		s.help = true
		return s, nil, nil
	} else if err != nil {
		return nil, nil, errUsage
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
				problems = append(problems, fmt.Errorf("%s: %w", name, err))
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
		report("-log-format must be text or json")
	}
	if languages[s.language] == nil {
		report("-language must be en or de")
	}
	host, _, err := net.SplitHostPort(s.addr)
	if err != nil {
		report("-addr must be host:port, such as 127.0.0.1:8080")
	} else if s.publicURL == "" && !tokenapi.IsLoopback(host) {
		report("-public-url is needed: -addr %s is not on loopback", s.addr)
	}
	if _, _, err := net.SplitHostPort(s.metricsAddr); s.metricsAddr != "" && err != nil {
		report("-metrics-addr must be host:port, such as 127.0.0.1:9090")
	}
	if s.stopDelay < 0 {
		report("-stop-delay must not be negative")
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
