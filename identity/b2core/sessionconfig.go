package b2core

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// SessionConfig says which B2Core a [SessionClient] signs users in to. URL is
// required. The zero value of each other field follows the vendor's page
// "Authentication", or two public clients where the field is marked as inferred.
type SessionConfig struct {
	// URL is B2Core's, without /api, such as https://my.broker.example. A
	// trailing slash is dropped.
	URL string

	// WizardPath, SignInPath, SecondFactorPath, RefreshPath, SignOutPath and
	// PlatformsPath are paths below URL. Empty: /api/v2/my/ and then
	// signin/wizard, signin, signin/2fa, refresh, signout and platforms.
	WizardPath, SignInPath, SecondFactorPath, RefreshPath, SignOutPath, PlatformsPath string

	// CodePaths are the paths below URL that take the one-time codes, by the
	// provider of the second factor. Missing: /api/v2/my/2fa/ and the provider,
	// as for google and sms.
	CodePaths map[string]string

	// WizardMethod is the method of the wizard's request, GET or POST: the page
	// shows both. Empty: GET.
	WizardMethod string

	// IgnoreRecaptcha sends the password even if the wizard announces a
	// reCAPTCHA, for an installation that demands it of browsers only. False:
	// the sign-in stops with ErrRecaptcha before it sends the password.
	IgnoreRecaptcha bool

	// DeviceFingerprint is sent at sign-in and at each refresh. Empty: the JSON
	// {"user_agent":"b2trader.identity.auth"} in base64, a form that is inferred.
	DeviceFingerprint string

	// DefaultProvider is the provider of the second factor if an answer demands
	// one and names none. Empty: such an answer is unusable, because it may
	// demand something else, such as a new password.
	DefaultProvider string

	// ProviderBody returns the JSON that chooses a provider. Nil:
	// {"provider": provider, "uuid": uuid}, inferred.
	ProviderBody func(provider, uuid string) any

	// RefreshBody returns the JSON of a refresh. Nil: {"refreshToken":
	// refreshToken, "deviceFingerprint": fingerprint}, inferred.
	RefreshBody func(refreshToken, fingerprint string) any

	// DefaultLifetime is the life of an access token whose answer tells none.
	// Zero: 20 minutes, inferred.
	DefaultLifetime time.Duration

	// HTTP says how requests are sent.
	HTTP tokenapi.HTTP
}

// A SessionClient signs users in to B2Core itself and renews their tokens, which
// a [Client] shows as its bearer. It is safe for concurrent use.
type SessionClient struct {
	config SessionConfig
	peer   httpx.Peer
}

// NewSessionClient returns a SessionClient. Its error joins every problem of
// the SessionConfig, each a *tokenapi.FieldError. NewSessionClient makes no
// request.
func NewSessionClient(config SessionConfig) (*SessionClient, error) {
	config = config.withDefaults()
	p := checkconfig.Problems{Package: system, Struct: "SessionConfig"}
	peer := httpx.ParsePeer(&p, config.URL, config.HTTP)
	p.Path("WizardPath", config.WizardPath)
	p.Path("SignInPath", config.SignInPath)
	p.Path("SecondFactorPath", config.SecondFactorPath)
	p.Path("RefreshPath", config.RefreshPath)
	p.Path("SignOutPath", config.SignOutPath)
	p.Path("PlatformsPath", config.PlatformsPath)
	for _, path := range config.CodePaths {
		p.Path("CodePaths", path)
	}
	if config.WizardMethod != http.MethodGet && config.WizardMethod != http.MethodPost {
		p.Add("WizardMethod", "must be GET or POST")
	}
	if config.DefaultProvider != "" && !validProvider(config.DefaultProvider) {
		p.Add("DefaultProvider", "cannot be a part of a path")
	}
	p.Negative("DefaultLifetime", config.DefaultLifetime < 0)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return &SessionClient{config: config, peer: peer}, nil
}

func (config SessionConfig) withDefaults() SessionConfig {
	const my = "/api/v2/my/"
	config.WizardPath = cmp.Or(config.WizardPath, my+"signin/wizard")
	config.SignInPath = cmp.Or(config.SignInPath, my+"signin")
	config.SecondFactorPath = cmp.Or(config.SecondFactorPath, my+"signin/2fa")
	config.RefreshPath = cmp.Or(config.RefreshPath, my+"refresh")
	config.SignOutPath = cmp.Or(config.SignOutPath, my+"signout")
	config.PlatformsPath = cmp.Or(config.PlatformsPath, my+"platforms")
	config.WizardMethod = cmp.Or(config.WizardMethod, http.MethodGet)
	config.DeviceFingerprint = cmp.Or(config.DeviceFingerprint, base64.StdEncoding.EncodeToString([]byte(`{"user_agent":"b2trader.identity.auth"}`)))
	config.DefaultLifetime = cmp.Or(config.DefaultLifetime, 20*time.Minute)
	if config.ProviderBody == nil {
		config.ProviderBody = func(provider, uuid string) any {
			return map[string]string{"provider": provider, "uuid": uuid}
		}
	}
	if config.RefreshBody == nil {
		config.RefreshBody = func(refreshToken, fingerprint string) any {
			return map[string]string{"refreshToken": refreshToken, "deviceFingerprint": fingerprint}
		}
	}
	return config
}

// codePath returns the path that takes the one-time codes of a provider.
func (config SessionConfig) codePath(provider string) string {
	return cmp.Or(config.CodePaths[provider], "/api/v2/my/2fa/"+url.PathEscape(provider))
}

// validProvider reports whether a provider's name can be a segment of a path
// (RFC 3986 section 3.3).
func validProvider(name string) bool {
	return name != "" && strings.Trim(name, ".") != "" && httpx.HeaderSafe(name)
}

// Format prints B2Core's URL and no other part of the SessionClient.
func (c *SessionClient) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.SessionClient(%s)", system, c.peer.Base)
}

// refusals are the statuses of a refused password, code or refresh token. No
// document names them: a field fails validation (400, 422), or a credential is
// not accepted (401, 403).
var refusals = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity}

// verdict returns what refusals of the given statuses mean.
func verdict(refusal error, statuses ...int) httpx.Verdict {
	v := httpx.Verdict{Status: map[int]error{}, URLField: "SessionConfig.URL"}
	for _, status := range statuses {
		v.Status[status] = refusal
	}
	return v
}
