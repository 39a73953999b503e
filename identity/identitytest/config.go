package identitytest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// InternalIssuer is the issuer of B2Trader installations in their tokens: an
// internal host name with a trailing slash, different from the address that
// clients call. It is a value for Config.Issuer.
const InternalIssuer = "http://identity-server/identity/"

// The OAuth grant types of a [Client]. As in IdentityServer4, the scope
// offline_access allows the grant type refresh_token.
const (
	GrantAuthorizationCode = "authorization_code"
	GrantPassword          = "password"
	GrantClientCredentials = "client_credentials"
)

const (
	grantRefreshToken = "refresh_token"
	grantDeviceCode   = "urn:ietf:params:oauth:grant-type:device_code"
)

// Config describes the installation that a [Server] imitates. The zero value is
// B2Trader's, with sample users and clients.
type Config struct {
	// Users can sign in. Nil means SampleUsers(); an empty slice means
	// none.
	Users []User

	// Clients may request tokens. Nil means SampleClients(); an empty
	// slice means none.
	Clients []Client

	// Issuer is the iss of every token and of the discovery document. Empty
	// means the request's origin in lower case followed by /identity, as in
	// IdentityServer. See InternalIssuer.
	Issuer string

	// AccessTokenLifetime is how long access tokens last, in whole seconds.
	// 0 means 30 s, the platform's default for spa and spa_admin.
	AccessTokenLifetime time.Duration

	// IDTokenLifetime is how long ID tokens last, in whole seconds. 0 means 300
	// s.
	IDTokenLifetime time.Duration

	// AuthorizationCodeLifetime is how long a code can be exchanged. 0 means
	// 300 s.
	AuthorizationCodeLifetime time.Duration

	// RefreshTokenLifetime is how long refresh tokens last, counted from the
	// sign-in: a renewed refresh token keeps the creation time of the first. 0
	// means 30 days.
	RefreshTokenLifetime time.Duration

	// SessionLifetime is how long an IdentityServer session (the cookies)
	// lasts. It does not slide. 0 means 10 h.
	SessionLifetime time.Duration

	// KeyID gives every key a kid, in the key set and in the tokens.
	// False, as in B2Trader: no kid.
	KeyID bool

	// RequirePKCE refuses authorize requests without a code_challenge.
	// False, as in IdentityServer4 2.5: the code has no challenge.
	RequirePKCE bool

	// ReuseRevokesFamily revokes all successors of a refresh token that is used
	// again, as RFC 9700 section 4.14.2 advises and other servers do. False, as
	// in IdentityServer4: only the second use is refused.
	ReuseRevokesFamily bool

	// RequireClientSecret refuses a client that has a secret and does not send
	// it. False: a client whose only grant type is GrantAuthorizationCode may
	// leave it out, as the platform must allow: the npm package sends none for
	// spa_admin when it refreshes. A wrong secret is always refused.
	RequireClientSecret bool

	// StockCodeErrors answers a refused authorization code as a stock
	// IdentityServer4 does: 400 and {"error":"invalid_grant"}. False, as the
	// npm package's README shows: 401 and ProblemDetails with type, title,
	// status and traceId.
	StockCodeErrors bool

	// SignInPage shows a sign-in page to a browser that comes to authorize
	// without a session, and then leads it back. False, as B2Trader does: the
	// browser is sent to /identity/unauthorized, and only a client that calls
	// sign-in gets a session.
	SignInPage bool

	// SignInFailureStatus is the HTTP status of a refused sign-in, which is not
	// documented for the platform. 0 means 400.
	SignInFailureStatus int

	// BackChannelTransport sends the logout tokens to each
	// Client.BackChannelLogoutURI. Nil means http.DefaultTransport.
	BackChannelTransport http.RoundTripper

	// Now is the clock. Nil means time.Now, which is virtual in a
	// testing/synctest bubble. It must be safe for concurrent use.
	Now func() time.Time
}

// User is a user who can sign in.
type User struct {
	// ID is the user's identifier, the sub of the tokens. A UUID on the
	// platform. Required.
	ID string

	// Email is the user's login; letter case does not matter. Required.
	Email string

	// Password is the user's password. Required.
	Password string

	// Nickname is part of the sign-in answer.
	Nickname string

	// Role is the claim role of the ID token and the access token. Empty means
	// no such claim.
	Role string

	// SecondFactorCode is the code that the user must enter after the password.
	// Empty means that the password is enough.
	SecondFactorCode string

	// SecondFactorProvider is the source of the code: "Email" or
	// "Authenticator". Empty means "Email". It needs a SecondFactorCode.
	SecondFactorProvider string

	// Disabled refuses every sign-in and renewal of the user.
	Disabled bool
}

// Client is an application that may request tokens.
type Client struct {
	// ID is the client_id, at most 100 characters. Required.
	ID string

	// Secret is the client's secret, at most 100 characters. Empty makes it a
	// public client: the server ignores any secret that it sends.
	Secret string

	// Scopes are those that the client may request. Required. Names other than
	// openid, profile, email and offline_access are API scopes.
	Scopes []string

	// GrantTypes are those that the client may use: the Grant constants.
	// Required.
	GrantTypes []string

	// RedirectURIs are those that the client may use, compared without regard
	// to letter case. Nil means one: the request's origin followed by
	// /identity/sign-in-done.
	RedirectURIs []string

	// AllowedCORSOrigins are the origins, such as https://app.example:8443,
	// whose pages may call the server from a browser: discovery, keys, token,
	// userinfo and revocation, and with cookies sign-in, sign-out and
	// authorize. As in IdentityServer, an origin that one client has may make
	// requests for each client.
	AllowedCORSOrigins []string

	// PostLogoutRedirectURIs are the targets to which the client may send the
	// browser after the end of the session, compared without regard to letter
	// case. End session needs the client's id_token_hint for it.
	PostLogoutRedirectURIs []string

	// BackChannelLogoutURI gets a logout token when a session ends in which the
	// client was authorized: by a sign-out with cookies or by end session.
	// Empty: the client is not told.
	BackChannelLogoutURI string
}

