package b2coretest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// cookie is the name of the wizard's cookie.
const cookie = "b2core_session"

// block is how long sign-ins are refused after one too many.
const block = 10 * time.Minute

// A signIn is one attempt to sign in, under its uuid.
type signIn struct {
	user     *User  // nil before the password
	provider string // of the second factor; empty: none is chosen
}

// handleSignIn adds the endpoints of B2Core's own sessions.
func (s *Server) handleSignIn() {
	s.Handle(myPath+"signin/wizard", EndpointWizard, s.wizard)
	s.Handle(myPath+"signin", EndpointSignIn, posted(s.checkPassword))
	s.Handle(myPath+"signin/2fa", EndpointChoose, posted(s.choose))
	s.Handle(myPath+"2fa/*", EndpointCode, posted(s.checkCode))
	s.Handle(myPath+"refresh", EndpointSessionRefresh, posted(s.refreshSession))
	s.Handle(myPath+"signout", EndpointSignOut, s.bearers.Guard(http.MethodPost, unauthenticated, s.signOut))
	s.Handle(myPath+"platforms", EndpointPlatforms, s.bearers.Guard(http.MethodGet, unauthenticated, s.listPlatforms))
}

func posted(h apitest.Handler) apitest.Handler {
	return func(x *apitest.Exchange) {
		if x.AllowOnly(http.MethodPost) {
			h(x)
		}
	}
}

// wizard answers with the uuid of a new attempt.
func (s *Server) wizard(x *apitest.Exchange) {
	if !x.AllowOnly(s.config.WizardMethod) {
		return
	}
	uuid := newUUID()
	s.mu.Lock()
	s.signIns[uuid] = &signIn{}
	s.mu.Unlock()
	x.Answer().Header().Set("Set-Cookie", cookie+"="+uuid+"; Path=/; HttpOnly; SameSite=Lax")
	x.JSON(http.StatusOK, contentType, step(http.StatusAccepted, uuid, apitest.Object{
		{"recaptcha", apitest.Object{{"enabled", s.config.Recaptcha}}},
		{"is_qr_available", false}, {"is_password_recovery_available", true},
	}))
}

// step is the body of an answer. The code 200 announces another step, and 202
// none.
func step(code int, uuid string, data any) apitest.Object {
	return apitest.Object{{"code", code}, {"data", data}, {"done", code == http.StatusAccepted}, {"uuid", uuid}, {"workflow", "login"}}
}

