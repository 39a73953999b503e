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
	at, err := s.sessions.At(ctx, c.ID)
	return callerOf(session.Found{
		ID: at.ID, Owner: at.User.Owner, IdentityID: at.User.IdentityID, VaultKey: at.User.VaultKey, Group: at.User.Group, Until: at.Until,
	}, err)
}

// Ended implements gateway.Sessions.
func (s apiSessions) Ended(ctx context.Context, c gateway.Caller) (group, here <-chan struct{}, stop func(), err error) {
	group, stopGroup, err := s.sessions.Ended(ctx, c.Group)
	if err != nil {
		return nil, nil, nil, translate(err)
	}
	here, stopHere := s.sessions.EndedHere(c.User, c.IdentityID)
	return group, here, func() { stopGroup(); stopHere() }, nil
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

// translate turns the errors of package session into those of package answer.
func translate(err error) error {
	if failure, ok := errors.AsType[*session.StoreError](err); ok {
		return answer.StoreUnavailable(failure)
	}
	if errors.Is(err, session.ErrNone) || errors.Is(err, session.ErrEnded) {
		return answer.ErrNoSession
	}
	return err
}
