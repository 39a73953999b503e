package identitytest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// grant is an accepted token request.
type grant struct {
	client    Client
	user      *user // nil for client_credentials
	scopes    []string
	authTime  time.Time
	nonce     string
	sessionID string
	noIDToken bool
	created   time.Time // of the first refresh token
	family    string
}

// userID returns the user's ID, empty for client_credentials.
func (g grant) userID() string {
	if g.user == nil {
		return ""
	}
	return g.user.ID
}

// token answers POST /identity/connect/token. Its errors are 400, except that
// of a refused code: see Config.StockCodeErrors.
func (s *Server) token(x *exchange) {
	x.noCache()
	if x.Method != http.MethodPost || x.Form == nil {
		x.tokenError(&protocolError{code: "invalid_request", reason: "not a POST of a form"})
		return
	}
	client, problem := s.authenticateClient(x)
	if problem != nil {
		x.tokenError(problem)
		return
	}
	g, problem := s.validateGrant(x, client)
	switch {
	case problem == nil:
		x.JSON(http.StatusOK, identityServerJSON, s.issue(x, g))
	case problem.code == "invalid_grant" && x.Form.Get("grant_type") == GrantAuthorizationCode && !s.config.StockCodeErrors:
		x.Note(problem.log())
		x.problemDetails(http.StatusUnauthorized)
	default:
		x.tokenError(problem)
	}
}

func (x *exchange) tokenError(problem *protocolError) {
	x.Note(problem.log())
	body := apitest.Object{{"error", problem.code}}
	if problem.description != "" {
		body.Add("error_description", problem.description)
	}
	x.JSON(http.StatusBadRequest, identityServerJSON, body)
}

func (s *Server) validateGrant(x *exchange, client Client) (grant, *protocolError) {
	grantType := x.Form.Get("grant_type")
	switch grantType {
	case GrantAuthorizationCode, GrantPassword, GrantClientCredentials, grantDeviceCode:
		if !client.allows(grantType) {
			return grant{}, &protocolError{code: "unauthorized_client", reason: "grant type not allowed to the client"}
		}
	}
	switch grantType {
	case GrantAuthorizationCode:
		return s.validateCode(x, client)
	case GrantPassword:
		return s.validatePassword(x, client)
	case GrantClientCredentials:
		return s.validateClientCredentials(x, client)
	case grantRefreshToken:
		return s.validateRefresh(x, client)
	default:
		return grant{}, &protocolError{code: "unsupported_grant_type", reason: "missing, too long or unknown"}
	}
}

func invalidGrant(reason string) *protocolError {
	return &protocolError{code: "invalid_grant", reason: reason}
}

// validateCode uses the code up first, so that no exchange can be tried twice.
func (s *Server) validateCode(x *exchange, client Client) (grant, *protocolError) {
	code := x.Form.Get("code")
	if isMissing(code) || tooLong(code, 100) {
		return grant{}, invalidGrant("code missing or too long")
	}
	g, ok := s.grants.useCode(code)
	u := s.byID[g.userID]
	redirect := x.Form.Get("redirect_uri")
	switch {
	case !ok:
		return grant{}, invalidGrant("code unknown or used")
	case g.client != client.ID:
		return grant{}, invalidGrant("code of another client")
	case expired(g.created, s.config.AuthorizationCodeLifetime, s.now()):
		return grant{}, invalidGrant("code expired")
	case redirect != g.redirectURI:
		return grant{}, &protocolError{code: "unauthorized_client", reason: "redirect_uri missing or not the authorize request's"}
	}
	if problem := s.checkVerifier(g.challenge, x.Form.Get("code_verifier")); problem != nil {
		return grant{}, problem
	}
	if !u.active() {
		return grant{}, invalidGrant("user disabled")
	}
	return grant{
		client: client, user: u, scopes: g.scopes, authTime: g.authTime, nonce: g.nonce,
		sessionID: g.sessionID, created: s.now(),
	}, nil
}

