package oauth2refresher

import (
	"fmt"
	"maps"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// Config says whose tokens a [Refresher] renews. OAuth2 is required.
type Config struct {
	// OAuth2 names the client and the provider. Its ClientID and
	// Endpoint.TokenURL are required. It is read once, by New. If
	// Endpoint.AuthStyle is AuthStyleAutoDetect, a ClientSecret is sent by HTTP
	// Basic; a provider that wants it in the body needs AuthStyleInParams.
	OAuth2 *oauth2.Config

	// RefusedCodes are error codes by which the provider refuses a refresh token
	// for good, besides invalid_grant (RFC 6749 section 5.2), bad_refresh_token
	// (GitHub) and invalid_refresh_token (Slack). Nil: none.
	RefusedCodes []string

	// DefaultLifetime is the life of an access token without expires_in, or with
	// 0. Zero: it does not expire, as in x/oauth2. A vault then renews it when
	// an API refuses it.
	DefaultLifetime time.Duration

	// HTTP says how requests are sent.
	HTTP tokenapi.HTTP
}

// A Refresher renews tokens at one provider as one client. It is a Refresher of
// package vault and safe for concurrent use.
type Refresher struct {
	peer            httpx.Peer
	verdict         httpx.Verdict
	defaultLifetime time.Duration
	tokenURL        string
	clientID        string
	clientSecret    tokenapi.Secret
	secretInForm    bool
}

// system names this package in errors.
const system = "oauth2refresher"

// New returns a Refresher. It makes no request. Its error joins every problem of
// the Config, each a *tokenapi.FieldError.
func New(config Config) (*Refresher, error) {
	p := checkconfig.Problems{Package: system}
	p.Missing("OAuth2", config.OAuth2 == nil)
	p.Negative("DefaultLifetime", config.DefaultLifetime < 0)
	p.Negative("HTTP.Timeout", config.HTTP.Timeout < 0)
	if config.OAuth2 == nil {
		return nil, p.Err()
	}
	p.Missing("OAuth2.ClientID", config.OAuth2.ClientID == "")
	endpoint := config.OAuth2.Endpoint
	base := p.URLWithQuery("OAuth2.Endpoint.TokenURL", endpoint.TokenURL, config.HTTP.InsecureAllowHTTP)
	if err := p.Err(); err != nil {
		return nil, err
	}
	return &Refresher{
		peer:            httpx.Peer{System: system, HTTP: config.HTTP.WithDefaults(), Base: base},
		verdict:         verdict(config.RefusedCodes),
		defaultLifetime: config.DefaultLifetime,
		tokenURL:        endpoint.TokenURL,
		clientID:        config.OAuth2.ClientID,
		clientSecret:    tokenapi.NewSecret(config.OAuth2.ClientSecret),
		secretInForm:    endpoint.AuthStyle == oauth2.AuthStyleInParams,
	}, nil
}

// verdict says what a provider's refusals mean. A 401 is about the client: RFC
// 6749 section 5.2 has it for failed client authentication.
func verdict(refused []string) httpx.Verdict {
	codes := maps.Clone(httpx.OAuth.Codes)
	for _, code := range append([]string{"bad_refresh_token", "invalid_refresh_token"}, refused...) {
		codes[code] = tokenapi.ErrGrantRefused
	}
	return httpx.Verdict{
		Codes:    codes,
		Status:   map[int]error{http.StatusUnauthorized: tokenapi.ErrMisconfigured},
		Advice:   advice,
		URLField: "Config.OAuth2.Endpoint.TokenURL",
	}
}

// advice says by code what the caller can do.
var advice = map[string]string{
	"invalid_client":         "check ClientID and ClientSecret of Config.OAuth2, and whether the provider wants AuthStyleInParams",
	"unauthorized_client":    "check ClientID and ClientSecret of Config.OAuth2, and whether the provider allows this client to refresh",
	"unsupported_grant_type": "check Config.OAuth2.Endpoint.TokenURL: this endpoint does not refresh tokens",
}

// Format prints the client's identifier and the token endpoint, for every verb.
func (r *Refresher) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s.Refresher(%s at %s)", system, r.clientID, httpx.WithoutQuery(r.peer.Base))
}
