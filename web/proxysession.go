package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"b2trader.identity.auth/identity/store/mirror"
	"b2trader.identity.auth/web/internal/answer"
)

// caller is the session that an API call belongs to.
type caller struct {
	place    string // of the session in the store
	vaultKey string
	until    time.Time // before this the session ends only if somebody ends it
}

// id is the session's name in the log and in the count of its streams.
func (c caller) id() string { return strings.TrimPrefix(c.place, sessionPrefix) }

// Caller finds whose call r is by its cookie alone. It does not decode what is in the session for pages. If the call is
// use of the session, that is noted.
//
// Errors: answer.ErrNoSession, or a fault of the store, which says nothing about the session.
func (s *sessions) Caller(r *http.Request, use bool) (caller, error) {
	cookie, err := r.Cookie(s.manager.Cookie.Name)
	if err != nil {
		return caller{}, answer.ErrNoSession
	}
	c := caller{place: placeOf(cookie.Value)}
	return c, s.Recheck(r.Context(), &c, use)
}

// Recheck looks c up again. Its errors are those of Caller.
func (s *sessions) Recheck(ctx context.Context, c *caller, use bool) error {
	found, err := s.store.mirror.Get(ctx, c.place)
	switch {
	case mirror.Gone(err), errors.Is(err, errUnreadable), errors.Is(err, errCodec):
		return answer.ErrNoSession
	case err != nil:
		return answer.StoreUnavailable(err)
	case s.store.over(found), found.Value.user.VaultKey == "":
		return answer.ErrNoSession
	}
	if use {
		if found, err = s.store.touch(ctx, found); err != nil {
			return answer.StoreUnavailable(err)
		}
	}
	c.vaultKey, c.until = found.Value.user.VaultKey, s.store.idleEnd(found)
	return nil
}

// Forget ends c's session, whose tokens are gone.
func (s *sessions) Forget(ctx context.Context, c caller) error {
	return s.store.mirror.Delete(context.WithoutCancel(ctx), c.place)
}
