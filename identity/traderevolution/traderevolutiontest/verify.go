package traderevolutiontest

import (
	"net/http"

	"b2trader.identity.auth/identity/apitest"
)

// answerVerify answers POST /external/token/verify.
func (s *Server) answerVerify(x *apitest.Exchange) {
	if !x.AllowOnly(http.MethodPost) {
		return
	}
	var in struct{ Token string }
	if !x.Decode(&in) || in.Token == "" {
		refuse(x, http.StatusBadRequest, "", "The body must hold a token")
		return
	}
	login, ok := s.oneTime.Spend(in.Token)
	if !ok {
		s.answerInvalid(x)
		return
	}
	var answer apitest.Object
	switch s.config.OTTAnswer {
	case AnswerLogin:
		answer = apitest.Object{{"login", login}, {"valid", true}}
	case AnswerExpiredFlag:
		answer = apitest.Object{{"isExpired", false}, {"login", login}}
	case AnswerTokens:
		answer = s.pair(login)
	case AnswerBoth:
		answer = append(apitest.Object{{"login", login}, {"valid", true}}, s.pair(login)...)
	}
	x.JSON(http.StatusOK, mediaType, answer)
}

// answerInvalid refuses a one-time token that is unknown, expired or used.
func (s *Server) answerInvalid(x *apitest.Exchange) {
	const message = "The one-time token is not valid"
	switch s.config.OTTAnswer {
	case AnswerLogin:
		x.Note(message)
		x.JSON(http.StatusOK, mediaType, apitest.Object{{"valid", false}})
	case AnswerExpiredFlag:
		x.Note(message)
		x.JSON(http.StatusOK, mediaType, apitest.Object{{"isExpired", true}})
	default:
		refuse(x, http.StatusUnauthorized, "", message)
	}
}
