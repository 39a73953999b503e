package traderevolutiontest

import (
	"net/http"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// answerToken answers POST /auth/token.
func (s *Server) answerToken(x *apitest.Exchange) {
	if !x.AllowOnly(http.MethodPost) {
		return
	}
	var in struct{ Login, Password string }
	switch {
	case !x.Decode(&in) || in.Login == "" || in.Password == "":
		refuse(x, http.StatusBadRequest, "", "The body must hold login and password")
	case !apitest.SameSecret(SampleLogin, in.Login) || !apitest.SameSecret(SamplePassword, in.Password):
		refuse(x, http.StatusUnauthorized, "1.2.0.11", "Wrong login or password")
	default:
		x.JSON(http.StatusOK, mediaType, s.pair(in.Login))
	}
}

// answerRefresh answers GET /auth/token/refresh.
func (s *Server) answerRefresh(x *apitest.Exchange) {
	if !x.AllowOnly(http.MethodGet) {
		return
	}
	login, ok := s.refresh.Use(x.Header.Get("token"), s.config.ReuseRefreshTokens)
	if !ok {
		refuse(x, http.StatusUnauthorized, "", "The refresh token is not valid")
		return
	}
	x.JSON(http.StatusOK, mediaType, s.pair(login))
}

// pair issues an access token and a refresh token.
func (s *Server) pair(login string) apitest.Object {
	return apitest.Object{
		{"accessToken", issue(s.access, login)},
		{"refreshToken", issue(s.refresh, login)},
		{"accessTokenLifeTime", int(s.config.AccessTokenLifetime / time.Second)},
		{"refreshTokenLifeTime", int(s.config.RefreshTokenLifetime / time.Second)},
	}
}

// issue makes a token for a user.
func issue(kind *apitest.Tokens, login string) string {
	token := apitest.RandomHex(32)
	kind.Add(token, login)
	return token
}
