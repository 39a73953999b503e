package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"b2trader.identity.auth/identity/store/mirror"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/gateway"
)

// apiSessions implements gateway.Sessions. It finds a session by its cookie
// alone, and does not decode what the session keeps for pages.
type apiSessions struct{ *sessions }

// Find implements gateway.Sessions.
func (s apiSessions) Find(r *http.Request, use bool) (gateway.Caller, error) {
	cookie, err := r.Cookie(s.manager.Cookie.Name)
	if err != nil {
		return gateway.Caller{}, answer.ErrNoSession
	}
	return s.look(r.Context(), placeOf(cookie.Value), use)
}

// CheckAgain implements gateway.Sessions.
func (s apiSessions) CheckAgain(ctx context.Context, c gateway.Caller) (gateway.Caller, error) {
	return s.look(ctx, sessionPrefix+c.ID, false)
}

// Forget implements gateway.Sessions.
func (s apiSessions) Forget(ctx context.Context, c gateway.Caller) error {
	return s.store.mirror.Delete(context.WithoutCancel(ctx), sessionPrefix+c.ID)
}

func (s apiSessions) look(ctx context.Context, place string, use bool) (gateway.Caller, error) {
	found, err := s.store.mirror.Get(ctx, place)
	switch {
	case mirror.Gone(err), errors.Is(err, errUnreadable), errors.Is(err, errCodec):
		return gateway.Caller{}, answer.ErrNoSession
	case err != nil:
		return gateway.Caller{}, answer.StoreUnavailable(err)
	case s.store.over(found), found.Value.user.VaultKey == "":
		return gateway.Caller{}, answer.ErrNoSession
	}
	if use {
		if found, err = s.store.touch(ctx, found); err != nil {
			return gateway.Caller{}, answer.StoreUnavailable(err)
		}
	}
	return gateway.Caller{
		ID: strings.TrimPrefix(place, sessionPrefix), VaultKey: found.Value.user.VaultKey, Until: s.store.idleEnd(found),
	}, nil
}
