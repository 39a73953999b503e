package traderevolutiontest

import (
	"crypto/subtle"
	"net/http"
	"sync"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// tokens are the live ones of one kind.
type tokens struct {
	now      func() time.Time
	lifetime time.Duration

	mu   sync.Mutex
	live map[string]grant
}

// grant is what a token stands for.
type grant struct {
	login  string
	expiry time.Time
}

func newTokens(now func() time.Time, lifetime time.Duration) *tokens {
	return &tokens{now: now, lifetime: lifetime, live: make(map[string]grant)}
}

// issue makes a token for a user.
func (t *tokens) issue(login string) string {
	token := apitest.RandomHex(32)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.live[token] = grant{login, t.now().Add(t.lifetime)}
	return token
}

// owner says whose token it is, if it lives.
func (t *tokens) owner(token string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, ok := t.live[token]
	return g.login, ok && t.now().Before(g.expiry)
}

// spend says whose token it was, if it lived, and ends it.
func (t *tokens) spend(token string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, ok := t.live[token]
	delete(t.live, token)
	return g.login, ok && t.now().Before(g.expiry)
}

func (t *tokens) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.live)
}

// answerToken is POST /auth/token.
func (s *Server) answerToken(x *apitest.Exchange) {
	if !x.AllowOnly(http.MethodPost) {
		return
	}
	var in struct{ Login, Password string }
	switch {
	case !x.Decode(&in) || in.Login == "" || in.Password == "":
		refuse(x, http.StatusBadRequest, "", "The body must hold login and password")
	case !same(in.Login, Login) || !same(in.Password, Password):
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
	check := s.refresh.spend
	if s.config.ReuseRefreshTokens {
		check = s.refresh.owner
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
		{"accessToken", s.access.issue(login)},
		{"refreshToken", s.refresh.issue(login)},
		{"accessTokenLifeTime", int(s.config.AccessTokenLifetime / time.Second)},
		{"refreshTokenLifeTime", int(s.config.RefreshTokenLifetime / time.Second)},
	}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
