package b2binpaytest

import (
	"net/http"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// signInV3 answers POST /token/ of version 3 (docs.b2binpay.com, authentication).
func (s *Server) signInV3(x *apitest.Exchange) {
	var in struct {
		Data struct {
			Attributes struct {
				ClientID     string `json:"client_id"`
				ClientSecret string `json:"client_secret"`
			}
		}
	}
	if !s.read(x, &in) {
		return
	}
	switch a := in.Data.Attributes; {
	case a.ClientID == "" || a.ClientSecret == "":
		s.refuseBlank(x, firstBlank("client_id", a.ClientID, "client_secret"))
	case !apitest.SameSecret(s.config.ClientID, a.ClientID) || !apitest.SameSecret(s.config.ClientSecret, a.ClientSecret):
		s.refuse(x, http.StatusBadRequest, "2006", noAccount)
	default:
		x.JSON(http.StatusOK, mediaType, apitest.Object{{"data", apitest.Object{
			{"type", "auth-token"}, {"id", s.config.ID}, {"attributes", apitest.Object{
				{"access", s.issueV3()}, {"expires_in", int(s.config.AccessTokenLifetime / time.Second)}, {"token_type", "Bearer"},
			}},
		}}})
	}
}

// issueV3 makes an access token, which no client can verify.
func (s *Server) issueV3() string {
	now := s.now()
	access := apitest.JWT(apitest.Object{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "b2binpaytest"}}, apitest.Object{
		{"exp", now.Add(s.config.AccessTokenLifetime).Unix()}, {"iat", now.Unix()}, {"jti", apitest.RandomHex(16)}, {"client_id", s.config.ClientID},
	})
	s.access.Add(access, s.config.ClientID)
	return access
}
