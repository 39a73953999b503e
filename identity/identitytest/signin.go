package identitytest

import (
	"net/http"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// secondFactorLifetime is the time between password and code, as in ASP.NET
// Identity.
const secondFactorLifetime = 5 * time.Minute

// secondFactorMessage is the message of an answer that requires a code.
const secondFactorMessage = "For your security, we have emailed you a one-time authentication code. Please enter this code below to proceed."

// signInRequest is the body of both steps of a sign-in.
type signInRequest struct {
	Email            string `json:"email"`
	Password         string `json:"password"`
	VerificationCode string `json:"verificationCode"`
	Provider         string `json:"provider"`
}

// signIn answers POST /identity/sign-in with address and password, or with the
// code of the second factor and the cookie of the first step.
func (s *Server) signIn(x *exchange) {
	var in signInRequest
	if !x.decodeJSON(&in) {
		return
	}
	if in.VerificationCode != "" {
		s.signInByCode(x, in)
		return
	}
	u := s.enterPassword(x, in.Email, in.Password)
	switch {
	case u == nil:
		s.refuseSignIn(x, "wrong address or password, or disabled user")
	case u.SecondFactorCode != "":
		x.JSON(http.StatusOK, mvcJSON, apitest.Object{
			{"secondFactorRequired", true},
			{"message", secondFactorMessage},
			{"provider", u.SecondFactorProvider},
		})
	default:
		s.completeSignIn(x, u)
	}
}

// enterPassword returns the user, or nil. If the user has a second factor, the
// client gets the cookie that the code needs.
func (s *Server) enterPassword(x *exchange, email, password string) *user {
	u := s.checkPassword(email, password)
	if u != nil && u.SecondFactorCode != "" {
		handle := newTicket()
		s.pending.Add(handle, u.ID)
		x.setCookie(cookieSecondFactor, handle)
	}
	return u
}

// checkPassword returns the user, or nil.
func (s *Server) checkPassword(email, password string) *user {
	u := s.userByEmail(email)
	if u == nil || !u.active() || !apitest.SameSecret(u.Password, password) {
		return nil
	}
	return u
}

func (s *Server) signInByCode(x *exchange, in signInRequest) {
	u := s.awaitedUser(x)
	switch {
	case u == nil:
		s.refuseSignIn(x, "no second factor is due, or disabled user")
	case in.Provider != u.SecondFactorProvider || !s.enterCode(x, u, in.VerificationCode):
		s.refuseSignIn(x, "wrong code or provider")
	default:
		s.completeSignIn(x, u)
	}
}

// awaitedUser returns the user whose second factor is due by the cookies, or
// nil.
func (s *Server) awaitedUser(x *exchange) *user {
	userID, ok := s.pending.Owner(requestCookies(x.Header)[cookieSecondFactor])
	if u := s.byID[userID]; ok && u.active() {
		return u
	}
	return nil
}

// enterCode reports whether code is the user's second factor. If so, no further
// code is due.
func (s *Server) enterCode(x *exchange, u *user, code string) bool {
	if !apitest.SameSecret(u.SecondFactorCode, code) {
		return false
	}
	s.pending.Spend(requestCookies(x.Header)[cookieSecondFactor])
	x.setCookie(cookieSecondFactor, "")
	return true
}

// startSession begins the user's session and sets its cookies.
func (s *Server) startSession(x *exchange, u *user) {
	ticket, sid := s.sessions.start(u.ID, s.now(), s.config.SessionLifetime)
	x.setCookie(cookieTicket, ticket)
	x.setCookie(cookieSessionID, sid)
}

func (s *Server) completeSignIn(x *exchange, u *user) {
	s.startSession(x, u)
	x.Answer().Header().Set("Cache-Control", "no-cache")
	x.Answer().Header().Set("Pragma", "no-cache")
	x.JSON(http.StatusOK, mvcJSON, apitest.Object{
		{"secondFactorRequired", false},
		{"account", apitest.Object{{"nickname", u.Nickname}, {"email", u.Email}, {"id", u.ID}}},
	})
}

func (s *Server) refuseSignIn(x *exchange, reason string) {
	x.Note("SignInUnsuccessful: " + reason)
	x.JSON(s.config.SignInFailureStatus, mvcJSON, apitest.Object{
		{"errors", []apitest.Object{{
			{"code", "SignInUnsuccessful"},
			{"message", "The sign-in was unsuccessful"},
		}}},
	})
}

// decodeJSON decodes the body. If it cannot, it answers 415 or 400.
func (x *exchange) decodeJSON(into any) bool {
	if x.MediaType() != "application/json" {
		x.problemDetails(http.StatusUnsupportedMediaType)
		return false
	}
	if !x.Decode(into) {
		x.problemDetails(http.StatusBadRequest)
		return false
	}
	return true
}