// checkPassword begins a session, or asks for the second factor.
func (s *Server) checkPassword(x *apitest.Exchange) {
	var in struct{ UUID, Email, Password string }
	if !x.Decode(&in) {
		refuse(x, http.StatusBadRequest, "The body is not JSON")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.signIns[in.UUID]
	i := slices.IndexFunc(s.config.Users, User{Email: in.Email}.is)
	switch {
	case s.blocked():
		x.Note("there were too many sign-ins in a minute")
		refuse(x, http.StatusTooManyRequests, "Too Many Attempts.")
	case s.config.Recaptcha:
		x.Note("reCAPTCHA is on")
		s.refuseField(x, "The recaptcha field is required")
	case found == nil || !s.hasCookie(x, in.UUID):
		x.Note("the uuid is not the wizard's, or the cookie is missing")
		s.refuseField(x, "The uuid is invalid")
	case i < 0 || !apitest.SameSecret(s.config.Users[i].Password, in.Password):
		x.Note("the e-mail address or the password is wrong")
		s.refuseField(x, "These credentials do not match our records")
	default:
		found.user = &s.config.Users[i]
		s.next(x, in.UUID, found)
	}
}

// blocked counts a sign-in and reports whether it is one too many.
func (s *Server) blocked() bool {
	now := s.config.Now()
	s.attempts = append(slices.DeleteFunc(s.attempts, func(at time.Time) bool { return now.Sub(at) >= time.Minute }), now)
	if now.Before(s.blockedUntil) {
		return true
	}
	if len(s.attempts) <= s.config.SignInsPerMinute {
		return false
	}
	s.blockedUntil = now.Add(block)
	return true
}

func (s *Server) hasCookie(x *apitest.Exchange, uuid string) bool {
	c, err := x.Cookie(cookie)
	return !s.config.RequireCookies || err == nil && c.Value == uuid
}

// next asks for the second factor of an attempt, or begins its session.
func (s *Server) next(x *apitest.Exchange, uuid string, a *signIn) {
	if len(a.user.SecondFactors) == 0 {
		s.begin(x, uuid)
		return
	}
	if len(a.user.SecondFactors) == 1 {
		a.provider = a.user.SecondFactors[0]
	}
	x.JSON(http.StatusOK, contentType, step(http.StatusOK, uuid, apitest.Object{
		{"accessToken", nil}, {"refreshToken", nil}, {"tfaProviders", a.user.SecondFactors},
	}))
}

// choose answers the choice of a second factor.
func (s *Server) choose(x *apitest.Exchange) {
	var in struct{ UUID, Provider string }
	_ = x.Decode(&in) // an empty uuid is unknown
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.signIns[in.UUID]
	if a == nil || a.user == nil || !s.hasCookie(x, in.UUID) || !slices.Contains(a.user.SecondFactors, in.Provider) {
		x.Note("the uuid is unknown or without a password, or the provider is not the user's")
		s.refuseField(x, "The provider is invalid")
		return
	}
	a.provider = in.Provider
	x.JSON(http.StatusOK, contentType, step(http.StatusOK, in.UUID, nil))
}

// checkCode begins a session for the code of the chosen second factor.
func (s *Server) checkCode(x *apitest.Exchange) {
	var in struct{ UUID, Code string }
	_ = x.Decode(&in) // an empty uuid is unknown
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.signIns[in.UUID]
	provider := x.URL.Path[strings.LastIndexByte(x.URL.Path, '/')+1:]
	if a == nil || a.user == nil || a.provider != provider || !s.hasCookie(x, in.UUID) || !apitest.SameSecret(SampleCode, in.Code) {
		x.Note("the uuid is unknown or without a password, the provider is not the chosen one, or the code is wrong")
		s.refuseField(x, "The code is invalid")
		return
	}
	s.begin(x, in.UUID)
}

// begin begins the session of an attempt, which is over.
func (s *Server) begin(x *apitest.Exchange, uuid string) {
	delete(s.signIns, uuid)
	access, refresh := s.sessionToken(s.bearers, s.config.BearerLifetime, uuid), s.sessionToken(s.renewed, s.config.SessionRefreshTokenLifetime, uuid)
	x.JSON(http.StatusOK, contentType, step(http.StatusAccepted, uuid, apitest.Object{
		{"accessToken", access}, {"refreshToken", refresh}, {"tfaProviders", []string{}},
	}))
}

// sessionToken makes a token of a session.
func (s *Server) sessionToken(kind *apitest.Tokens, life time.Duration, uuid string) apitest.Object {
	now := s.config.Now()
	token := sampleJWT(now, now.Add(life))
	kind.Add(token, uuid)
	return apitest.Object{{"token", token}, {"createdAt", now.Format(time.RFC3339)}, {"expiresAt", now.Add(life).Format(time.RFC3339)}}
}

// refreshSession answers with a new access token of a session.
func (s *Server) refreshSession(x *apitest.Exchange) {
	var in struct{ RefreshToken string }
	_ = x.Decode(&in) // an empty token is unknown
	uuid, ok := s.renewed.Use(in.RefreshToken, s.config.KeepSessionRefreshToken)
	if !ok {
		x.Note("the refresh token is unknown, used or expired")
		refuse(x, s.config.RefreshFailureStatus, "The refresh token is invalid")
		return
	}
	var refresh any
	if !s.config.KeepSessionRefreshToken {
		refresh = s.sessionToken(s.renewed, s.config.SessionRefreshTokenLifetime, uuid)
	}
	x.JSON(http.StatusOK, contentType, step(http.StatusAccepted, uuid, apitest.Object{
		{"accessToken", s.sessionToken(s.bearers, s.config.BearerLifetime, uuid)}, {"refreshToken", refresh},
	}))
}

// signOut ends the session of the bearer.
func (s *Server) signOut(x *apitest.Exchange, uuid string) {
	s.bearers.Forget(uuid)
	s.renewed.Forget(uuid)
	x.Status(http.StatusNoContent)
}

// listPlatforms lists the platforms, as an account names its own.
func (s *Server) listPlatforms(x *apitest.Exchange, _ string) {
	list := []apitest.Object{}
	for _, platform := range s.config.Platforms {
		var id any = platform
		if number, err := strconv.Atoi(platform); err == nil { // as the vendor's objects have it
			id = number
		}
		list = append(list, apitest.Object{{"id", id}, {"name", "B2Trader"}, {"caption", "B2Trader"}, {"type", "B2Trader"}})
	}
	x.JSON(http.StatusOK, contentType, list)
}

// refuseField refuses a field of a sign-in.
func (s *Server) refuseField(x *apitest.Exchange, issue string) {
	x.JSON(s.config.SignInFailureStatus, contentType, apitest.Object{{"error", apitest.Object{
		{"message", "Validation failed"}, {"details", []apitest.Object{{{"issue", issue}}}},
	}}})
}

// newUUID returns a UUID of version 4 (RFC 9562 section 5.4).
func newUUID() string {
	h := apitest.RandomHex(16)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:]
}
