package web

import (
	"context"
	"errors"
	"net/http"

	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/gateway"
	"b2trader.identity.auth/web/internal/request"
	"b2trader.identity.auth/web/internal/session"
)

// apiSessions implements gateway.Sessions.
type apiSessions struct{ sessions *session.Manager }

// Find implements gateway.Sessions.
func (s apiSessions) Find(r *http.Request, use bool) (gateway.Caller, error) {
	return callerOf(s.sessions.Find(r, use, request.Of(r.Context()).Address))
}

// CheckAgain implements gateway.Sessions.
func (s apiSessions) CheckAgain(ctx context.Context, c gateway.Caller) (gateway.Caller, error) {
	return callerOf(s.sessions.At(ctx, c.ID))
}

// Ends implements gateway.Sessions.
func (s apiSessions) Ends(ctx context.Context, c gateway.Caller) (gateway.Ends, error) {
	e, err := s.sessions.WatchEnds(ctx, c.ID, session.User{Owner: c.User, IdentityID: c.IdentityID, Group: c.Group})
	return gateway.Ends(e), translate(err)
}

// Forget implements gateway.Sessions.
func (s apiSessions) Forget(ctx context.Context, c gateway.Caller) error {
	return s.sessions.EndAt(ctx, c.ID)
}

func callerOf(s session.Found, err error) (gateway.Caller, error) {
	return gateway.Caller{
		ID: s.ID, User: s.Owner, IdentityID: s.IdentityID, VaultKey: s.VaultKey, Group: s.Group, Until: s.Until,
	}, translate(err)
}

// translate turns the errors of package session into those of package answer,
// unless they are told already.
func translate(err error) error {
	if _, told := errors.AsType[*answer.Error](err); told {
		return err
	}
	if failure, ok := errors.AsType[*session.StoreError](err); ok {
		return answer.StoreUnavailable(failure)
	}
	if errors.Is(err, session.ErrNone) || errors.Is(err, session.ErrEnded) {
		return answer.ErrNoSession
	}
	return err
}
