package b2binpaytest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// noAccount is the vendor's text for a wrong password and for a bad refresh
// token.
const noAccount = "No active account found with the given credentials"

// userID is the account's number, as in the article's sample tokens.
const userID = 34

// signIn answers POST /token/.
func (s *Server) signIn(x *apitest.Exchange) {
	var in struct {
		Data struct {
			Attributes struct{ Login, Password string }
		}
	}
	if !s.read(x, &in) {
		return
	}
	switch a := in.Data.Attributes; {
	case a.Login == "" || a.Password == "":
		s.refuseBlank(x, firstBlank("login", a.Login, "password"))
	case !apitest.SameSecret(s.config.Login, a.Login) || !apitest.SameSecret(s.config.Password, a.Password):
		s.refuse(x, http.StatusBadRequest, "2006", noAccount)
	default:
		data, refresh := s.issue()
		now := stamp(s.now())
		meta := apitest.Object{{"time", now}, {"sign", s.sign(now + refresh)}}
		x.JSON(http.StatusOK, mediaType, apitest.Object{{"data", data}, {"meta", meta}})
	}
}

// renew answers POST /token/refresh/.
func (s *Server) renew(x *apitest.Exchange) {
	var in struct {
		Data struct {
			Attributes struct{ Refresh string }
		}
	}
	if !s.read(x, &in) {
		return
	}
	refresh := in.Data.Attributes.Refresh
	if refresh == "" {
		s.refuseBlank(x, "refresh")
		return
	}
	if _, good := s.refresh.Spend(refresh); !good {
		s.refuse(x, http.StatusUnauthorized, "2007", noAccount)
		return
	}
	data, _ := s.issue()
	x.JSON(http.StatusOK, mediaType, apitest.Object{{"data", data}})
}

// read decodes a POST of JSON:API. If it returns false, it has answered.
func (s *Server) read(x *apitest.Exchange, v any) bool {
	switch {
	case !x.AllowOnly(http.MethodPost):
		return false
	case x.MediaType() != mediaType:
		s.refuse(x, http.StatusUnsupportedMediaType, "unsupported_media_type", "Unsupported media type in request.")
		return false
	case !x.Decode(v):
		s.refuse(x, http.StatusBadRequest, "parse_error", "JSON parse error.")
		return false
	}
	return true
}

// issue makes an access token and a refresh token. It returns the answer's data
// and the refresh token.
func (s *Server) issue() (data apitest.Object, refresh string) {
	now := s.now()
	accessExpiry, refreshExpiry := now.Add(s.config.AccessTokenLifetime), now.Add(s.config.RefreshTokenLifetime)
	refresh = jwt("refresh", now, refreshExpiry)
	access := jwt("access", now, accessExpiry)
	s.access.Add(access, s.config.Login)
	s.refresh.Add(refresh, s.config.Login)
	return apitest.Object{
		{"type", "auth-token"},
		{"id", s.config.ID},
		{"attributes", apitest.Object{
			{"refresh", refresh},
			{"access", access},
			{"access_expired_at", stamp(accessExpiry)},
			{"refresh_expired_at", stamp(refreshExpiry)},
			{"is_2fa_confirmed", false},
		}},
	}, refresh
}

// jwt makes a token with the header and claims of the article's samples.
func jwt(tokenType string, now, expiry time.Time) string {
	return apitest.JWT(apitest.Object{{"alg", "HS256"}, {"typ", "JWT"}}, apitest.Object{
		{"token_type", tokenType}, {"exp", expiry.Unix()}, {"iat", now.Unix()}, {"jti", apitest.RandomHex(16)}, {"user_id", userID},
	})
}

// stamp writes a time as the vendor does: UTC, with microseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// sign returns the vendor's signature: HMAC-SHA256 in lower-case hex. Its key is
// the SHA-256 of login and password, as bytes, or version 3's callback secret.
func (s *Server) sign(message string) string {
	hash := sha256.Sum256([]byte(s.config.Login + s.config.Password))
	key := hash[:]
	if s.config.Version == 3 {
		key = []byte(s.config.CallbackSecret)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return hex.EncodeToString(mac.Sum(nil))
}

// firstBlank returns the first of two attributes that is blank: name, if value
// is, or other.
func firstBlank(name, value, other string) string {
	if value == "" {
		return name
	}
	return other
}

// refuseBlank refuses a request without an attribute, to which the error points.
func (s *Server) refuseBlank(x *apitest.Exchange, attribute string) {
	s.refuse(x, http.StatusBadRequest, "invalid", "This field may not be blank.",
		apitest.Member{Name: "source", Value: apitest.Object{{"pointer", "/data/attributes/" + attribute}}})
}

// refuse answers with an error of JSON:API.
func (s *Server) refuse(x *apitest.Exchange, status int, code, detail string, more ...apitest.Member) {
	x.Note(code + ": " + detail)
	var written any = code
	if n, err := strconv.Atoi(code); err == nil && s.config.NumericCodes {
		written = n
	}
	problem := append(apitest.Object{{"status", strconv.Itoa(status)}, {"code", written}, {"detail", detail}}, more...)
	x.JSON(status, mediaType, apitest.Object{{"errors", []apitest.Object{problem}}})
}
