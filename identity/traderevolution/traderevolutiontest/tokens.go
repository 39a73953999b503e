package traderevolutiontest

import (
	"crypto/subtle"
	"net/http"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// answerToken is POST /auth/token.
func (s *Server) answerToken(x *apitest.Exchange) {
	if !x.AllowOnly(http.MethodPost) {
		return
	}
	var in struct{ Login, Password string }
	switch {
	case !x.Decode(&in) || in.Login == "" || in.Password == "":
		refuse(x, http.StatusBadRequest, "", "The body must hold login and password")
	case !same(in.Login, SampleLogin) || !same(in.Password, SamplePassword):
		refuse(x, http.StatusUnauthorized, "1.2.0.11", "Wrong login or password")
	default:
		x.JSON(http.StatusOK, mediaType, s.pair(in.Login))
	}
}

// answerRefresh is GET /auth/token/refresh.
func (s *Server) answerRefresh(x *apitest.Exchange) {
	if !x.AllowOnly(http.MethodGet) {
		return
	}
	check := s.refresh.Spend
	if s.config.ReuseRefreshTokens {
		check = s.refresh.Owner
	}
	login, ok := check(x.Header.Get("token"))
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

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