// checkVerifier applies RFC 7636 section 4.6. As IdentityServer does, it also
// refuses a verifier without a challenge.
func (s *Server) checkVerifier(challenge, verifier string) *protocolError {
	if challenge == "" && !s.config.RequirePKCE {
		if !isMissing(verifier) {
			return invalidGrant("code_verifier without a code_challenge")
		}
		return nil
	}
	sum := sha256.Sum256([]byte(verifier))
	switch {
	case len(verifier) < 43 || tooLong(verifier, 128):
		return invalidGrant("code_verifier missing, too short or too long")
	case !apitest.SameSecret(challenge, base64.RawURLEncoding.EncodeToString(sum[:])):
		return invalidGrant("code_verifier does not match the code_challenge")
	}
	return nil
}

func (s *Server) validateRefresh(x *exchange, client Client) (grant, *protocolError) {
	handle := x.Form.Get("refresh_token")
	if isMissing(handle) {
		return grant{}, &protocolError{code: "invalid_request", reason: "refresh_token missing"}
	}
	if tooLong(handle, 100) {
		return grant{}, invalidGrant("refresh_token too long")
	}
	g, problem := s.grants.useToken(handle, s.now(), func(g refreshGrant) *protocolError {
		switch {
		case g.client != client.ID:
			return invalidGrant("refresh token of another client")
		case !s.byID[g.userID].active():
			return invalidGrant("user disabled")
		}
		return nil
	})
	if problem != nil {
		return grant{}, problem
	}
	return grant{
		client: client, user: s.byID[g.userID], scopes: g.scopes, authTime: g.authTime,
		created: g.created, family: g.family,
	}, nil
}

// validatePassword checks the machine-to-machine sign-in. It requires no second
// factor, as in stock ASP.NET Identity.
func (s *Server) validatePassword(x *exchange, client Client) (grant, *protocolError) {
	scopes, problem := s.requestedScopes(x, client, client.Scopes)
	if problem != nil {
		return grant{}, problem
	}
	name, password := x.Form.Get("username"), x.Form.Get("password")
	if isMissing(name) || isMissing(password) || tooLong(name, 100) || tooLong(password, 100) {
		return grant{}, invalidGrant("username or password missing or too long")
	}
	u := s.checkPassword(name, password)
	if u == nil {
		return grant{}, &protocolError{code: "invalid_grant", description: "invalid_username_or_password"}
	}
	now := s.now()
	return grant{client: client, user: u, scopes: scopes, authTime: now, noIDToken: true, created: now}, nil
}

func (s *Server) validateClientCredentials(x *exchange, client Client) (grant, *protocolError) {
	ofAPIs := slices.DeleteFunc(slices.Clone(client.Scopes), func(scope string) bool { return !isAPIScope(scope) })
	scopes, problem := s.requestedScopes(x, client, ofAPIs)
	if problem != nil {
		return grant{}, problem
	}
	for _, scope := range scopes {
		if !isAPIScope(scope) {
			return grant{}, &protocolError{code: "invalid_scope", reason: scope + " needs a user"}
		}
	}
	return grant{client: client, scopes: scopes, noIDToken: true}, nil
}

// requestedScopes returns the scopes of the request, or preset without a scope.
func (s *Server) requestedScopes(x *exchange, client Client, preset []string) ([]string, *protocolError) {
	text := x.Form.Get("scope")
	if isMissing(text) {
		text = strings.Join(preset, " ")
	}
	requested := strings.Fields(text)
	if len(requested) == 0 || tooLong(text, 300) {
		return nil, &protocolError{code: "invalid_scope", reason: "none, or too long"}
	}
	for _, scope := range requested {
		if !s.scopes.knows(scope) || !client.allowsScope(scope) {
			return nil, &protocolError{code: "invalid_scope", reason: "unknown or not allowed to the client"}
		}
	}
	return s.scopes.sort(requested), nil
}