func (c Client) allows(grant string) bool { return slices.Contains(c.GrantTypes, grant) }

// usesCodesOnly reports whether authorization codes are the client's only
// grant. A user then stands behind each of its requests.
func (c Client) usesCodesOnly() bool {
	return !slices.ContainsFunc(c.GrantTypes, func(grant string) bool { return grant != GrantAuthorizationCode })
}

func (c Client) allowsScope(scope string) bool { return slices.Contains(c.Scopes, scope) }

// withDefaults returns c with every zero field replaced by its default.
func (c Config) withDefaults() Config {
	if c.Users == nil {
		c.Users = SampleUsers()
	}
	if c.Clients == nil {
		c.Clients = SampleClients()
	}
	c.Users, c.Clients = slices.Clone(c.Users), slices.Clone(c.Clients)
	for i := range c.Users {
		c.Users[i].SecondFactorProvider = cmp.Or(c.Users[i].SecondFactorProvider, "Email")
	}
	c.AccessTokenLifetime = cmp.Or(c.AccessTokenLifetime, 30*time.Second)
	c.IDTokenLifetime = cmp.Or(c.IDTokenLifetime, 300*time.Second)
	c.AuthorizationCodeLifetime = cmp.Or(c.AuthorizationCodeLifetime, 300*time.Second)
	c.RefreshTokenLifetime = cmp.Or(c.RefreshTokenLifetime, 30*24*time.Hour)
	c.SessionLifetime = cmp.Or(c.SessionLifetime, 10*time.Hour)
	c.SignInFailureStatus = cmp.Or(c.SignInFailureStatus, http.StatusBadRequest)
	if c.BackChannelTransport == nil {
		c.BackChannelTransport = http.DefaultTransport
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// check reports every problem, in the order of the fields.
func (c Config) check() error {
	p := apitest.Problems{Package: "identitytest"}
	c.checkUsers(&p)
	c.checkClients(&p)
	if c.Issuer != "" {
		if u, err := url.Parse(c.Issuer); err != nil || u.Scheme == "" || u.Host == "" {
			p.Add("Issuer", "is not an absolute URL")
		}
	}
	p.WholeSeconds("AccessTokenLifetime", c.AccessTokenLifetime)
	p.WholeSeconds("IDTokenLifetime", c.IDTokenLifetime)
	p.Negative("AuthorizationCodeLifetime", c.AuthorizationCodeLifetime < 0)
	p.Negative("RefreshTokenLifetime", c.RefreshTokenLifetime < 0)
	p.Negative("SessionLifetime", c.SessionLifetime < 0)
	if s := c.SignInFailureStatus; s != 0 && (s < 400 || s > 599) {
		p.Add("SignInFailureStatus", "is %d, want a status from 400 to 599", s)
	}
	return p.Err()
}

func (c Config) checkUsers(p *apitest.Problems) {
	ids, emails := map[string]bool{}, map[string]bool{}
	for i, u := range c.Users {
		field := fmt.Sprintf("Users[%d]", i)
		if u.ID == "" || u.Email == "" || u.Password == "" {
			p.Add(field, "needs ID, Email and Password")
		}
		if u.SecondFactorProvider != "" && u.SecondFactorCode == "" {
			p.Add(field, "has a SecondFactorProvider but no SecondFactorCode")
		}
		if ids[u.ID] || emails[strings.ToLower(u.Email)] {
			p.Add(field, "has the ID or the Email of an earlier one")
		}
		ids[u.ID], emails[strings.ToLower(u.Email)] = true, true
	}
}

func (c Config) checkClients(p *apitest.Problems) {
	ids := map[string]bool{}
	for i, client := range c.Clients {
		field := fmt.Sprintf("Clients[%d]", i)
		if client.ID == "" || tooLong(client.ID, 100) || tooLong(client.Secret, 100) {
			p.Add(field, "needs an ID, and neither ID nor Secret over 100 characters")
		}
		if ids[client.ID] {
			p.Add(field, "has the ID of an earlier one")
		}
		ids[client.ID] = true
		if len(client.Scopes) == 0 || len(client.GrantTypes) == 0 {
			p.Add(field, "needs Scopes and GrantTypes")
		}
		for _, grant := range client.GrantTypes {
			switch grant {
			case GrantAuthorizationCode, GrantPassword, GrantClientCredentials:
			case grantRefreshToken:
				p.Add(field, "must not have the grant type refresh_token: the scope offline_access allows it")
			default:
				p.Add(field, "has the unknown grant type %q", grant)
			}
		}
		for _, redirect := range client.RedirectURIs {
			if !isAbsoluteURL(redirect) {
				p.Add(field, "has a redirect URI that is not absolute")
			}
		}
		for _, redirect := range client.PostLogoutRedirectURIs {
			if !isAbsoluteURL(redirect) {
				p.Add(field, "has a post-logout redirect URI that is not absolute")
			}
		}
		if uri := client.BackChannelLogoutURI; uri != "" && !isAbsoluteURL(uri) {
			p.Add(field, "has a BackChannelLogoutURI that is not absolute")
		}
		for _, origin := range client.AllowedCORSOrigins {
			if !isOrigin(origin) {
				p.Add(field, "has the AllowedCORSOrigins entry %q, want a scheme and a host without a path", origin)
			}
		}
	}
}

func isAbsoluteURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs()
}
