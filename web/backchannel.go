package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
	"b2trader.identity.auth/web/internal/session"
)

// backChannelPath is the back-channel logout URI of each client, where the
// IdentityServer posts logout tokens.
const backChannelPath = "/backchannel-logout"

// refusedLogoutsPerMinute bounds the refused posts of one address: more get 429.
// A valid logout token is carried out in any case.
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
	kept  *keptLogouts
}

func newBackChannel(s *site, ender *sessionEnder) *backChannel {
	b := &backChannel{site: s, ender: ender, limit: newLimiter(s.config.Now, refusedLogoutsPerMinute, time.Minute)}
	b.kept = newKeptLogouts(s, b.carryOut)
	return b
}

// logout carries out a logout token. The token proves the origin of the request,
// which has no session. "If the logout request was invalid or the logout failed,
// the RP MUST respond with HTTP 400 Bad Request" (section 2.8). A token that
// cannot be verified or carried out now is neither: the answer is 503, so that
// the sender repeats it, and a verified one is kept and carried out later.
func (s *backChannel) logout(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithoutCancel(r.Context()) // the IdentityServer may not wait
	token, err := s.verified(r)
	ended := 0
	if err == nil {
		if ended, err = s.carryOut(ctx, token); !settled(err) && !s.kept.add(token) {
			err = fmt.Errorf("%w; it is not kept, since %d others are", err, maxKeptLogouts)
		}
	}
	switch {
	case err == nil:
		s.limit.Forget(request.AddressKey(request.Of(ctx).Address))
		s.events.record(ctx, eventBackChannelLogout, logoutAttributes(token, ended)...)
		w.WriteHeader(http.StatusOK)
	case isInvalid(err):
		s.refuse(w, r, err)
	default:
		s.events.recordAt(ctx, slog.LevelError, eventBackChannelRefused, "error", err)
		answer.SetRetryAfter(w.Header(), answer.RetryLater)
		answer.JSON(w, http.StatusServiceUnavailable, map[string]string{"error": "temporarily_unavailable"})
	}
}

// refuse answers an invalid request, with 429 if the address sends many.
func (s *backChannel) refuse(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	if wait := s.limit.Take(request.AddressKey(request.Of(ctx).Address)); wait > 0 {
		s.events.record(ctx, eventTooManyLogouts)
		answer.SetRetryAfter(w.Header(), wait)
		answer.JSON(w, http.StatusTooManyRequests, map[string]string{"error": "too_many_requests"})
		return
	}
	s.events.record(ctx, eventBackChannelRefused, "error", err)
	answer.JSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
}

// isInvalid reports whether a failure is the fault of the request.
func isInvalid(err error) bool {
	return errors.Is(err, tokenapi.ErrUnusableAnswer) || errors.Is(err, errNoLogoutToken) || errors.Is(err, errReplayed)
}

// settled reports whether a logout token need not be tried again.
func settled(err error) bool { return err == nil || errors.Is(err, errReplayed) }

func logoutAttributes(token *identity.LogoutToken, ended int) []any {
	return []any{"user", token.Issuer + " " + token.Subject, "one_session", token.SessionID != "", "sessions", ended}
}

// verified returns the logout token of a request, verified.
func (s *backChannel) verified(r *http.Request) (*identity.LogoutToken, error) {
	form, err := answer.Form(r)
	if err != nil {
		return nil, errors.Join(errNoLogoutToken, err)
	}
	raw := form.Get("logout_token")
	client := s.audience(raw)
	if client == nil {
		return nil, errNoLogoutToken
	}
	return client.VerifyLogoutToken(r.Context(), raw)
}

// carryOut checks that no process has carried out the token before, and ends
// the sessions. It returns how many. A token whose logout failed can be carried
// out again, as can one that a full store does not mark as used.
func (s *backChannel) carryOut(ctx context.Context, token *identity.LogoutToken) (int, error) {
	switch spent, err := s.index.Spent(ctx, token.Issuer, token.ID); {
	case err != nil:
		return 0, err
	case spent:
		return 0, errReplayed
	}
	ended, err := s.end(ctx, token)
	if err != nil {
		return 0, err
	}
	life := token.Expiry.Sub(token.IssuedAt) + time.Minute // the issuer's clock may be ahead of the store's
	if err := s.index.Spend(ctx, token.Issuer, token.ID, life); err != nil {
		s.events.record(ctx, eventLogoutNotMarked, "user", token.Issuer+" "+token.Subject, "error", err)
	}
	return ended, nil
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
	found := make([]session.Session, len(ids))
	var group errgroup.Group
	group.SetLimit(deletions)
	for i, id := range ids {
		group.Go(func() (err error) {
			if found[i], err = s.sessions.StoredAt(ctx, id); errors.Is(err, session.ErrNone) {
				return nil
			}
			return err
		})
	}
	err = group.Wait()
	return slices.DeleteFunc(found, func(f session.Session) bool {
		known := f.User.VaultKey != ""
		return f.ID == "" || known && token.Subject != "" && token.Subject != f.User.Subject
	}), err
}

// audience returns the client in the audience of a token that is not verified
// yet, or nil.
func (s *backChannel) audience(raw string) *identity.Client {
	audience := stringsOf(claimsOf(raw)["aud"])
	for _, c := range s.config.Clients {
		if slices.Contains(audience, c.ID()) {
			return c
		}
	}
	return nil
}
