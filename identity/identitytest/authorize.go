package identitytest

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// protocolError is a refusal of the authorize or token endpoint.
type protocolError struct {
	code        string
	description string // sent to the client by the token endpoint
	reason      string // for the record only
}

// log returns the text for the record.
func (e *protocolError) log() string {
	parts := []string{e.code, e.description, e.reason}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// authorizeRequest is a valid request to the authorize endpoint.
type authorizeRequest struct {
	client       Client
	redirectURI  string
	responseMode string
	state        string
	nonce        string
	challenge    string
	scopes       []string
	prompt       string
	maxAge       time.Duration // negative: none
}

// authorize answers /identity/connect/authorize by a redirect, unless the
// method or media type is wrong.
func (s *Server) authorize(x *exchange) {
	params, ok := x.parameters()
	if !ok {
		return
	}
	x.noCache()
	if x.fault.Redirect != "" {
		x.redirect(x.fault.Redirect)
		return
	}
	request, problem := s.validateAuthorize(x, params)
	if problem != nil {
		x.Note(problem.log())
		x.redirect(x.origin() + unauthorizedPath + "?errorId=" + newTicket())
		return
	}
	if x.fault.ErrorCode != "" {
		s.authorizeError(x, request, x.fault.ErrorCode)
		return
	}
	s.authorizeSession(x, request, params)
}

// unauthorizedPath is the target of B2Trader's redirects for a browser that is
// not signed in and for a bad request.
const unauthorizedPath = basePath + "/unauthorized"

// callbackPath is where a sign-in page sends the browser back to its authorize
// request.
const callbackPath = basePath + "/connect/authorize/callback"

// authorizeSession answers a valid request by the session of the cookies.
func (s *Server) authorizeSession(x *exchange, request *authorizeRequest, params url.Values) {
	found, ticket, ok := s.session(x)
	now := s.now()
	ok = ok && s.byID[found.userID].active()
	switch {
	case request.prompt == "login", request.prompt == "select_account",
		ok && request.maxAge >= 0 && now.After(found.authTime.Add(request.maxAge)):
		s.askToSignIn(x, params, "a fresh sign-in is required")
	case !ok && request.prompt == "none":
		s.authorizeError(x, request, "login_required")
	case !ok:
		s.askToSignIn(x, params, "not signed in")
	default:
		s.authorizeSuccess(x, request, found, ticket)
	}
}

// askToSignIn redirects to the sign-in page, or where B2Trader redirects. From
// there the returnUrl leads back to the authorize request.
func (s *Server) askToSignIn(x *exchange, params url.Values, reason string) {
	x.Note("login: " + reason)
	params = maps.Clone(params)
	params.Del("prompt") // which would require a sign-in again
	page := unauthorizedPath
	if s.config.SignInPage {
		page = signInPagePath
	}
	x.redirect(x.origin() + page + "?returnUrl=" + url.QueryEscape(returnURL(params)))
}

// escape encodes a query, with spaces as %20.
func escape(v url.Values) string { return strings.ReplaceAll(v.Encode(), "+", "%20") }

func (s *Server) authorizeSuccess(x *exchange, request *authorizeRequest, found session, ticket string) {
	if newer := s.sessions.addClient(ticket, request.client.ID, s.issuer(x)); newer != "" {
		x.setCookie(cookieTicket, newer)
		x.setCookie(cookieSessionID, found.id)
	}
	code := s.grants.addCode(codeGrant{
		client: request.client.ID, userID: found.userID, redirectURI: request.redirectURI,
		scopes: request.scopes, nonce: request.nonce, challenge: request.challenge,
		authTime: found.authTime, sessionID: found.id, created: s.now(),
	})
	fields := apitest.Object{{"code", code}, {"scope", strings.Join(request.scopes, " ")}}
	s.respond(x, request, fields, found.id, "")
}

// authorizeError sends an error to the redirect URI.
func (s *Server) authorizeError(x *exchange, request *authorizeRequest, code string) {
	x.Note(code)
	s.respond(x, request, apitest.Object{{"error", code}}, "", "#_=_")
}

// respond adds state and session_state to fields and sends them to the redirect
// URI.
func (s *Server) respond(x *exchange, request *authorizeRequest, fields apitest.Object, sid, suffix string) {
	state := request.state
	switch {
	case x.fault.WrongState:
		state = apitest.RandomHex(8)
	case x.fault.NoState:
		state = ""
	}
	if !isMissing(state) {
		fields.Add("state", state)
	}
	if sid != "" && slices.Contains(request.scopes, "openid") {
		fields.Add("session_state", sessionState(request.client.ID, request.redirectURI, sid))
	}
	if request.responseMode == "form_post" {
		x.formPost(request.redirectURI, fields)
		return
	}
	separator := "?"
	switch {
	case request.responseMode == "fragment":
		separator, suffix = "#", ""
	case strings.Contains(request.redirectURI, "?"):
		separator = "&"
	}
	x.redirect(request.redirectURI + separator + encodeFields(fields) + suffix)
}

// encodeFields writes a query in the order of fields.
func encodeFields(fields apitest.Object) string {
	var parts []string
	for _, f := range fields {
		value, _ := f.Value.(string)
		parts = append(parts, f.Name+"="+strings.ReplaceAll(url.QueryEscape(value), "+", "%20"))
	}
	return strings.Join(parts, "&")
}

// formPostPage is the answer of response_mode=form_post.
var formPostPage = template.Must(template.New("form_post").Parse(
	`<html><head><base target='_self'/></head><body><form method='post' action='{{.Action}}'>` +
		`{{range .Fields}}<input type='hidden' name='{{.Name}}' value='{{.Value}}' />{{end}}` +
		`<noscript><button>Click to continue</button></noscript></form>` +
		`<script>window.addEventListener('load', function(){document.forms[0].submit();});</script></body></html>`))

func (x *exchange) formPost(action string, fields apitest.Object) {
	x.Answer().Header().Set("Content-Type", "text/html; charset=UTF-8")
	if err := formPostPage.Execute(x.Answer(), map[string]any{"Action": action, "Fields": fields}); err != nil {
		panic("identitytest: " + err.Error())
	}
}

// sessionState returns the session_state of OpenID Connect Session Management
// 1.0 section 3.
func sessionState(clientID, redirectURI, sid string) string {
	origin := redirectURI
	if u, err := url.Parse(redirectURI); err == nil {
		origin = u.Scheme + "://" + u.Host
	}
	salt := apitest.RandomHex(16)
	sum := sha256.Sum256([]byte(clientID + origin + sid + salt))
	return base64.RawURLEncoding.EncodeToString(sum[:]) + "." + salt
}

// validateAuthorize checks in IdentityServer4 2.5's order.
func (s *Server) validateAuthorize(x *exchange, params url.Values) (*authorizeRequest, *protocolError) {
	request := &authorizeRequest{responseMode: "query", maxAge: -1}
	for _, step := range []func(*exchange, *authorizeRequest, url.Values) *protocolError{
		s.validateClient, s.validateCore, s.validateScope, s.validateOptional,
	} {
		if problem := step(x, request, params); problem != nil {
			return nil, problem
		}
	}
	return request, nil
}

func invalidRequest(description string) *protocolError {
	return &protocolError{code: "invalid_request", description: description}
}

func unauthorizedClient(description string) *protocolError {
	return &protocolError{code: "unauthorized_client", description: description}
}

func (s *Server) validateClient(x *exchange, request *authorizeRequest, params url.Values) *protocolError {
	id, redirect := params.Get("client_id"), params.Get("redirect_uri")
	if isMissing(id) || tooLong(id, 100) {
		return invalidRequest("Invalid client_id")
	}
	if isMissing(redirect) || tooLong(redirect, 400) || !isAbsoluteURL(redirect) {
		return invalidRequest("Invalid redirect_uri")
	}
	client, ok := s.clients[id]
	if !ok {
		return unauthorizedClient("Unknown client or client not enabled")
	}
	registered := client.RedirectURIs
	if registered == nil {
		registered = []string{x.origin() + basePath + "/sign-in-done"}
	}
	if !slices.ContainsFunc(registered, func(r string) bool { return strings.EqualFold(r, redirect) }) {
		return unauthorizedClient("Invalid redirect_uri")
	}
	request.client, request.redirectURI = client, redirect
	return nil
}

func (s *Server) validateCore(_ *exchange, request *authorizeRequest, params url.Values) *protocolError {
	request.state = params.Get("state")
	responseType := params.Get("response_type")
	if isMissing(responseType) {
		return &protocolError{code: "unsupported_response_type", description: "Missing response_type"}
	}
	if !slices.ContainsFunc(responseTypes(), func(known string) bool { return sameWords(known, responseType) }) {
		return &protocolError{code: "unsupported_response_type", description: "Response type not supported"}
	}
	if strings.Contains(responseType, "code") {
		if problem := s.validatePKCE(request, params); problem != nil {
			return problem
		}
	}
	switch mode := params.Get("response_mode"); mode {
	case "":
	case "query", "fragment", "form_post":
		request.responseMode = mode
	default:
		return &protocolError{code: "unsupported_response_type", description: "Invalid response_mode"}
	}
	if responseType != "code" || !request.client.allows(GrantAuthorizationCode) {
		return unauthorizedClient("Invalid grant type for client")
	}
	return nil
}

// sameWords compares space-delimited lists whose order does not matter, RFC
// 6749 section 3.1.1.
func sameWords(a, b string) bool {
	return slices.Equal(slices.Sorted(strings.FieldsSeq(a)), slices.Sorted(strings.FieldsSeq(b)))
}

// validatePKCE follows IdentityServer4: without a challenge a code is issued
// without one, unless PKCE is required, and plain challenges are refused (RFC
// 7636 section 4.3).
func (s *Server) validatePKCE(request *authorizeRequest, params url.Values) *protocolError {
	challenge := params.Get("code_challenge")
	switch {
	case isMissing(challenge) && s.config.RequirePKCE:
		return invalidRequest("code challenge required")
	case isMissing(challenge):
		return nil
	case len(challenge) < 43 || tooLong(challenge, 128):
		return invalidRequest("Invalid code_challenge")
	case params.Get("code_challenge_method") != "S256": // none means plain
		return invalidRequest("Transform algorithm not supported")
	}
	request.challenge = challenge
	return nil
}

func (s *Server) validateScope(_ *exchange, request *authorizeRequest, params url.Values) *protocolError {
	text := params.Get("scope")
	if isMissing(text) || tooLong(text, 300) {
		return invalidRequest("Invalid scope")
	}
	requested := strings.Fields(text)
	for _, scope := range requested {
		if !s.scopes.knows(scope) {
			return &protocolError{code: "invalid_scope", description: "Invalid scope"}
		}
	}
	if slices.ContainsFunc(requested, isIdentityScope) && !slices.Contains(requested, "openid") {
		return &protocolError{code: "invalid_scope", description: "Identity scopes requested, but openid scope is missing"}
	}
	for _, scope := range requested {
		if !request.client.allowsScope(scope) {
			return unauthorizedClient("Invalid scope for client")
		}
	}
	request.scopes = s.scopes.sort(requested)
	return nil
}

func (s *Server) validateOptional(_ *exchange, request *authorizeRequest, params url.Values) *protocolError {
	for _, limited := range []struct {
		name  string
		limit int
	}{{"nonce", 300}, {"ui_locales", 100}, {"login_hint", 100}, {"acr_values", 300}} {
		if tooLong(params.Get(limited.name), limited.limit) {
			return invalidRequest("Invalid " + limited.name)
		}
	}
	if age := params.Get("max_age"); !isMissing(age) {
		seconds, err := strconv.ParseInt(age, 10, 32)
		if err != nil || seconds < 0 {
			return invalidRequest("Invalid max_age")
		}
		request.maxAge = time.Duration(seconds) * time.Second
	}
	request.nonce, request.prompt = params.Get("nonce"), params.Get("prompt")
	return nil
}
