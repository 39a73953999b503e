package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
	"b2trader.identity.auth/web/internal/session"
)

// backChannelPath is the back-channel logout URI of each client, where the
// IdentityServer posts logout tokens.
const backChannelPath = "/backchannel-logout"

// refusedLogoutsPerMinute bounds the refused posts of one address. A valid logout
// token gives the allowance back.
const refusedLogoutsPerMinute = 600

var (
	errNoLogoutToken = errors.New("there is no logout token, or one for no client of this site")
	errReplayed      = errors.New("the logout token was used before")
)

// backChannel ends sessions on request of the IdentityServer (OpenID Connect
// Back-Channel Logout 1.0).
type backChannel struct {
	*site
	ender *sessionEnder
	limit *limiter // by address
}

// logout carries out a logout token. The token proves the origin of the request,
// which has no session. "If the logout request was invalid or the logout failed,
// the RP MUST respond with HTTP 400 Bad Request" (section 2.8): so a failure of
// the store is 400, too.
func (s *backChannel) logout(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	address := request.AddressKey(request.Of(ctx).Address)
	if wait := s.limit.Take(address); wait > 0 {
		s.events.record(ctx, eventTooManyLogouts)
		answer.SetRetryAfter(w.Header(), wait)
		answer.JSON(w, http.StatusTooManyRequests, map[string]string{"error": "too_many_requests"})
		return
	}
	token, ended, err := s.carryOut(r)
	if err != nil {
		level, code := slog.LevelWarn, "invalid_request"
		if !errors.Is(err, identity.ErrUnusableAnswer) && !errors.Is(err, errNoLogoutToken) && !errors.Is(err, errReplayed) {
			level, code = slog.LevelError, "temporarily_unavailable"
		}
		s.events.recordAt(ctx, level, eventBackChannelRefused, "error", err)
		answer.JSON(w, http.StatusBadRequest, map[string]string{"error": code})
		return
	}
	s.limit.Forget(address)
	s.events.record(ctx, eventBackChannelLogout, "user", token.Issuer+" "+token.Subject, "one_session", token.SessionID != "", "sessions", ended)
	w.WriteHeader(http.StatusOK)
}

// carryOut verifies the logout token, checks that no process has carried it out
// before, and ends the sessions. A token whose logout failed can be posted again.
func (s *backChannel) carryOut(r *http.Request) (*identity.LogoutToken, int, error) {
	ctx := context.WithoutCancel(r.Context()) // the IdentityServer may not wait
	form, err := answer.Form(r)
	if err != nil {
		return nil, 0, errors.Join(errNoLogoutToken, err)
	}
	raw := form.Get("logout_token")
	client := s.audience(raw)
	if client == nil {
		return nil, 0, errNoLogoutToken
	}
	token, err := client.VerifyLogoutToken(r.Context(), raw)
	if err != nil {
		return nil, 0, err
	}
	switch spent, err := s.index.Spent(ctx, token.Issuer, token.ID); {
	case err != nil:
		return nil, 0, err
	case spent:
		return nil, 0, errReplayed
	}
	ended, err := s.end(ctx, token)
	if err != nil {
		return nil, 0, err
	}
	return token, ended, s.index.Spend(ctx, token.Issuer, token.ID, token.Expiry)
}

// end ends the sessions of a logout token, and returns how many: with a sid those
// that came from that session at the IdentityServer, else all of the user
// (section 2.7).
func (s *backChannel) end(ctx context.Context, token *identity.LogoutToken) (int, error) {
	if token.SessionID == "" {
		return s.ender.endAll(ctx, token.Issuer+" "+token.Subject, "", revokeInBackground)
	}
	list, err := s.linked(ctx, token)
	if err != nil {
		return 0, err
	}
	return len(list), s.ender.end(ctx, list, revokeInBackground)
}

// linked returns the sessions that came from the session at the IdentityServer
// that a logout token names.
func (s *backChannel) linked(ctx context.Context, token *identity.LogoutToken) ([]session.Session, error) {
	ids, err := s.index.Linked(ctx, token.Issuer, token.SessionID)
	if err != nil {
		return nil, err
	}
	var list []session.Session
	for _, id := range ids {
		found, err := s.sessions.At(ctx, id)
		if errors.Is(err, session.ErrNone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if token.Subject == "" || token.Subject == found.User.Subject {
			list = append(list, found)
		}
	}
	return list, nil
}

// audience returns the client in the audience of a token that is not verified
// yet, or nil.
func (s *backChannel) audience(raw string) *identity.Client {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return nil
	}
	var claims struct {
		Audience json.RawMessage `json:"aud"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return nil
	}
	audience := stringsOf(claims.Audience)
	for _, c := range s.config.Clients {
		if slices.Contains(audience, c.ID()) {
			return c
		}
	}
	return nil
}
